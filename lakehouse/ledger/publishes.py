"""The only reader of the chain of publishes: what came into service when, and what it was built of.

In: the ledger. Out: the publishes as records, and the lines behind them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lakehouse.ledger import chain, commits
from lakehouse.settings import Settings

CHAIN = "publishes"
_BEGUN = {"intent": "published", "rollback_intent": "rolled_back"}
"""Kinds of lines that announce a change of gold in service, and the kind that ends each."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """The last publish as the ledger has it: what later runs compare themselves with."""

    run_id: str
    file: str
    table_versions: Mapping[str, int]
    rows: Mapping[str, int]
    refined_batch: int
    published_at: str
    rebuilt: Mapping[str, int] = field(default_factory=dict)
    audited: Mapping[str, Any] = field(default_factory=dict)
    first_published_at: str = ""
    file_sha256: str = ""
    gold: Mapping[str, Any] = field(default_factory=dict)

    def comparable_versions(self, settings: Settings) -> dict[str, int]:
        """Table versions but for those of tables that were rebuilt since: theirs mean nothing."""
        return commits.comparable(self.table_versions, self.rebuilt, settings=settings)


def record(kind: str, facts: Mapping[str, Any], *, settings: Settings) -> None:
    """Write a line of a publish or rollback."""
    chain.write(CHAIN, {**facts, "kind": kind}, settings=settings)


def lines(settings: Settings, *kinds: str, run_id: str | None = None) -> list[Line]:
    """Lines of these kinds, or of all, oldest first; those of one run where one is named."""
    return [
        line
        for line in chain.lines(CHAIN, settings=settings)
        if (not kinds or line["kind"] in kinds) and run_id in (None, line["run_id"])
    ]


def served(settings: Settings) -> list[Line]:
    """The lines by which files came into service, oldest first."""
    return lines(settings, *_BEGUN.values())


def last_published(settings: Settings) -> Published | None:
    """The version in service by the ledger; None before the first publish."""
    found = served(settings)
    return _published(found[-1]) if found else None


def kept_versions(settings: Settings) -> list[Published]:
    """Versions whose file is still there, the last in service first."""
    newest: dict[str, Line] = {}
    for line in reversed(served(settings)):
        newest.setdefault(line["run_id"], line)
    return [
        _published(line) for line in newest.values() if (settings.gold_dir / line["file"]).is_file()
    ]


def cut_short(settings: Settings) -> list[tuple[Line, str]]:
    """Begun publishes and rollbacks that no line ends, each with the kind that would end it."""
    pending: dict[str, tuple[Line, str]] = {}
    for line in lines(settings):
        if line["kind"] in _BEGUN:
            pending[line["run_id"]] = (line, _BEGUN[line["kind"]])
        else:
            pending.pop(line["run_id"], None)
    return list(pending.values())


def next_fence(settings: Settings) -> int:
    """Above every fence that was ever given, also where the pointer was lost or moved back."""
    return max((line.get("fence", 0) for line in lines(settings)), default=0) + 1


def _published(line: Mapping[str, Any]) -> Published:
    return Published(
        line["run_id"],
        line["file"],
        line["table_versions"],
        line["rows"],
        line["refined_batch"],
        line["at"],
        line.get("rebuilt") or {},
        line.get("audited") or {},
        line.get("first_published_at") or line["at"],
        line.get("file_sha256") or "",
        line.get("gold") or {},
    )
