"""Upkeep of Delta tables: many small files become few, and files that nobody needs any more go.

In: a table contract. Out: a survey of its files, OPTIMIZE commits that move rows without changing
one, and files deleted that left the table long ago. Readers of an older version are left in peace
for 168 hours at least. It needs no Spark. Run standalone: `lake maintain --dry-run`.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakehouse.contracts.tables import Table
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables.log import commit_actions, location, log_files, version_of
from lakehouse.tables.rows import open_table, terms_of
from lakehouse.tables.writing import naming_errors, writer_of

LEAST_HOURS = 168
"""A file lives this long at least after it left its table: readers and streams may be on it."""

SMALL_BYTES = 64 * 1024**2
LARGEST_BYTES = 128 * 1024**2
SMALL_FILES_ALLOWED = 8
"""Small files that a table, or one partition value of it, may have before they are joined."""


@dataclass(frozen=True)
class Survey:
    """Files of one table. `crowded` are the partition values with too many small files.

    For a table without partitions `crowded` holds None. `expired` are files that left the table
    longer ago than asked, `resting` those that left it later; `stray` are files that no commit ever
    named, left behind by a write that a crash cut short (`stray_expired` of them old enough to go).
    `deletable` are the paths of all that may go, with their bytes.
    """

    table: Table
    live_files: int
    live_bytes: int
    small_files: int
    crowded: tuple[str | None, ...]
    resting: int
    expired: int
    expired_bytes: int
    stray: int
    stray_expired: int
    stray_bytes: int
    deletable: Mapping[str, int]

    @property
    def can_free(self) -> bool:
        """Whether a vacuum would delete something."""
        return bool(self.deletable)


def survey(table: Table, *, settings: Settings, keep_hours: float, now: float) -> Survey:
    """What the files of a table are.

    Args:
        table: Which one; it must exist.
        settings: Where the state lies.
        keep_hours: How long a file that left the table is kept.
        now: The present in seconds since 1970, as files' times are.

    Raises:
        LakeError: A commit of its log can't be read.
    """
    live, left = _replayed(table, settings=settings)
    found = _data_files(table, settings=settings)
    oldest = now - keep_hours * 3600
    expired = [path for path in found if path in left and left[path] < oldest]
    resting = [path for path in found if path in left and left[path] >= oldest]
    stray = {path: facts for path, facts in found.items() if path not in left and path not in live}
    stray_expired = [path for path, (_, changed) in stray.items() if changed < oldest]
    small = Counter(partition for partition, size in live.values() if size < SMALL_BYTES)
    return Survey(
        table,
        live_files=len(live),
        live_bytes=sum(size for _, size in live.values()),
        small_files=small.total(),
        crowded=tuple(
            sorted((each for each, n in small.items() if n > SMALL_FILES_ALLOWED), key=str)
        ),
        resting=len(resting),
        expired=len(expired),
        expired_bytes=sum(found[path][0] for path in expired),
        stray=len(stray),
        stray_expired=len(stray_expired),
        stray_bytes=sum(size for size, _ in stray.values()),
        deletable={path: found[path][0] for path in (*expired, *stray_expired)},
    )


def compact(
    table: Table,
    *,
    crowded: tuple[str | None, ...],
    settings: Settings,
    metadata: Mapping[str, object],
) -> None:
    """Join the small files of the crowded parts of a table, in one commit that changes no row.

    A stream that reads the table passes over it, for it says so of itself (dataChange is false).
    """
    parts = [(table.partition_by, "in", list(crowded))] if table.partition_by else None
    with writer_of(table, settings=settings), naming_errors(table, settings=settings):
        open_table(table, settings=settings).optimize.compact(
            parts, target_size=LARGEST_BYTES, **terms_of(table, None, metadata)
        )


def vacuum(table: Table, *, keep_hours: float, settings: Settings) -> int:
    """Delete the files that left the table longer ago than `keep_hours`; returns bytes freed.

    It deletes what the survey names, by all commits there are. Delta's own VACUUM goes by its
    checkpoints, which forget after 168 hours when a file left: then the file's age counts.

    Raises:
        LakeError: Fewer than 168 hours were asked for, or a file can't be deleted.
    """
    require_retention(keep_hours)
    with writer_of(table, settings=settings), naming_errors(table, settings=settings):
        found = survey(table, settings=settings, keep_hours=keep_hours, now=time.time())
        root = Path(location(table, settings=settings))
        for path in found.deletable:
            file = root / path
            file.unlink()
            file.with_name(f".{file.name}.crc").unlink(missing_ok=True)  # Hadoop's checksum of it
    return sum(found.deletable.values())


def require_retention(keep_hours: float) -> None:
    """Raises: LakeError for fewer than 168 hours, with the reason."""
    if keep_hours < LEAST_HOURS:
        raise LakeError(
            f"Files are kept for {LEAST_HOURS} hours at least after they left a table: a query, a "
            "stream or an audit that began before may still read them, and would fail. "
            f"Use {LEAST_HOURS} or more."
        )


def _replayed(
    table: Table, *, settings: Settings
) -> tuple[dict[str, tuple[str | None, int]], dict[str, float]]:
    """Live files with partition value and bytes, and files that left with the second they did."""
    live: dict[str, tuple[str | None, int]] = {}
    left: dict[str, float] = {}
    for name in sorted(log_files(table, settings=settings), key=version_of):
        actions = _actions(table, name, settings=settings)
        for each in (action["remove"] for action in actions if "remove" in action):
            path = unquote(each["path"])
            live.pop(path, None)
            left[path] = int(each.get("deletionTimestamp") or 0) / 1000
        for each in (action["add"] for action in actions if "add" in action):
            path = unquote(each["path"])
            left.pop(path, None)
            value = each["partitionValues"].get(table.partition_by or "")
            live[path] = (value, int(each["size"]))
    return live, left


def _actions(table: Table, name: str, *, settings: Settings) -> list[dict[str, Any]]:
    try:
        return commit_actions(table, name, settings=settings)
    except (OSError, ValueError) as error:
        raise LakeError(
            f"The commit {name} of {table.name} can't be read: leave its files as they are. "
            "`lake audit --full` says what is wrong with the table."
        ) from error


def _data_files(table: Table, *, settings: Settings) -> dict[str, tuple[int, float]]:
    """Size and time of change of every data file in a table's folder, by its path in there."""
    root, found = Path(location(table, settings=settings)), {}
    for file in root.rglob("*.parquet"):
        path = file.relative_to(root)
        if not any(part.startswith(("_", ".")) for part in path.parts):
            facts = file.stat()
            found[str(path)] = (facts.st_size, facts.st_mtime)
    return found
