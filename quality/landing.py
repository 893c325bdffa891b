"""R1-R3: what was produced is what landed, once.

In: the pinned bronze table and the ledger. Out: equations that name topic, partition and offsets.
"""

from collections import defaultdict
from typing import Any

from lakehouse.contracts.tables import BRONZE_EVENTS
from quality import batches, ledger, losses, produced
from quality.equations import Equation, Pinned
from quality.losses import Place, Span

SeqSpan = tuple[str, int, int]


def offsets_are_tiled(pinned: Pinned) -> Equation:
    """R1: per partition the batches' offset ranges follow each other without gap or overlap.

    A range whose loss was accepted closes its gap, and is counted by itself.
    """
    spans: dict[Place, list[Span]] = defaultdict(list)
    for _, ranges in _batch_ranges(pinned):
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
        differences.append(f"the ranges hold {covered:,} offsets, bronze {rows:,} rows")
    return Equation(
        "R1",
        "offset ranges of all batches, without gap or overlap = rows of bronze",
        f"{covered + losses.size(lost):,} offsets",
        f"{rows:,} rows{_given_up(pinned, losses.size(lost))}",
        tuple(differences),
    )


def batches_are_whole(pinned: Pinned) -> Equation:
    """R2: each batch holds the rows it states, and no position is there twice."""
    stated: dict[int, int] = defaultdict(int)
    for batch_id, ranges in _batch_ranges(pinned):
        stated[batch_id] += sum(
            end - start for parts in ranges.values() for start, end in parts.values()
        )
    relation = pinned.relation(BRONZE_EVENTS.name)
    counted = pinned.rows(f"select batch_id, count(*) from {relation} group by 1")
    found: dict[int, int] = defaultdict(int, counted)
    differences = [
        f"batch {batch_id} states {stated[batch_id]:,} rows, bronze holds {found[batch_id]:,}"
        for batch_id in sorted(stated.keys() | found.keys())
        if stated[batch_id] != found[batch_id]
    ]
    twice = pinned.rows(
        f'select topic, "partition", count(*), count(distinct "offset") from {relation} '
        'group by all having count(*) != count(distinct "offset") order by all'
    )
    differences += [
        f"{topic}/{partition} holds {rows - distinct:,} positions twice"
        for topic, partition, rows, distinct in twice
    ]
    return Equation(
        "R2",
        "rows that each ingest batch states = rows it holds, each position once",
        f"{sum(stated.values()):,} in {len(stated)} batches",
        f"{sum(found.values()):,} in {len(found)} batches",
        tuple(differences),
    )


def acknowledged_is_in_bronze(pinned: Pinned) -> Equation:
    """R3: every acknowledged record up to bronze's end is in bronze, without a hole.

    Chunks that reach beyond bronze's end wait in Kafka for the next ingest: they are no difference.
    """
    chunks, unknown = _acknowledged(pinned)
    spans = register_spans(pinned)
    given_up = _given_up_by_span(spans, landed_chunks(pinned))
    relation = pinned.relation(BRONZE_EVENTS.name)
    landed = pinned.rows(
        "select s.session, s.first_seq, s.last_seq, count(distinct b.producer_seq) "
        "from acknowledged_spans as s "
        f"left join {relation} as b on b.producer_session = s.session "
        "and b.producer_seq between s.first_seq and s.last_seq "
        "group by all order by all"
    )
    wanted = sum(last - first + 1 for _, first, last in spans)
    waiting = sum(chunk["records"] for chunk, has_landed in chunks if not has_landed)
    holes = {(session, first, last): last - first + 1 - n for session, first, last, n in landed}
    differences = [
        f"session {session[:8]}: of records {first} to {last} only {last - first + 1 - hole:,} "
        "are in bronze"
        for (session, first, last), hole in holes.items()
        if not 0 <= hole <= given_up[session, first, last]
    ]
    return Equation(
        "R3",
        "records that Kafka acknowledged = of these, records in bronze",
        f"{wanted:,} records" + (f" ({waiting:,} more wait for ingest)" if waiting else ""),
        f"{sum(row[3] for row in landed):,} records"
        + _given_up(pinned, 0 if differences else sum(holes.values())),
        (*differences, *unknown),
    )


def landed_chunks(pinned: Pinned) -> list[dict[str, Any]]:
    """Ledger lines of the acknowledged chunks that lie wholly before bronze's end.

    `lost` is added to a line: how many of the chunk's offsets were given up at most.
    """
    return [chunk for chunk, has_landed in _acknowledged(pinned)[0] if has_landed]


def register_spans(pinned: Pinned) -> list[SeqSpan]:
    """(session, first seq, last seq) of landed chunks, also as the table `acknowledged_spans`."""
    spans: list[SeqSpan] = []
    for chunk in landed_chunks(pinned):
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


def _acknowledged(pinned: Pinned) -> tuple[list[tuple[dict[str, Any], bool]], list[str]]:
    """Acknowledged chunks, each with whether it landed, and what no line of the ledger opens."""
    ends: dict[Place, int] = defaultdict(int)
    lost = losses.accepted(pinned.settings)
    for place, spans in lost.items():
        ends[place] = spans[-1][1]
    for _, ranges in _batch_ranges(pinned):
        for topic, partitions in ranges.items():
            for partition, (_, end) in partitions.items():
                ends[topic, int(partition)] = max(ends[topic, int(partition)], end)
    opened: dict[tuple[str, int], dict[str, Any]] = {}
    chunks: list[tuple[dict[str, Any], bool]] = []
    unknown: list[str] = []
    for line in ledger.lines(produced.CHAIN, settings=pinned.settings):
        if line["kind"] == "chunk":
            opened[line["session"], line["chunk"]] = line
        elif line["kind"] == "acknowledged":
            chunk = opened.get((line["session"], line["chunk"]))
            if chunk is None:
                name = line["session"][:8]
                unknown.append(f"session {name}: no line opens chunk {line['chunk']}")
                continue
            has_landed = all(
                last < ends[topic, int(partition)]
                for topic, partitions in line["positions"].items()
                for partition, (_, last) in partitions.items()
            )
            given_up = sum(
                losses.overlap(lost.get((topic, int(partition)), []), first, last)
                for topic, partitions in line["positions"].items()
                for partition, (first, last) in partitions.items()
            )
            chunks.append(({**chunk, "lost": given_up}, has_landed))
    return chunks, unknown


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
    return f" and {number:,} lost, accepted ({'; '.join(losses.reasons(pinned.settings))})"


def _batch_ranges(pinned: Pinned) -> list[tuple[int, dict[str, dict[str, Any]]]]:
    """(batch id, ranges) of each bronze commit up to the pinned version."""
    newest = pinned.versions[BRONZE_EVENTS.name]
    return [
        (line["batch_id"], line["ranges"])
        for line in ledger.lines(batches.CHAIN, settings=pinned.settings)
        if line["table"] == BRONZE_EVENTS.name and line["version"] <= newest and "ranges" in line
    ]
