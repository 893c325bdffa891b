"""R1-R3: what was produced is what landed, once.

In: the pinned bronze table and the ledger. Out: equations that name topic, partition and offsets.
"""

from collections import defaultdict
from typing import Any

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.ledger import losses
from lakehouse.ledger.losses import Place, Span
from lakehouse.shop_format import counted
from quality.audit.acknowledged import (
    SeqSpan,
    acknowledged,
    batch_ranges,
    cut_version,
    landed_chunks,
    register_spans,
)
from quality.audit.equation import Equation, Pinned


def offsets_are_tiled(pinned: Pinned) -> Equation:
    """R1: per partition the batches' offset ranges follow each other without gap or overlap.

    A range whose loss was accepted closes its gap, and is counted by itself.
    """
    spans: dict[Place, list[Span]] = defaultdict(list)
    for _, ranges in batch_ranges(pinned):
        for topic, partitions in ranges.items():
            for number, (start, end) in partitions.items():
                spans[topic, int(number)].append((start, end))
    covered = sum(end - start for found in spans.values() for start, end in found)
    lost = losses.accepted(pinned.settings)
    for place, given_up in lost.items():
        spans[place] += given_up
    differences = [
        f"lost before it was read: {losses.in_words({place: span})}, and Kafka holds it no longer"
        for place, span in sorted((pinned.missing or {}).items())
    ]
    for (topic, partition), found in sorted(spans.items()):
        reached = None
        for start, end in sorted(found):
            if reached is not None and start != reached:
                kind = "gap" if start > reached else "overlap"
                low, high = sorted((start, reached))
                differences.append(f"{kind} in {topic}/{partition}: offsets {low} to {high - 1}")
            reached = max(end, reached or 0)
        landed = (pinned.broker_ends or {}).get((topic, partition))
        if landed is not None and reached is not None and landed < reached:
            differences.append(
                f"{topic}/{partition}: the broker ends at {landed}, bronze at {reached}"
            )
    rows = pinned.rows(f"select count(*) from {pinned.relation(BRONZE_EVENTS.name)}")[0][0]
    if covered != rows:
        differences.append(
            f"the ranges hold {counted(covered)} offsets, bronze {counted(rows)} rows"
        )
    return Equation(
        "R1",
        "offset ranges of all batches, without gap or overlap = rows of bronze",
        f"{counted(covered + losses.size(lost))} offsets",
        f"{counted(rows)} rows{_given_up(pinned, losses.size(lost))}",
        tuple(differences),
    )


def batches_are_whole(pinned: Pinned) -> Equation:
    """R2: each batch holds the rows it states, and no position is there twice.

    Each row lies in the ranges that its batch states, so with R1 no two batches share a position.
    """
    stated: dict[tuple[int, str, int], list[Span]] = defaultdict(list)
    for batch_id, ranges in batch_ranges(pinned, after=cut_version(pinned)):
        for topic, partitions in ranges.items():
            for number, (start, end) in partitions.items():
                stated[batch_id, topic, int(number)].append((start, end))
    batches = pinned.rows(
        'select batch_id, topic, "partition", count(*), count(distinct "offset"), '
        f'min("offset"), max("offset") from {pinned.recent(BRONZE_EVENTS.name)} group by 1, 2, 3'
    )
    wanted: dict[int, int] = defaultdict(int)
    found: dict[int, int] = defaultdict(int)
    for (batch_id, _, _), spans in stated.items():
        wanted[batch_id] += sum(end - start for start, end in spans)
    twice: list[str] = []
    outside: list[str] = []
    for batch_id, topic, partition, rows, distinct, low, high in sorted(batches):
        found[batch_id] += rows
        place = f"{topic}/{partition}"
        if rows != distinct:
            twice.append(f"{place} holds {counted(rows - distinct)} positions twice")
        spans = stated.get((batch_id, topic, partition), [])
        if spans and not (min(spans)[0] <= low and high < max(end for _, end in spans)):
            outside.append(f"batch {batch_id} holds offsets of {place} that it does not state")
    differences = [
        f"batch {batch_id} states {counted(wanted[batch_id])} rows, "
        f"bronze holds {counted(found[batch_id])}"
        for batch_id in sorted(wanted.keys() | found.keys())
        if wanted[batch_id] != found[batch_id]
    ]
    before = [
        sum(end - start for parts in ranges.values() for start, end in parts.values())
        for _, ranges in batch_ranges(pinned, until=cut_version(pinned))
    ]
    return Equation(
        "R2",
        "rows that each ingest batch states = rows it holds, each position once",
        f"{counted(sum(before) + sum(wanted.values()))} in {len(before) + len(wanted)} batches",
        f"{counted(sum(before) + sum(found.values()))} in {len(before) + len(found)} batches",
        (*differences, *twice, *outside),
    )


def acknowledged_is_in_bronze(pinned: Pinned) -> Equation:
    """R3: every acknowledged record up to bronze's end is in bronze, without a hole.

    Chunks that reach beyond bronze's end wait in Kafka for the next ingest: they are no difference.
    """
    chunks, unknown = acknowledged(pinned)
    spans = register_spans(pinned)
    given_up = _given_up_by_span(spans, landed_chunks(pinned))
    relation = pinned.recent(BRONZE_EVENTS.name)
    landed = pinned.rows(
        "select s.session, s.first_seq, s.last_seq, count(distinct b.producer_seq) "
        "from acknowledged_spans as s "
        f"left join {relation} as b on b.producer_session = s.session "
        "and b.producer_seq between s.first_seq and s.last_seq "
        "group by all order by all"
    )
    before = sum(chunk["records"] for chunk, _ in chunks if not chunk["is_new"])
    wanted = before + sum(last - first + 1 for _, first, last in spans)
    waiting = sum(chunk["records"] for chunk, has_landed in chunks if not has_landed)
    holes = {(session, first, last): last - first + 1 - n for session, first, last, n in landed}
    differences = [
        f"session {session[:8]}: of records {first} to {last} only "
        f"{counted(last - first + 1 - hole)} are in bronze"
        for (session, first, last), hole in holes.items()
        if not 0 <= hole <= given_up[session, first, last]
    ]
    return Equation(
        "R3",
        "records that Kafka acknowledged = of these, records in bronze",
        f"{counted(wanted)} records"
        + (f" ({counted(waiting)} more wait for ingest)" if waiting else ""),
        f"{counted(before + sum(row[3] for row in landed))} records"
        + _given_up(pinned, 0 if differences else sum(holes.values())),
        (*differences, *unknown),
        facts={} if pinned.produced_lines is None else {"produced_lines": pinned.produced_lines},
    )


def _given_up_by_span(spans: list[SeqSpan], chunks: list[dict[str, Any]]) -> dict[SeqSpan, int]:
    """Offsets of each span's chunks that were given up."""
    found = dict.fromkeys(spans, 0)
    for chunk in chunks:
        if chunk["lost"]:
            for session, first, last in spans:
                if session == chunk["session"] and first <= chunk["first_seq"] <= last:
                    found[session, first, last] += chunk["lost"]
    return found


def _given_up(pinned: Pinned, number: int) -> str:
    """How a verdict says that losses were accepted, and why."""
    if not number:
        return ""
    return f" and {counted(number)} lost, accepted ({'; '.join(losses.reasons(pinned.settings))})"
