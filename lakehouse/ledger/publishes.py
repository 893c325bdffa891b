"""The chain of publishes: what was put in service when, and what it was built from.

In: the ledger. Out: the publishes as records, the newest first where one is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lakehouse.ledger import chain, commits
from lakehouse.settings import Settings

CHAIN = "publishes"
SERVING = ("published", "rolled_back")
"""Kinds of lines after which a file is in service."""


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


def last_published(settings: Settings) -> Published | None:
    """The version in service by the ledger; None before the first publish."""
    found = None
    for line in chain.lines(CHAIN, settings=settings):
        if line["kind"] in SERVING:
            found = line
    return _published(found) if found else None


def kept_versions(settings: Settings) -> list[Published]:
    """Versions whose file is still there, the last in service first."""
    newest: dict[str, dict[str, Any]] = {}
    for line in chain.lines(CHAIN, settings=settings):
        if line["kind"] in SERVING:
            newest.pop(line["run_id"], None)
            newest[line["run_id"]] = line
    lines = reversed(newest.values())
    return [_published(each) for each in lines if (settings.gold_dir / each["file"]).is_file()]


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


def next_fence(settings: Settings) -> int:
    """Above every fence that was ever given, also where the pointer was lost or moved back."""
    given = [line.get("fence", 0) for line in chain.lines(CHAIN, settings=settings)]
    return max(given, default=0) + 1
