"""R6-R8: the files are the ones that were recorded, gold is of one run, the ledger is unbroken.

In: the tables' folders, the gold file and the ledger. Out: equations that name table, version,
file and line.
"""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakehouse.contracts import table
from lakehouse.duck import CURRENT
from lakehouse.tables import location
from quality import batches, ledger
from quality.equations import Equation, Pinned


def tables_are_as_recorded(pinned: Pinned, *, full: bool, since: dict[str, int]) -> Equation:
    """R6: every commit and every live file is byte for byte what the ledger recorded.

    Args:
        pinned: The state.
        full: Read every live file again; otherwise only those added after `since`.
        since: Version by table that the last publish audited.
    """
    differences: list[str] = []
    checked = 0
    recorded: dict[str, list[dict[str, Any]]] = {}
    for line in ledger.lines(batches.CHAIN, settings=pinned.settings):
        if line["version"] <= pinned.versions.get(line["table"], -1):
            recorded.setdefault(line["table"], []).append(line)
    for line in ledger.lines(batches.CHAIN, settings=pinned.settings):
        newest = pinned.versions.get(line["table"], -1)
        if line["version"] > newest:
            differences.append(
                f"{line['table']} was at version {line['version']} "
                f"({line['rows']:,} rows in it), now it is at {newest}"
            )
    for name, lines in sorted(recorded.items()):
        root = Path(location(table(name), settings=pinned.settings))
        live: dict[str, str | None] = {}
        for line in lines:
            path = root / "_delta_log" / f"{line['version']:020}.json"
            found = batches.file_sha256(path)
            checked += 1
            if found != line["commit_sha256"]:
                what = "is missing" if found is None else "was changed"
                differences.append(f"{name} version {line['version']}: its commit file {what}")
            for removed in line["removed"]:
                live.pop(removed, None)
            fresh = full or line["version"] > since.get(name, -1)
            live |= {path: sha if fresh else None for path, sha in line["added"].items()}
        for relative, sha256 in live.items():
            if sha256 is None:
                continue
            found = batches.file_sha256(root / unquote(relative))
            checked += 1
            if found != sha256:
                what = "is missing" if found is None else "was changed"
                differences.append(f"{name}: the data file {relative} {what}")
    return Equation(
        "R6",
        "commit and data files of all tables = files that the ledger recorded"
        + (" (all)" if full else " (all commits, new data)"),
        f"{checked:,} files",
        f"{checked - len(differences):,} unchanged",
        tuple(differences),
    )


def gold_is_of_one_run(pinned: Pinned) -> Equation:
    """R7: the gold file is the one whose digest its publish recorded."""
    assert pinned.gold is not None
    published = [
        line
        for line in ledger.lines("publishes", settings=pinned.settings)
        if line["kind"] == "published" and line["file"] == pinned.gold.name
    ]
    found = batches.file_sha256(pinned.gold)
    differences = []
    if not published:
        differences.append(f"{pinned.gold.name} was never published by a run")
    elif published[-1]["file_sha256"] != found:
        differences.append(f"{pinned.gold.name} was changed after run {published[-1]['run_id']}")
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
    for chain in ledger.CHAINS:
        differences += ledger.breaks(chain, settings=settings)
    current = _current(settings.gold_dir / CURRENT)
    for chain, head in (current.get("heads") or {}).items():
        hashes = [line.get("sha256") for line in ledger.lines(chain, settings=settings)]
        pinned_lines = head["lines"]
        if pinned_lines and (
            len(hashes) < pinned_lines or hashes[pinned_lines - 1] != head["sha256"]
        ):
            differences.append(
                f"{chain} had {pinned_lines} lines when gold was published, "
                f"it has {len(hashes)} now or others"
            )
    published = [
        line["run_id"]
        for line in ledger.lines("publishes", settings=settings)
        if line["kind"] in ("published", "rolled_back")
    ]
    last = published[-1] if published else None
    if is_published and current.get("run_id") != last:
        differences.append(f"CURRENT points to run {current.get('run_id')}, last published: {last}")
    total = sum(head.lines for head in ledger.heads(settings).values())
    return Equation(
        "R8",
        "ledger lines, each chained to the one before = the heads that CURRENT pins",
        f"{total:,} lines",
        hashlib.sha256(json.dumps(current.get("heads") or {}, sort_keys=True).encode()).hexdigest()[
            :16
        ],
        tuple(differences),
    )


def _current(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
