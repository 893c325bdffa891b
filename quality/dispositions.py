"""R4 and R5: every record has exactly one place, and the money of all places adds up.

In: pinned bronze and silver, gold, and the ledger. Out: equations that name positions and amounts.
A record in no place is lost; a redelivered or repeated one that names no accepted record counts as
lost too.
"""

import itertools
from decimal import Decimal

from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    CUSTOMERS,
    DUPLICATES,
    ORDER_LINES,
    PRODUCTS,
    QUARANTINE,
    WEB_EVENTS,
)
from lakehouse.contracts.topics import ERP_INVOICE_LINES
from quality.equations import NAMED, Equation, Pinned, money
from quality.landing import landed_chunks, register_spans
from quality.mart_sums import BOTH, SILVER_SUMS, mart_sums

_ENTITIES = (ORDER_LINES, WEB_EVENTS, CUSTOMERS, PRODUCTS)


def prepare(pinned: Pinned) -> None:
    """Temporary table `places`: one row per (record, place), with money where there is any."""
    accepted = " union all ".join(
        f"select source_topic, source_partition, source_offset, 'accepted', "
        f"{'sum(line_amount)' if entity is ORDER_LINES else 'null::decimal(38,4)'} "
        f"from {pinned.relation(entity.name)} group by 1, 2, 3"
        for entity in _ENTITIES
    )
    pinned.rows(
        "create or replace temp table places as "
        "select column0 as topic, column1 as part, column2 as pos, column3 as place, "
        "column4::decimal(38,4) as amount from ("
        f"select source_topic as column0, source_partition as column1, source_offset as column2, "
        f"'' as column3, null::decimal(38,4) as column4 "
        f"from {pinned.relation(ORDER_LINES.name)} where false union all {accepted} "
        f'union all select topic, "partition", "offset", disposition, amount '
        f"from {pinned.relation(DUPLICATES.name)} "
        f'union all select topic, "partition", "offset", '
        f"case when reason = 'conflict' then 'conflict' else 'quarantined' end, amount "
        f"from {pinned.relation(QUARANTINE.name)} where replayed_at is null)"
    )


def every_record_has_one_place(pinned: Pinned) -> Equation:
    """R4: bronze = accepted + redelivered + repeated + conflict + quarantined, disjoint, by day."""
    prepare(pinned)
    bronze = pinned.relation(BRONZE_EVENTS.name)
    pinned.rows(
        "create or replace temp table placed as "
        "select topic, part, pos, count(*) as places, "
        "string_agg(place, ' and ' order by place) as place from places group by all"
    )
    odd = pinned.rows(
        'select b.topic, b."partition", b."offset", coalesce(p.place, \'nowhere\') '
        f"from {bronze} as b left join placed as p "
        'on p.topic = b.topic and p.part = b."partition" and p.pos = b."offset" '
        f"where coalesce(p.places, 0) != 1 order by all limit {NAMED + 1}"
    )
    differences = [
        f"{topic}/{part}/{pos} is {'lost' if place == 'nowhere' else 'twice: ' + place}"
        for topic, part, pos, place in odd
    ]
    strangers = pinned.rows(
        f"select count(*) from placed as p anti join {bronze} as b "
        'on p.topic = b.topic and p.part = b."partition" and p.pos = b."offset"'
    )[0][0]
    if strangers:
        differences.append(f"{strangers:,} records of silver are not in bronze")
    differences += _unnamed_losers(pinned)
    days = pinned.rows(f"select count(*), count(distinct kafka_at::date) from {bronze}")[0]
    counts = dict(pinned.rows("select place, count(*) from places group by 1 order by 1"))
    parts = ", ".join(f"{place} {number:,}" for place, number in counts.items())
    if days[0] != sum(counts.values()) and not differences:
        differences.append(f"bronze holds {days[0]:,} records, silver {sum(counts.values()):,}")
    return Equation(
        "R4",
        "records of bronze = accepted + redelivered + repeated + conflict + quarantined",
        f"{days[0]:,} records",
        f"{sum(counts.values()):,} ({parts})" if parts else "0",
        tuple(differences),
    )


