"""Whether the next gold can be built incrementally, on a copy of the published file.

In: the last publish by the ledger, and the pinned versions. Out: the file to copy, and as variables
of dbt the data files of silver that came and went since; or why a full build is needed.
Run standalone: `lake publish` says it.
"""

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.contracts.tables import (
    CUSTOMERS,
    GOLD_SOURCES,
    ORDER_LINES,
    PRODUCTS,
    WEB_EVENTS,
)
from lakehouse.duck import files_relation
from lakehouse.ledger.publishes import Published
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.tables import changed_files

MOST_IN_A_ROW = 30
"""Incremental builds in a row before a full one."""
MOST_GROWTH = 2
"""How many times its size after the last full build a file may have: rows that leave leave gaps."""
SMALL_FILE = 64 * 1024**2
"""Bytes up to which a file may grow as it likes: its blocks are coarse, its copy costs little."""

_BLOCK = 8 * 1024**2
_RULES = ("dbt_project.yml", "profiles.yml", "macros/**/*.sql", "models/**/*")
_COMPARED = (ORDER_LINES, WEB_EVENTS, CUSTOMERS, PRODUCTS)
"""Tables whose changed rows say which days to build; `int_days_changed` reads them."""


@dataclass(frozen=True)
class FullBuild:
    """Why gold is built in full, as the end of a sentence."""

    reason: str


NOTHING_BEFORE = FullBuild("there is nothing to begin with")


@dataclass(frozen=True)
class LastGold:
    """A published file that an incremental build begins with.

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


def find_last_gold(
    settings: Settings, *, last: Published | None, table_versions: Mapping[str, int]
) -> LastGold | FullBuild:
    """The published gold where a build can begin with it, else why not."""
    if last is None:
        return FullBuild("nothing is published yet")
    path, gold = settings.gold_dir / last.file, last.gold
    if reason := _why_unfit(path, gold):
        return FullBuild(reason)
    variables = _changes(settings, last, table_versions)
    if isinstance(variables, FullBuild):
        return variables
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


def _why_unfit(path: Path, gold: Mapping[str, Any]) -> str:
    """What keeps a build from beginning with this file; empty for nothing."""
    if not path.is_file():
        return f"{path.name} is gone"
    if gold.get("rules") != rules():
        return "the rules of gold changed"
    if gold["in_a_row"] >= MOST_IN_A_ROW:
        return f"the last {gold['in_a_row']} builds were incremental"
    if path.stat().st_size > max(SMALL_FILE, MOST_GROWTH * gold["full_bytes"]):
        return f"the file grew more than {MOST_GROWTH} times since the last full build"
    return ""


def _changes(
    settings: Settings, last: Published, table_versions: Mapping[str, int]
) -> dict[str, Any] | FullBuild:
    """Variables that name the data files which came into silver and left it since."""
    since = last.comparable_versions(settings)
    if rebuilt := [table.name for table in GOLD_SOURCES if table.name not in since]:
        return FullBuild(f"{rebuilt[0]} was rebuilt since")
    variables: dict[str, Any] = {"is_incremental": True}
    for table in _COMPARED:
        files = changed_files(
            table, after=since[table.name], until=table_versions[table.name], settings=settings
        )
        if files is None:
            return FullBuild(f"files of {table.name} that the last gold was built from are gone")
        variables[f"{table.flat_name}_added"] = files_relation(files.added, table)
        variables[f"{table.flat_name}_removed"] = files_relation(files.removed, table)
    return variables
