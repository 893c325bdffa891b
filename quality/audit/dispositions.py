"""R4 and R5: every record has exactly one place, and the money of all places adds up.

In: pinned bronze and silver, gold, and the ledger. Out: equations that name positions and amounts.
A record in no place is lost; a redelivered or repeated one that names no accepted record counts as
lost too.
"""

import itertools
from collections import Counter
from decimal import Decimal

from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, ENTITIES, ORDER_LINES, QUARANTINE
from lakehouse.shop_format import counted
from quality.audit.acknowledged import landed_chunks, register_spans
from quality.audit.equation import NAMED, Equation, Pinned, money
from quality.audit.mart_sums import LINE_TOTALS, mart_sums, shown, totals_query
from quality.audit.winners import unnamed_losers


def prepare(pinned: Pinned) -> None:
    """Temporary table `places`: one row per (record, place), with money where there is any.

    From the last audited cut on, where there is one.
    """
    accepted = " union all ".join(
        f"select source_topic as topic, source_partition as part, source_offset as pos, "
        f"'accepted' as place, "
        f"{'sum(line_amount)' if entity is ORDER_LINES else 'null'}::decimal(38,4) as amount "
        f"from {pinned.recent(entity.name)} group by 1, 2, 3"
        for entity in ENTITIES
    )
    pinned.rows(
        f"create or replace temp table places as {accepted} "
        'union all select topic, "partition", "offset", disposition, amount '
        f"from {pinned.recent(DUPLICATES.name)} "
        'union all select topic, "partition", "offset", '
        "case when reason = 'conflict' then 'conflict' else 'quarantined' end, amount "
        f"from {pinned.recent(QUARANTINE.name)} where replayed_at is null"
    )


def every_record_has_one_place(pinned: Pinned) -> Equation:
    """R4: bronze = accepted + redelivered + repeated + conflict + quarantined, disjoint, by day."""
    prepare(pinned)
    bronze = pinned.recent(BRONZE_EVENTS.name)
    lost = pinned.rows(
        f'select topic, "partition", "offset" from {bronze} as b anti join places as p '
        'on p.topic = b.topic and p.part = b."partition" and p.pos = b."offset" '
        f"order by all limit {NAMED + 1}"
    )
    twice = pinned.rows(
        "with crowded as (select topic, part, pos from places group by all having count(*) > 1) "
        "select topic, part, pos, string_agg(place, ' and ' order by place) "
        "from places join crowded using (topic, part, pos) group by 1, 2, 3 "
        f"order by all limit {NAMED + 1}"
    )
    differences = [f"{topic}/{part}/{pos} is lost" for topic, part, pos in lost]
    differences += [f"{topic}/{part}/{pos} is twice: {place}" for topic, part, pos, place in twice]
    strangers = pinned.rows(
        f"select count(distinct (p.topic, p.part, p.pos)) from places as p anti join {bronze} as b "
        'on p.topic = b.topic and p.part = b."partition" and p.pos = b."offset"'
    )[0][0]
    if strangers:
        differences.append(f"{counted(strangers)} records of silver are not in bronze")
    differences += unnamed_losers(pinned)
    total = pinned.rows(f"select count(*) from {pinned.relation(BRONZE_EVENTS.name)}")[0][0]
    counts = Counter(pinned.cut.places if pinned.cut else {})
    counts.update(dict(pinned.rows("select place, count(*) from places group by 1")))
    placed = counts.total()
    parts = ", ".join(f"{place} {counted(number)}" for place, number in sorted(counts.items()))
    if total != placed and not differences:
        differences.append(f"bronze holds {counted(total)} records, silver {counted(placed)}")
    return Equation(
        "R4",
        "records of bronze = accepted + redelivered + repeated + conflict + quarantined",
        f"{counted(total)} records",
        f"{counted(placed)} ({parts})" if parts else "0",
        tuple(differences),
        facts={"places": dict(sorted(counts.items()))},
    )


def money_is_kept(pinned: Pinned) -> Equation:
    """R5: money of acknowledged records = accepted + redelivered + repeated + refused."""
    sent = _acknowledged_amounts(pinned)
    register_spans(pinned)
    found = dict(pinned.cut.amounts) if pinned.cut else {}
    for topic, amount in _amounts_found(pinned, within="acknowledged_spans").items():
        found[topic] = found.get(topic, Decimal(0)) + amount
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
        facts={"amounts": {topic: f"{amount:f}" for topic, amount in sorted(found.items())}},
    )


def _amounts_found(pinned: Pinned, *, within: str) -> dict[str, Decimal]:
    """Money by topic of the placed records whose session and number lie in a table of spans."""
    bronze = pinned.recent(BRONZE_EVENTS.name)
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
    """R5, on to the screens: silver and each mart that states a total of sales state the same."""
    silver = pinned.rows(totals_query(LINE_TOTALS, pinned.relation(ORDER_LINES.name)))[0]
    stated = {
        ORDER_LINES.name: dict(zip(LINE_TOTALS, silver, strict=True)),
        **mart_sums(pinned.require_gold()),
    }
    return [
        Equation(
            "R5",
            f"{name.replace('_', ' ')}: {left} = {right}",
            shown(name, stated[left][name]),
            shown(name, stated[right][name]),
            ()
            if stated[left][name] == stated[right][name]
            else (f"{shown(name, stated[right][name] - stated[left][name])} off in {right}",),
        )
        for name in LINE_TOTALS
        for left, right in itertools.pairwise(each for each in stated if name in stated[each])
    ]


def _acknowledged_amounts(pinned: Pinned) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for chunk in landed_chunks(pinned):
        for topic, amount in chunk["amount_by_topic"].items():
            total[topic] = total.get(topic, Decimal(0)) + Decimal(amount)
    return total
