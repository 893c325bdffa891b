"""The last audited cut: what a publish proved, so that the next audit reads only what came since.

In: the facts that the last publish kept of its audit, and the ledger's lines of commits. Out: a
`Cut`, or none where something else than appends happened since: then everything is read again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lakehouse.contracts import table
from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    CUSTOMERS,
    DUPLICATES,
    ORDER_LINES,
    PRODUCTS,
    QUARANTINE,
    WEB_EVENTS,
)
from lakehouse.ledger import commits, losses
from lakehouse.settings import Settings
from lakehouse.tables import location

if TYPE_CHECKING:
    pass

JUDGED = (BRONZE_EVENTS, ORDER_LINES, WEB_EVENTS, CUSTOMERS, PRODUCTS, DUPLICATES, QUARANTINE)


@dataclass(frozen=True)
class Cut:
    """What was proven up to some table versions, and the files that came since.

    `produced_lines` are the lines of the chain `produced` that the audit saw; `places` records by
    place, `amounts` money found by topic; `added` the data files by table since.
    """

    versions: Mapping[str, int]
    produced_lines: int
    places: Mapping[str, int]
    amounts: Mapping[str, Decimal]
    added: Mapping[str, tuple[str, ...]]


def usable_cut(
    settings: Settings,
    facts: Mapping[str, Any] | None,
    *,
    since: Mapping[str, int],
    versions: Mapping[str, int],
) -> Cut | None:
    """The cut from which an audit may go on; None where it must read everything.

    Args:
        settings: Where the state lies.
        facts: Kept by the last publish.
        since: Table versions of that publish; a table that was rebuilt since is not among them.
        versions: Table versions under audit.
    """
    if not facts or not facts.keys() >= _KEPT or losses.accepted(settings):
        return None
    added: dict[str, tuple[str, ...]] = {}
    lines = commits.commits(settings)
    for each in JUDGED:
        first, last = since.get(each.name), versions[each.name]
        if first is None or first > last:
            return None
        new = [
            line for line in lines if line["table"] == each.name and first < line["version"] <= last
        ]
        if len(new) != last - first or any(line["removed"] for line in new):
            return None
        root = Path(location(table(each.name), settings=settings))
        added[each.name] = tuple(
            str(root / unquote(path)) for line in new for path in line["added"]
        )
    return Cut(
        versions=dict(since),
        produced_lines=facts["produced_lines"],
        places=facts["places"],
        amounts={topic: Decimal(amount) for topic, amount in facts["amounts"].items()},
        added=added,
    )


_KEPT = {"produced_lines", "places", "amounts"}
