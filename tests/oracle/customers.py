"""Customers: recency, frequency and monetary value, and cohorts (rules 7 and 8).

In: lines. Out: plain values by their keys.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from tests.oracle.lines import Line
from tests.oracle.sales import STEP, Key, Values

SEGMENTS = (
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose_them"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose_them"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal_customers", "loyal_customers"),
    ("promising", "potential_loyalists", "potential_loyalists", *("loyal_customers",) * 2),
    ("new_customers", "potential_loyalists", "potential_loyalists", *("champions",) * 2),
)
"""By score of recency, then of frequency."""


def rfm(lines: Sequence[Line]) -> dict[Key, Values]:
    """By customer: recency in days, orders, amount, the three scores and the segment."""
    snapshot = max(line.day for line in lines) + timedelta(days=1)
    own: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind == "sale" and line.customer is not None:
            own[line.customer].append(line)
    facts = {
        customer: (
            (snapshot - max(line.day for line in group)).days,
            len({(line.source, line.order) for line in group}),
            sum((line.amount for line in group), Decimal(0)),
        )
        for customer, group in own.items()
    }
    ties = sorted(
        facts, key=lambda each: (not each.isdigit(), int(each) if each.isdigit() else 0, each)
    )
    r = _fifths(sorted(ties, key=lambda each: -facts[each][0]))
    f = _fifths(sorted(ties, key=lambda each: facts[each][1]))
    m = _fifths(sorted(ties, key=lambda each: facts[each][2]))
    return {
        (each,): (*facts[each], r[each], f[each], m[each], SEGMENTS[r[each] - 1][f[each] - 1])
        for each in ties
    }


def customer_orders(lines: Sequence[Line]) -> dict[Key, Values]:
    """By customer, source and order with own sale lines: first day, lines, pieces, pounds."""
    own: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind == "sale" and line.customer is not None:
            own[line.customer, line.source, line.order].append(line)
    return {
        key: (
            min(line.day for line in group),
            len(group),
            sum(line.quantity for line in group),
            sum((line.amount for line in group), Decimal(0)),
        )
        for key, group in own.items()
    }


def _fifths(ranked: Sequence[str]) -> Mapping[str, int]:
    """NTILE(5): the first groups take one more where the number is no multiple of five."""
    size, larger = divmod(len(ranked), 5)
    sizes = [size + (group < larger) for group in range(5)]
    scores = [group + 1 for group, count in enumerate(sizes) for _ in range(count)]
    return dict(zip(ranked, scores, strict=True))


def cohorts(lines: Sequence[Line]) -> dict[Key, Values]:
    """By month of the first sale and months since: size, customers who bought, their share."""
    months: dict[str, set[int]] = defaultdict(set)
    for line in lines:
        if line.kind == "sale" and line.customer is not None:
            months[line.customer].add(line.day.year * 12 + line.day.month - 1)
    sizes: dict[int, int] = defaultdict(int)
    active: dict[tuple[int, int], int] = defaultdict(int)
    for own in months.values():
        sizes[min(own)] += 1
        for month in own:
            active[min(own), month - min(own)] += 1
    last = max(max(own) for own in months.values())
    name = "{:04d}-{:02d}".format
    return {
        (name(first // 12, first % 12 + 1), since): (
            size,
            active[first, since],
            (Decimal(active[first, since]) / size).quantize(STEP, "ROUND_HALF_UP"),
        )
        for first, size in sizes.items()
        for since in range(last - first + 1)
    }
