"""Acknowledged chunks of the ledger against bronze's offset ranges: what must have landed.

In: the chains `produced` and `batches`, and the pinned bronze version. Out: chunks that lie before
bronze's end, and which of them no audit has seen there yet.
"""

import itertools
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.ledger import chain, commits, losses, produced
from lakehouse.ledger.losses import Place
from quality.audit.equation import Pinned

SeqSpan = tuple[str, int, int]


def landed_chunks(pinned: Pinned) -> list[dict[str, Any]]:
    """Ledger lines of the acknowledged chunks that lie wholly before bronze's end.

    Added to a line are its `positions`; `lost`, how many of its offsets were given up at most; and
    `is_new`, false where the last audit, from which this one goes on, has seen it in bronze.
    """
    return [chunk for chunk, has_landed in acknowledged(pinned)[0] if has_landed]


def register_spans(pinned: Pinned) -> list[SeqSpan]:
    """(session, first seq, last seq) of new landed chunks, also as table `acknowledged_spans`."""
    spans: list[SeqSpan] = []
    for chunk in (each for each in landed_chunks(pinned) if each["is_new"]):
        session, first, last = chunk["session"], chunk["first_seq"], chunk["last_seq"]
        if spans and spans[-1][0] == session and spans[-1][2] + 1 == first:
            spans[-1] = (session, spans[-1][1], last)
        else:
            spans.append((session, first, last))
    pinned.rows(
        "create or replace temp table acknowledged_spans "
        "(session varchar, first_seq bigint, last_seq bigint)"
    )
    if spans:
        pinned.lake.executemany("insert into acknowledged_spans values (?, ?, ?)", spans)
    return spans


def acknowledged(pinned: Pinned) -> tuple[list[tuple[dict[str, Any], bool]], list[str]]:
    """Acknowledged chunks, each with whether it landed, and what no line of the ledger opens."""
    lost = losses.accepted(pinned.settings)
    ends, audited_ends = _ends(pinned), _ends(pinned, until=cut_version(pinned))
    audited = pinned.cut.produced_lines if pinned.cut else 0
    opened: dict[tuple[str, int], dict[str, Any]] = {}
    chunks: list[tuple[dict[str, Any], bool]] = []
    unknown: list[str] = []
    lines = chain.lines(produced.CHAIN, settings=pinned.settings)
    for number, line in enumerate(itertools.islice(lines, pinned.produced_lines), start=1):
        if line["kind"] == "chunk":
            opened[line["session"], line["chunk"]] = line
        elif line["kind"] == "acknowledged":
            chunk = opened.get((line["session"], line["chunk"]))
            if chunk is None:
                name = line["session"][:8]
                unknown.append(f"session {name}: no line opens chunk {line['chunk']}")
                continue
            has_landed = _is_before(ends, line["positions"])
            is_new = number > audited or not _is_before(audited_ends, line["positions"])
            given_up = sum(
                losses.overlap(lost.get((topic, int(partition)), []), first, last)
                for topic, partitions in line["positions"].items()
                for partition, (first, last) in partitions.items()
            )
            facts = {"positions": line["positions"], "lost": given_up, "is_new": is_new}
            chunks.append(({**chunk, **facts}, has_landed))
    return chunks, unknown


def _is_before(ends: Mapping[Place, int], positions: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether all records of a chunk lie before these ends."""
    return all(
        last < ends[topic, int(partition)]
        for topic, partitions in positions.items()
        for partition, (_, last) in partitions.items()
    )


def _ends(pinned: Pinned, *, until: int | None = None) -> dict[Place, int]:
    """End offset of bronze by partition, given up ranges included."""
    ends: dict[Place, int] = defaultdict(int)
    for place, spans in losses.accepted(pinned.settings).items():
        ends[place] = spans[-1][1]
    for _, ranges in batch_ranges(pinned, until=until):
        for topic, partitions in ranges.items():
            for partition, (_, end) in partitions.items():
                ends[topic, int(partition)] = max(ends[topic, int(partition)], end)
    return ends


def reaches_behind(pinned: Pinned) -> bool:
    """Whether a chunk that no audit saw yet has records before the cut, which is not read then."""
    ends = _ends(pinned, until=cut_version(pinned))
    return any(
        first < ends[topic, int(partition)]
        for chunk, _ in acknowledged(pinned)[0]
        if chunk["is_new"]
        for topic, partitions in chunk["positions"].items()
        for partition, (first, _) in partitions.items()
    )


def cut_version(pinned: Pinned) -> int:
    """Bronze's version up to which the last audit vouches; -1 where everything is read."""
    return pinned.cut.versions[BRONZE_EVENTS.name] if pinned.cut else -1


def batch_ranges(
    pinned: Pinned, *, after: int = -1, until: int | None = None
) -> list[tuple[int, dict[str, dict[str, Any]]]]:
    """(batch id, ranges) of each bronze commit up to the pinned version, or `until`."""
    newest = pinned.versions[BRONZE_EVENTS.name] if until is None else until
    return [
        (line["batch_id"], line["ranges"])
        for line in chain.lines(commits.CHAIN, settings=pinned.settings)
        if line["table"] == BRONZE_EVENTS.name
        and after < line["version"] <= newest
        and "ranges" in line
    ]
