"""The ledger: append-only lines that say what was produced, landed, done and published.

In: facts. Out: one JSON line each, chained by SHA-256, flushed to disk before the call returns. The
published pointer pins the head of every chain, so that a missing last line shows too.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.errors import CheckFailed
from lakehouse.settings import Settings

CHAINS = ("produced", "batches", "operations", "publishes", "restatements", "models")
GENESIS = "0" * 64


@dataclass(frozen=True)
class Head:
    """Last line of a chain: how many lines it has and the last one's hash."""

    lines: int
    sha256: str


def now() -> str:
    """The present time in UTC, RFC 3339 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def chain_path(chain: str, *, settings: Settings) -> Path:
    """File of a chain."""
    return settings.ledger_dir / f"{chain}.jsonl"


def write(chain: str, *bodies: Mapping[str, Any], settings: Settings) -> None:
    """Append lines to a chain and flush them to disk; safe between processes."""
    if not bodies:
        return
    path = chain_path(chain, settings=settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        previous = _last_hash(handle, path)
        lines = bytearray()
        for body in bodies:
            line = {**body, "at": body.get("at") or now(), "previous": previous}
            previous = line["sha256"] = line_hash(line)
            lines += json.dumps(line, sort_keys=True, ensure_ascii=False).encode() + b"\n"
        handle.seek(0, os.SEEK_END)
        handle.write(lines)
        handle.flush()
        os.fsync(handle.fileno())


def lines(chain: str, *, settings: Settings) -> Iterator[dict[str, Any]]:
    """Lines of a chain, oldest first; a torn last line is not a line yet."""
    path = chain_path(chain, settings=settings)
    if not path.exists():
        return
    with path.open("rb") as handle:
        for number, raw in enumerate(handle, start=1):
            if not raw.endswith(b"\n"):
                return
            try:
                found = json.loads(raw)
            except ValueError:
                raise CheckFailed(
                    f"Line {number} of the ledger {path} is no JSON: it was changed by hand. "
                    "Restore the file from a backup; `lake audit` shows what it must hold."
                ) from None
            yield found


def heads(settings: Settings) -> dict[str, Head]:
    """Head of every chain."""
    found = {}
    for chain in CHAINS:
        head = Head(0, GENESIS)
        for line in lines(chain, settings=settings):
            head = Head(head.lines + 1, str(line.get("sha256")))
        found[chain] = head
    return found


def breaks(chain: str, *, settings: Settings) -> list[str]:
    """What is wrong with a chain: changed, missing or reordered lines; empty when intact."""
    previous = GENESIS
    for number, line in enumerate(lines(chain, settings=settings), start=1):
        if line.get("previous") != previous:
            return [f"{chain} line {number} does not follow the line before it"]
        if line_hash(line) != line.get("sha256"):
            return [f"{chain} line {number} was changed"]
        previous = line["sha256"]
    return []


def line_hash(line: Mapping[str, Any]) -> str:
    """SHA-256 of a line without its own hash, in canonical JSON."""
    body = {key: value for key, value in line.items() if key != "sha256"}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _last_hash(handle: Any, path: Path) -> str:
    """Hash of the last whole line; a line torn by a crash is cut off, for it never counted."""
    end = handle.seek(0, os.SEEK_END)
    if end == 0:
        return GENESIS
    window = min(end, 1 << 20)
    handle.seek(end - window)
    tail = handle.read(window)
    whole = tail.rfind(b"\n") + 1
    if whole != len(tail):
        handle.truncate(end - window + whole)
    rows = tail[:whole].splitlines()
    if not rows:
        return GENESIS
    try:
        return str(json.loads(rows[-1])["sha256"])
    except (ValueError, KeyError):
        raise CheckFailed(
            f"The last line of the ledger {path} is damaged. Restore it from a backup."
        ) from None
