"""The gold that the next build goes on from, or why it must build everything.

In: the last publish by the ledger, and the pinned versions. Out: the file to copy and the variables
by which dbt finds what changed since, or a reason in words. Alone: `lake publish` shows it.
"""

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.contracts.tables import GOLD_SOURCES, ORDER_LINES, WEB_EVENTS
from lakehouse.duck import files_relation
from lakehouse.ledger import chain
from lakehouse.ledger.publishes import Published
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.tables import changed_files

MOST_IN_A_ROW = 30
"""Builds that go on from one another before everything is built anew."""
MOST_GROWTH = 2
"""How many times its size after the last full build a file may have: rows that leave leave gaps."""
SMALL_FILE = 64 * 1024**2
"""Bytes up to which a file may grow as it likes: its blocks are coarse, its copy costs little."""

_BLOCK = 8 * 1024**2
_RULES = ("dbt_project.yml", "profiles.yml", "macros/**/*.sql", "models/**/*")
_LARGE = ((ORDER_LINES, "lines"), (WEB_EVENTS, "events"))


@dataclass(frozen=True)
class LastGold:
    """A published file that a build copies.

    `in_a_row` counts the builds since the last full one, that of this file included, and
    `full_bytes` is the size of that one; `variables` are for dbt.
    """

    run_id: str
    path: Path
    sha256: str
    in_a_row: int
    full_bytes: int
    variables: Mapping[str, Any]


def rules() -> str:
    """SHA-256 of all that decides what gold is made of silver: the dbt project and its engines."""
    project = PROJECT_ROOT / "dbt_project"
    digest = hashlib.sha256()
    for path in sorted({path for each in _RULES for path in project.glob(each) if path.is_file()}):
        digest.update(f"{path.relative_to(project)}\n".encode() + path.read_bytes())
    for name in ("dbt-core", "dbt-duckdb", "duckdb"):
        digest.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    digest.update(repr(GOLD_SOURCES).encode())
    return digest.hexdigest()


class _BuildAll(Exception):
    """Why no build can go on from the last gold."""


def find_last_gold(
    settings: Settings, *, last: Published | None, table_versions: Mapping[str, int]
) -> LastGold | str:
    """The last gold, where a build can go on from it; else why not, as the end of a sentence."""
    try:
        if last is None:
            raise _BuildAll("nothing is published yet")
        path, gold = settings.gold_dir / last.file, last.gold
        _require_fit(path, gold)
        variables = {"last_gold": str(path), **_changes(settings, last, table_versions)}
    except _BuildAll as reason:
        return str(reason)
    return LastGold(
        last.run_id, path, last.file_sha256, gold["in_a_row"], gold["full_bytes"], variables
    )


def copy_to(target: Path, last: LastGold) -> bool:
    """Copy the file, bytes by bytes; False, and no copy, where they are not what was published."""
    digest = hashlib.sha256()
    with last.path.open("rb") as source, target.open("wb") as copy:
        while block := source.read(_BLOCK):
            digest.update(block)
            copy.write(block)
    if digest.hexdigest() == last.sha256:
        return True
    target.unlink()
    return False


def _require_fit(path: Path, gold: Mapping[str, Any]) -> None:
    if not path.is_file():
        raise _BuildAll(f"{path.name} is gone")
    if gold.get("rules") != rules():
        raise _BuildAll("the rules of gold changed")
    if gold["in_a_row"] >= MOST_IN_A_ROW:
        raise _BuildAll(f"{gold['in_a_row']} builds in a row went on from one another")
    if path.stat().st_size > max(SMALL_FILE, MOST_GROWTH * gold["full_bytes"]):
        raise _BuildAll(f"the file grew more than {MOST_GROWTH} times since the last full build")


def _changes(
    settings: Settings, last: Published, table_versions: Mapping[str, int]
) -> dict[str, Any]:
    """Variables that name files which came into silver and left it since, and named days."""
    since = last.comparable_versions(settings)
    if rebuilt := [table.name for table in GOLD_SOURCES if table.name not in since]:
        raise _BuildAll(f"{rebuilt[0]} was built anew since")
    found: dict[str, Any] = {"named_days": _named_days(settings, after=last.gold["operations"])}
    for table, name in _LARGE:
        files = changed_files(
            table, after=since[table.name], until=table_versions[table.name], settings=settings
        )
        if files is None:
            raise _BuildAll(f"files of {table.name} that the last gold was built from are gone")
        found[f"silver_{name}_added"] = files_relation(files.added, table)
        found[f"silver_{name}_removed"] = files_relation(files.removed, table)
        found[f"silver_{name}_rewritten"] = bool(files.removed)
    return found


def _named_days(settings: Settings, *, after: int) -> list[dict[str, str | None]]:
    """Ranges of days of which an operation since then changed order lines."""
    named: list[dict[str, str | None]] = []
    for number, line in enumerate(chain.lines("operations", settings=settings)):
        differing = line.get("differing") or {}
        if number < after or line["kind"] != "done" or not differing.get(ORDER_LINES.name):
            continue
        if line.get("from") is None and line.get("to") is None:
            raise _BuildAll(f"a {line['operation']} of all days changed silver")
        named.append({"from": line.get("from"), "to": line.get("to")})
    return named
