"""Data files that came into a table and left it between two versions, by its log alone; no Spark.

In: a table contract and two versions. Out: paths. Whoever compares the rows of the two lists knows
every row that came, went or changed in between, whatever operation did it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakehouse.contracts.tables import Table
from lakehouse.settings import Settings
from lakehouse.tables.log import commit_actions, location


@dataclass(frozen=True)
class ChangedFiles:
    """Paths of live files that only the newer version has, and that only the older one has."""

    added: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()


def changed_files(
    table: Table, *, after: int, until: int, settings: Settings
) -> ChangedFiles | None:
    """Files by which version `until` differs from version `after`.

    A compaction that only joined files of the older version is passed over: no row of it changed.

    Returns: None where the log or a file in question can't be read, or the table lies in an object
    store; nothing is known then.
    """
    place = location(table, settings=settings)
    if "://" in place or until < after:
        return None
    root, added, removed = Path(place), set[str](), set[str]()
    for version in range(after + 1, until + 1):
        try:
            actions = commit_actions(table, f"{version:020}.json", settings=settings)
        except (OSError, ValueError):
            return None
        for came, went in _by_partition(actions, table.partition_by or "", added):
            removed |= went - added
            added -= went
            removed -= came
            added |= came
    paths = [tuple(root / unquote(name) for name in sorted(names)) for names in (added, removed)]
    if not all(path.is_file() for path in (*paths[0], *paths[1])):
        return None
    return ChangedFiles(*paths)


def _by_partition(
    actions: list[dict[str, Any]], partition: str, added: set[str]
) -> list[tuple[set[str], set[str]]]:
    """Files that a commit added and removed, without the partitions where only old files moved."""
    found: dict[Any, tuple[set[str], set[str]]] = {}
    changed: dict[Any, bool] = {}
    files = [
        (place, action[kind])
        for action in actions
        for place, kind in enumerate(("add", "remove"))
        if kind in action
    ]
    is_told = all(file.get("partitionValues") is not None for _, file in files)
    for place, file in files:
        key = file["partitionValues"].get(partition) if is_told else None
        found.setdefault(key, (set(), set()))[place].add(file["path"])
        is_new = file.get("dataChange", True) or file["path"] in added
        changed[key] = changed.get(key, False) or is_new
    return [both for key, both in found.items() if changed[key]]
