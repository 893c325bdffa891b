"""R6-R8: the files are the ones that were recorded, gold is of one run, the ledger is unbroken.

In: the tables' folders, the gold file and the ledger. Out: equations that name table, version,
file and line.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakehouse.contracts import table
from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.duck import first_line
from lakehouse.ledger import chain, commits, publishes
from lakehouse.pointer import Version, current
from lakehouse.shop_format import counted
from lakehouse.tables import current_version, location
from quality.audit.equation import Equation, Pinned

Line = Mapping[str, Any]


def tables_are_as_recorded(
    pinned: Pinned, *, since: Mapping[str, int], checkpoints: bool = False
) -> Equation:
    """R6: every commit and every live file is byte for byte what the ledger recorded.

    A table that was repaired is judged from its rebuilding on.

    Args:
        pinned: The state.
        since: Version by table that the last publish audited: data files from before are not read
            again. Empty: every live file is read.
        checkpoints: Compare Delta's own checkpoints with the commits before them, too.
    """
    recorded: dict[str, list[Line]] = {}
    for line in commits.commits(pinned.settings):
        recorded.setdefault(line["table"], []).append(line)
    differences: list[str] = []
    checked = 0
    for name in sorted(recorded.keys() | pinned.versions.keys()):
        lines = [
            line
            for line in recorded.get(name, [])
            if line["version"] <= pinned.versions.get(name, -1)
        ]
        root = Path(location(table(name), settings=pinned.settings))
        first = since.get(name, -1)
        expected = [
            (
                f"{name} version {line['version']}: its commit file",
                root / "_delta_log" / f"{line['version']:020}.json",
                line["commit_sha256"],
            )
            for line in lines
        ]
        expected += [
            (f"{name}: the data file {relative}", root / unquote(relative), sha256)
            for relative, sha256 in _live_files(lines, added_after=first).items()
        ]
        checked += len(expected)
        found = [*_set_back(name, recorded.get(name, []), pinned), *_changed(expected)]
        if checkpoints:
            found += _other_checkpoints(name, lines, root)
        differences += [f"{each} (fix: {_remedy(name)})" for each in found]
    return Equation(
        "R6",
        "commit and data files of all tables = files that the ledger recorded"
        + (" (all commits, new data)" if since else " (all)"),
        f"{counted(checked)} files",
        f"{counted(checked - len(differences))} unchanged",
        tuple(differences),
    )


def _set_back(name: str, recorded: Sequence[Line], pinned: Pinned) -> list[str]:
    """Commits that the ledger knows and the table lost, and damaged ones that it never recorded."""
    newest = current_version(table(name), settings=pinned.settings)
    found = [
        f"{name} was at version {line['version']} ({counted(line['rows'])} rows in it), now it is "
        + ("gone" if newest is None else f"at {newest}")
        for line in recorded
        if line["version"] > (-1 if newest is None else newest)
    ]
    last = max((line["version"] for line in recorded), default=-1)
    if pinned.versions.get(name, -1) > last and commits.damaged_after(
        table(name), last, settings=pinned.settings
    ):
        found.append(f"{name} version {last + 1}: its commit file is damaged")
    return found


def _other_checkpoints(name: str, lines: Sequence[Line], root: Path) -> list[str]:
    """Checkpoints that name other files than the commits: Delta would open these files instead."""
    import pyarrow as pa
    from pyarrow import parquet

    found = []
    newest = lines[-1]["version"] if lines else -1
    for path in sorted((root / "_delta_log").glob("*.checkpoint*.parquet")):
        version = int(path.name[:20])
        if version > newest:
            continue  # of a commit that this audit does not judge
        before = [line for line in lines if line["version"] <= version]
        try:
            adds = parquet.read_table(path, columns=["add"]).column("add").to_pylist()
        except (pa.ArrowException, OSError) as error:
            found.append(f"{name}: {path.name} can't be read: {first_line(error)}")
            continue
        named = {each["path"] for each in adds if each and each["path"]}
        if named != _live_files(before, added_after=-1).keys():
            found.append(f"{name}: {path.name} names other files than its commits")
    return found


def _remedy(name: str) -> str:
    return "restore it from a backup" if name == BRONZE_EVENTS.name else f"`lake repair {name}`"


def _live_files(lines: Sequence[Line], *, added_after: int) -> dict[str, str]:
    """Data files in service after these commits, with their SHA-256."""
    live: dict[str, tuple[int, str]] = {}
    for line in lines:
        for removed in line["removed"]:
            live.pop(removed, None)
        live |= {path: (line["version"], sha256) for path, sha256 in line["added"].items()}
    return {path: sha256 for path, (version, sha256) in live.items() if version > added_after}


def _changed(expected: Sequence[tuple[str, Path, str]]) -> list[str]:
    found = [(what, commits.file_sha256(path), sha256) for what, path, sha256 in expected]
    return [
        f"{what} {'is missing' if sha256 is None else 'was changed'}"
        for what, sha256, wanted in found
        if sha256 is None or sha256 != wanted
    ]


def gold_is_of_one_run(pinned: Pinned) -> Equation:
    """R7: the gold file is the one whose digest its publish recorded."""
    gold = pinned.require_gold()
    published = [
        line for line in publishes.lines(pinned.settings, "published") if line["file"] == gold.name
    ]
    found = commits.file_sha256(gold)
    differences = []
    if not published:
        differences.append(f"{gold.name} was never published by a run")
    elif published[-1]["file_sha256"] != found:
        differences.append(f"{gold.name} was changed after run {published[-1]['run_id']}")
    return Equation(
        "R7",
        "gold in service = the file of one run, as its publish recorded it",
        (found or "missing")[:16],
        published[-1]["file_sha256"][:16] if published else "none",
        tuple(differences),
    )


def ledger_is_unbroken(pinned: Pinned, *, is_published: bool) -> Equation:
    """R8: every chain is intact, holds the pinned heads, and the pointer is the last publish.

    Before a publish the pointer itself is not judged: the publish is about to replace it.
    """
    differences: list[str] = []
    settings = pinned.settings
    for name in chain.CHAINS:
        differences += chain.breaks(name, settings=settings)
    version = current(settings)
    heads = version.part("heads") if version else {}
    for name, head in heads.items():
        hashes = [line.get("sha256") for line in chain.lines(name, settings=settings)]
        pinned_lines = head["lines"]
        if pinned_lines and (
            len(hashes) < pinned_lines or hashes[pinned_lines - 1] != head["sha256"]
        ):
            differences.append(
                f"{name} had {pinned_lines} lines when gold was published, "
                f"it has {len(hashes)} now or others"
            )
    if is_published:
        served = publishes.served(settings)
        differences += _other_than_published(version, served[-1] if served else {})
    total = sum(head.lines for head in chain.heads(settings).values())
    return Equation(
        "R8",
        "ledger lines, each chained to the one before = the heads that CURRENT pins",
        f"{counted(total)} lines",
        hashlib.sha256(json.dumps(heads, sort_keys=True).encode()).hexdigest()[:16],
        tuple(differences),
    )


def _other_than_published(version: Version | None, last: Line) -> list[str]:
    """The first thing that the pointer says otherwise than the last publish."""
    named = (version.run_id, version.path.name) if version else (None, None)
    for what, found, wanted in zip(
        ("run", "file"), named, (last.get("run_id"), last.get("file")), strict=True
    ):
        if found != wanted:
            return [f"CURRENT points to {what} {found}, last published: {wanted}"]
    return []
