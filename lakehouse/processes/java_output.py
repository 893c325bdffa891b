"""The telling line of what a Java program printed before it ended.

In: the lines of its console and its log. Out: one line without prefixes, for a message.
"""

import re
from collections.abc import Sequence
from pathlib import Path

_LONGEST = 300
_REFUSED_OPTION = re.compile(r"^(?:Invalid|Unrecognized|Conflicting|Improperly|Unable to) ")
_CAUSE = re.compile(r"^Caused by: ")
_TELLING = re.compile(r" (?:ERROR|FATAL) |(?:Exception|Error)\b.*: |^Error: |^# .*memory")
_PREFIX = re.compile(r"^\S+ (?:ERROR|FATAL) |^Caused by: |^Exception in thread \S+ | \([\w.$]+\)$")


def telling_line(lines: Sequence[str]) -> str:
    """An option that Java refused, else the root cause, else the last error, else the last line."""
    said = [line.strip() for line in lines if line.strip()]
    for pattern in (_REFUSED_OPTION, _CAUSE, _TELLING):
        if telling := [line for line in said if pattern.search(line)]:
            return _PREFIX.sub("", telling[-1])[:_LONGEST].rstrip(".")
    return said[-1][:_LONGEST].rstrip(".") if said else "it said nothing"


def lines_after(path: Path, *, seen: int = 0) -> list[str]:
    """Lines of a log after byte `seen`, or all of one that has begun again; none without a file."""
    try:
        with path.open("rb") as stream:
            stream.seek(seen if seen <= path.stat().st_size else 0)
            return stream.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return []
