"""Gold in service: the pointer `gold/CURRENT`, replaced atomically, and the last versions kept.

In: a sealed gold file. Out: the pointer that readers follow. A crash at any step leaves either the
old or the new whole version in service; what it left half done is settled at the next start.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.ledger import chain, publishes
from lakehouse.ledger.publishes import Published
from lakehouse.pointer import CURRENT, current
from lakehouse.settings import Settings

READ_ONLY = 0o444
"""Mode of published files: a database tool that would write to one is refused by the system."""
KEPT_VERSIONS = 3


def put_in_service(built: Path, *, facts: Mapping[str, Any], settings: Settings) -> Path:
    """Give a sealed file its name, flush it, and point to it.

    Args:
        built: The private file, closed and without a write-ahead log.
        facts: What the ledger keeps of this publish; `run_id`, `table_versions` and `fence`, the
            number that it took at its start, among them.
        settings: Where gold lies.

    Raises:
        LakeError: A publish that took its number later was faster; gold in service is its.
    """
    target = settings.gold_dir / built.name
    line = {**facts, "file": target.name}
    publishes.record("intent", line, settings=settings)
    _flush(built)
    built.chmod(READ_ONLY)
    built.replace(target)
    _flush(settings.gold_dir)
    require_newest(line, settings=settings)
    point_to(line, settings=settings)
    publishes.record("published", line, settings=settings)
    drop_old_versions(settings)
    return target


def require_newest(line: Mapping[str, Any], *, settings: Settings) -> None:
    """Stop what was overtaken: the lock was gone round, as on a shared disk."""
    for other in publishes.lines(settings):
        if other["run_id"] != line["run_id"] and other.get("fence", 0) >= line["fence"]:
            publishes.record("abandoned", line, settings=settings)
            drop_old_versions(settings)
            raise LakeError(
                f"Run {line['run_id']} was overtaken by run {other['run_id']} while it worked, and "
                "publishes nothing. Two publishes never run at once in one state folder: find out "
                "who removed the lock, then run `lake publish` again."
            )


def point_to(line: Mapping[str, Any], *, settings: Settings) -> None:
    """Replace the pointer atomically; it pins the heads of all ledger chains."""
    heads = {name: vars(head) for name, head in chain.heads(settings).items()}
    body = {
        "run_id": line["run_id"],
        "file": line["file"],
        "published_at": chain.now(),
        "table_versions": line["table_versions"],
        "rebuilt": line.get("rebuilt") or {},
        "heads": heads,
        "fence": line.get("fence", 0),
        **({"rollback_id": line["rollback_id"]} if "rollback_id" in line else {}),
    }
    settings.gold_dir.mkdir(parents=True, exist_ok=True)
    fresh = settings.gold_dir / f".{CURRENT}.{os.getpid()}"
    fresh.write_text(json.dumps(body, indent=1), encoding="utf-8")
    _flush(fresh)
    fresh.replace(settings.gold_dir / CURRENT)
    _flush(settings.gold_dir)


def is_in_service(published: Published | None, *, settings: Settings) -> bool:
    """Whether the pointer names this publish and its file is there."""
    version = current(settings)
    return (
        published is not None
        and version is not None
        and version.run_id == published.run_id
        and (settings.gold_dir / published.file).is_file()
    )


def settle(settings: Settings) -> str | None:
    """Resolve a publish or rollback that a crash cut short; returns what was done, None if nothing.

    The pointer decides: when it names the run, and the rollback if it was one, that took place and
    only its line is missing; otherwise it did not, and the line says so.
    """
    pending = publishes.cut_short(settings)
    done = None
    for line, end in pending:
        facts = {key: value for key, value in line.items() if key not in _CHAINED}
        version = current(settings)
        now = version.facts if version else {}
        named = [now.get(name) == line.get(name) for name in ("run_id", "rollback_id")]
        kind = end if all(named) else "abandoned"
        publishes.record(kind, facts, settings=settings)
        what = "publish" if line["kind"] == "intent" else "rollback"
        done = f"Run {line['run_id']} was cut short in its {what}: it counts as {kind}."
    if pending:
        drop_old_versions(settings)
    return done


def drop_old_versions(settings: Settings) -> None:
    """Keep the newest gold files and the one in service; the others go."""
    version = current(settings)
    names = [line["file"] for line in reversed(publishes.served(settings))]
    kept = {*list(dict.fromkeys(names))[:KEPT_VERSIONS], version.path.name if version else ""}
    for path in settings.gold_dir.glob("gold-*.duckdb"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


_CHAINED = ("kind", "at", "previous", "sha256")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