def _unnamed_losers(pinned: Pinned) -> list[str]:
    erp = ERP_INVOICE_LINES.name
    found = pinned.rows(
        "with accepted as ("
        + " union ".join(
            f"select case when source_topic = '{erp}' "
            "then regexp_replace(event_id, '^([0-9a-f]{64})-[0-9]+$', '\\1') "
            f"else event_id end as identity from {pinned.relation(entity.name)}"
            for entity in _ENTITIES
        )
        + f') select d.topic, d."partition", d."offset", d.disposition '
        f"from {pinned.relation(DUPLICATES.name)} as d anti join accepted as a using (identity) "
        f"order by all limit {NAMED}"
    )
    return [
        f"{topic}/{part}/{pos} is {disposition} but the record it repeats is not accepted"
        for topic, part, pos, disposition in found
    ]


def money_is_kept(pinned: Pinned) -> Equation:
    """R5: money of acknowledged records = accepted + redelivered + repeated + refused."""
    sent = _acknowledged_amounts(pinned)
    register_spans(pinned)
    found = _amounts_found(pinned, within="acknowledged_spans")
    lost = _amounts_given_up(pinned)
    differences = [
        f"{topic}: acknowledged {money(sent.get(topic))}, found {money(found.get(topic))}"
        for topic in sorted(sent.keys() | found.keys())
        if sent.get(topic, Decimal(0)) - lost.get(topic, Decimal(0)) != found.get(topic, Decimal(0))
    ]
    given_up = sum(lost.values(), Decimal(0))
    return Equation(
        "R5",
        "money of acknowledged records = accepted + redelivered + repeated + refused",
        money(sum(sent.values(), Decimal(0))),
        money(sum(found.values(), Decimal(0)))
        + (f" and {money(given_up)} lost, accepted" if given_up else ""),
        tuple(differences),
    )


def _amounts_found(pinned: Pinned, *, within: str) -> dict[str, Decimal]:
    """Money by topic of the placed records whose session and number lie in a table of spans."""
    bronze = pinned.relation(BRONZE_EVENTS.name)
    return dict(
        pinned.rows(
            "select p.topic, coalesce(sum(p.amount), 0)::decimal(38,4) from places as p "
            f'join {bronze} as b on p.topic = b.topic and p.part = b."partition" '
            f'and p.pos = b."offset" join {within} as s on b.producer_session = s.session '
            "and b.producer_seq between s.first_seq and s.last_seq group by 1"
        )
    )


def _amounts_given_up(pinned: Pinned) -> dict[str, Decimal]:
    """Money by topic of records whose loss was accepted.

    The ledger knows the money of a chunk, not of its records: what a chunk with lost records
    lacks is what was lost.
    """
    chunks = [chunk for chunk in landed_chunks(pinned) if chunk["lost"]]
    if not chunks:
        return {}
    pinned.rows(
        "create or replace temp table spans_with_losses "
        "(session varchar, first_seq bigint, last_seq bigint)"
    )
    pinned.lake.executemany(
        "insert into spans_with_losses values (?, ?, ?)",
        [(chunk["session"], chunk["first_seq"], chunk["last_seq"]) for chunk in chunks],
    )
    found = _amounts_found(pinned, within="spans_with_losses")
    lost: dict[str, Decimal] = {}
    for chunk in chunks:
        for topic, amount in chunk["amount_by_topic"].items():
            lost[topic] = lost.get(topic, Decimal(0)) + Decimal(amount)
    return {topic: amount - found.get(topic, Decimal(0)) for topic, amount in lost.items()}


def gold_equals_silver(pinned: Pinned) -> list[Equation]:
    """R5, on to the screens: gross and cancelled sums are the same in silver and in each mart."""
    sides = [(ORDER_LINES.name, _silver_sums(pinned)), *mart_sums(pinned.require_gold()).items()]
    return [
        Equation(
            "R5",
            f"{name} amount: {left[0]} = {right[0]}",
            money(left[1][name]),
            money(right[1][name]),
            ()
            if left[1][name] == right[1][name]
            else (f"{money(right[1][name] - left[1][name])} off in {right[0]}",),
        )
        for left, right in itertools.pairwise(sides)
        for name in BOTH
    ]


def _silver_sums(pinned: Pinned) -> dict[str, Decimal]:
    lines = pinned.relation(ORDER_LINES.name)
    sums = pinned.rows(f"select {SILVER_SUMS} from {lines}")[0]
    return dict(zip(BOTH, sums, strict=True))


def _acknowledged_amounts(pinned: Pinned) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for chunk in landed_chunks(pinned):
        for topic, amount in chunk["amount_by_topic"].items():
            total[topic] = total.get(topic, Decimal(0)) + Decimal(amount)
    return total
