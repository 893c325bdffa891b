"""The landed part of the ledger: one line per Delta commit, derived from the commits themselves.

In: the tables' logs. Out: lines in the chain `batches`, each exactly once, with the commit file's
SHA-256, the data files it added with theirs, offset ranges, records and money.
"""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakehouse.contracts.tables import TABLES, Table
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.tables import location, log_files, version_of
from quality import ledger

CHAIN = "batches"


def derive(settings: Settings) -> int:
    """Write a line for each commit that has none yet; returns how many.

    Only commits after a table's last line are read: what was recorded is never recorded again.
    """
    with hold("ledger-batches", settings=settings, wait_seconds=60):
        recorded: dict[str, int] = {}
        for line in ledger.lines(CHAIN, settings=settings):
            recorded[line["table"]] = max(recorded.get(line["table"], -1), line["version"])
        fresh = [
            line
            for table in TABLES
            for line in _lines_after(table, recorded.get(table.name, -1), settings=settings)
        ]
        ledger.write(
            CHAIN, *sorted(fresh, key=lambda line: line["committed_at"]), settings=settings
        )
    return len(fresh)


def _lines_after(table: Table, after: int, *, settings: Settings) -> list[dict[str, Any]]:
    root = Path(location(table, settings=settings))
    names = [name for name in log_files(table, settings=settings) if version_of(name) > after]
    return [
        _line(table, root, root / "_delta_log" / name) for name in sorted(names, key=version_of)
    ]


def _line(table: Table, root: Path, path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    actions = [json.loads(text) for text in raw.splitlines() if text.strip()]
    info: dict[str, Any] = next(
        (each["commitInfo"] for each in actions if "commitInfo" in each), {}
    )
    facts: dict[str, Any] = json.loads(info.get("userMetadata") or "{}")
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
