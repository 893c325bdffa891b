"""Where Delta tables lie and which commits they have, by plain files: it is asked often.

In: a table contract and settings. Out: locations, commit files, versions.
"""

import json
import re
from pathlib import Path
from typing import Any

from lakehouse.contracts.tables import TABLES, Table
from lakehouse.errors import LakeError
from lakehouse.settings import Settings

# Checkpoints and compacted logs have names that begin with the same number, and may be JSON too.
_COMMIT = re.compile(r"[0-9]{20}\.json")


def location(table: Table, *, settings: Settings) -> str:
    """Where a table lies: a path or URI below the table storage."""
    return f"{settings.tables_uri}/{table.name.replace('.', '/')}"


def current_version(table: Table, *, settings: Settings) -> int | None:
    """Newest version of a table; None when it does not exist."""
    return max(map(version_of, log_files(table, settings=settings)), default=None)


def current_versions(settings: Settings) -> dict[str, int]:
    """Newest version of every existing table by its name: what a publish pins once."""
    found = {table.name: current_version(table, settings=settings) for table in TABLES}
    return {name: version for name, version in found.items() if version is not None}


def log_files(table: Table, *, settings: Settings) -> list[str]:
    """Names of a table's commit files, in any order; none where there is no table."""
    try:
        names = [path.name for path in _log(table, settings).iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in names if _COMMIT.fullmatch(name)]


def version_of(name: str) -> int:
    """Version that a commit file's name says."""
    return int(name[:20])


def commit_seconds(table: Table, version: int, *, settings: Settings) -> float:
    """When a version was committed, in seconds since 1970; the next kept one, if it is gone.

    Raises:
        LakeError: The commit can't be read.
    """
    kept = [each for each in log_files(table, settings=settings) if version_of(each) >= version]
    try:
        actions = commit_actions(table, min(kept), settings=settings)
        info = next(each["commitInfo"] for each in actions if "commitInfo" in each)
        return float(info["timestamp"]) / 1000
    except (OSError, ValueError, KeyError, StopIteration):
        raise LakeError(
            f"The commit {version} of {table.name} can't be read: `lake audit --full` names what "
            "is damaged."
        ) from None


def commit_actions(table: Table, name: str, *, settings: Settings) -> list[dict[str, Any]]:
    """Actions of a commit file, in their order. Raises: OSError or ValueError when unreadable."""
    text = (_log(table, settings) / name).read_bytes()
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _log(table: Table, settings: Settings) -> Path:
    return Path(location(table, settings=settings), "_delta_log")
