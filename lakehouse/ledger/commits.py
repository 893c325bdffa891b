"""The landed part of the ledger: one line per Delta commit, derived from the commits themselves.

In: the tables' logs. Out: lines in the chain `batches`, each exactly once, with the commit file's
SHA-256, the data files it added with theirs, offset ranges, records and money. A table that was
rebuilt starts over: a line of its own says so.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakehouse.contracts.tables import TABLES, Table
from lakehouse.ledger import chain
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.tables import location, log_files, version_of

CHAIN = "batches"
LOCK = "ledger-batches"
REBUILT = "rebuilt"
"""Kind of the line that makes a table's earlier lines void: a repair rebuilt the table."""


def derive(settings: Settings) -> int:
    """Write a line for each commit that has none yet; returns how many.

    Only commits after a table's last line are read: what was recorded is never recorded again. A
    damaged commit gets no line, nor does any after it: the audit names it.
    """
    with hold(LOCK, settings=settings, wait_seconds=60):
        recorded: dict[str, int] = {}
        for line in commits(settings):
            recorded[line["table"]] = max(recorded.get(line["table"], -1), line["version"])
        fresh = [
            line
            for table in TABLES
            for line in _lines_after(table, recorded.get(table.name, -1), settings=settings)
        ]
        chain.write(CHAIN, *sorted(fresh, key=lambda line: line["committed_at"]), settings=settings)
    return len(fresh)


def commits(settings: Settings) -> list[dict[str, Any]]:
    """Recorded commits of the tables that there are: those before a rebuilding are void."""
    lines = list(chain.lines(CHAIN, settings=settings))
    start = {line["table"]: at for at, line in enumerate(lines) if line["kind"] == REBUILT}
    return [line for at, line in enumerate(lines) if at > start.get(line["table"], -1)]


def mark_rebuilt(table: Table, *, identity: str, settings: Settings) -> None:
    """Make the recorded commits of a table void: a new table takes its place. Twice equals once.

    Args:
        table: The table.
        identity: Of the operation that rebuilds it.
        settings: Where the ledger lies.
    """
    with hold(LOCK, settings=settings, wait_seconds=60):
        for line in chain.lines(CHAIN, settings=settings):
            if line["kind"] == REBUILT and (line["table"], line["id"]) == (table.name, identity):
                return
        mark = {"kind": REBUILT, "table": table.name, "id": identity}
        chain.write(CHAIN, mark, settings=settings)


def rebuildings(settings: Settings) -> dict[str, int]:
    """How often each table was rebuilt; versions of before and after can't be compared."""
    lines = chain.lines(CHAIN, settings=settings)
    return dict(Counter(line["table"] for line in lines if line["kind"] == REBUILT))


def comparable(
    versions: Mapping[str, int], rebuilt: Mapping[str, int], *, settings: Settings
) -> dict[str, int]:
    """Of versions that were pinned earlier, those of tables that were not rebuilt since.

    Args:
        versions: Version by table name.
        rebuilt: How often each table had been rebuilt then.
        settings: Where the ledger lies.
    """
    present = rebuildings(settings)
    return {
        name: version
        for name, version in versions.items()
        if present.get(name, 0) == rebuilt.get(name, 0)
    }


def damaged_after(table: Table, version: int, *, settings: Settings) -> bool:
    """Whether the commit after a version is there and can't be read as one."""
    root = Path(location(table, settings=settings))
    path = root / "_delta_log" / f"{version + 1:020}.json"
    return path.exists() and _line(table, root, path) is None


def _lines_after(table: Table, after: int, *, settings: Settings) -> Iterator[dict[str, Any]]:
    root = Path(location(table, settings=settings))
    names = [name for name in log_files(table, settings=settings) if version_of(name) > after]
    for name in sorted(names, key=version_of):
        line = _line(table, root, root / "_delta_log" / name)
        if line is None:
            return
        yield line


def _line(table: Table, root: Path, path: Path) -> dict[str, Any] | None:
    raw = path.read_bytes()
    try:
        actions = [json.loads(text) for text in raw.splitlines() if text.strip()]
        info = next(each["commitInfo"] for each in actions if "commitInfo" in each)
        facts: dict[str, Any] = json.loads(info.get("userMetadata") or "{}")
    except (ValueError, StopIteration):
        return None
    added = [each["add"] for each in actions if "add" in each]
    return {
        "kind": "commit",
        "table": table.name,
        "version": version_of(path.name),
        "operation": info.get("operation", "unknown"),
        "committed_at": int(info.get("timestamp", 0)),
        "commit_sha256": hashlib.sha256(raw).hexdigest(),
        "rows": sum(json.loads(each.get("stats") or "{}").get("numRecords", 0) for each in added),
        "added": {each["path"]: file_sha256(root / unquote(each["path"])) for each in added},
        "removed": [each["remove"]["path"] for each in actions if "remove" in each],
        **{key: facts[key] for key in sorted(facts) if key in _FACTS},
    }


def file_sha256(path: Path) -> str | None:
    """SHA-256 of a file in hexadecimal; None when it is gone."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        return None


_FACTS = (
    "query",
    "app_id",
    "batch_id",
    "refined_batch",
    "ranges",
    "records",
    "amounts",
    "run_id",
    "reason",
)
