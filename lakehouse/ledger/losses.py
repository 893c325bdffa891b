"""Records that Kafka lost and somebody gave up, on the record: ranges of offsets with a reason.

In: the chain `operations`. Out: the ranges by partition; R1, R3 and R5 count what lies in them as
"lost, accepted". Written by `lake reset ingest --accept-loss REASON`.
"""

from collections import defaultdict
from collections.abc import Mapping

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.duck import delta_relation, open_lake
from lakehouse.ledger import chain, produced
from lakehouse.settings import Settings
from lakehouse.tables import current_version

CHAIN, KIND = "operations", "accepted_loss"

Place = tuple[str, int]
Span = tuple[int, int]
"""(first offset, end offset exclusive)."""


def accept(lost: Mapping[Place, Span], *, reason: str, settings: Settings) -> None:
    """Record that these ranges of offsets are given up."""
    ranges: dict[str, dict[str, Span]] = {}
    for (topic, partition), span in sorted(lost.items()):
        ranges.setdefault(topic, {})[str(partition)] = span
    line = {"kind": KIND, "ranges": ranges, "reason": reason}
    chain.write(CHAIN, line, settings=settings)


def accepted(settings: Settings) -> dict[Place, list[Span]]:
    """Given up ranges by (topic, partition), in order, without overlap."""
    found: dict[Place, list[Span]] = defaultdict(list)
    for line in chain.lines(CHAIN, settings=settings):
        if line["kind"] == KIND:
            for topic, partitions in line["ranges"].items():
                for partition, (first, end) in partitions.items():
                    found[topic, int(partition)].append((first, end))
    return {place: _merged(spans) for place, spans in sorted(found.items())}


def reasons(settings: Settings) -> list[str]:
    """Why losses were accepted, oldest first, each once."""
    lines = chain.lines(CHAIN, settings=settings)
    return list(dict.fromkeys(line["reason"] for line in lines if line["kind"] == KIND))


def landed_ends(settings: Settings) -> dict[Place, int]:
    """Bronze's highest offset + 1 of each partition that it holds records of."""
    if current_version(BRONZE_EVENTS, settings=settings) is None:
        return {}
    relation = delta_relation(settings, BRONZE_EVENTS.name)
    with open_lake(settings) as lake:
        rows = lake.execute(
            f'select topic, "partition", max("offset") + 1 from {relation} '
            "group by all order by all"
        ).fetchall()
    return {(topic, partition): end for topic, partition, end in rows}


def first_acknowledged(settings: Settings) -> dict[Place, int]:
    """The first offset that our producers were given, by partition: no record lies before it."""
    found: dict[Place, int] = {}
    for line in chain.lines(produced.CHAIN, settings=settings):
        if line["kind"] == "acknowledged":
            for topic, partitions in line["positions"].items():
                for number, (first, _) in partitions.items():
                    place = topic, int(number)
                    found[place] = min(first, found.get(place, first))
    return found


def size(spans: Mapping[Place, list[Span]]) -> int:
    """Offsets in all ranges together."""
    return sum(end - first for found in spans.values() for first, end in found)


def overlap(spans: list[Span], first: int, last: int) -> int:
    """Offsets of `first` to `last`, both inclusive, that lie in the ranges."""
    return sum(max(0, min(end, last + 1) - max(start, first)) for start, end in spans)


def in_words(lost: Mapping[Place, Span]) -> str:
    """Ranges for a message: topic/partition and offsets, both ends inclusive."""
    return "; ".join(
        f"{topic}/{partition} offsets {first} to {end - 1}"
        for (topic, partition), (first, end) in sorted(lost.items())
    )


def _merged(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for first, end in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found
