"""What changed and why, in one sentence: how revenue moved, and who moved it.

In: an overview. Out: plain text, for the page and its files. The parts of a change add up to it, so
the largest part with the change's own sign is its main reason, the largest against it a brake.
"""

from collections.abc import Sequence
from decimal import Decimal

from dashboards import formats
from dashboards.queries.executive import EXPLAINED, Overview, Part, known

_WORTH_NAMING = Decimal("0.1")


def sentence(overview: Overview) -> str:
    """One or two sentences; without a whole period to compare with, only what was sold."""
    now = known(overview.now, EXPLAINED)
    told = f"Net revenue was {formats.money(now, places=0)}"
    if overview.before is None or overview.earlier is None:
        return f"{told}. The data holds no whole period to compare it with."
    earlier = overview.earlier
    change = now - known(overview.before, EXPLAINED)
    days = formats.period(earlier.start, earlier.end)
    if not change:
        return f"{told}, as much as {days}."
    word = "more" if change > 0 else "less"
    share = formats.share(abs(change), abs(known(overview.before, EXPLAINED)))
    per_cent = f" ({formats.percent(share)})" if share is not None else ""
    why = [
        _reason(overview.parts[dimension], change, introduction)
        for dimension, introduction in (("country", "mostly"), ("product", "of the products"))
        if overview.part_counts[dimension] > 1
    ]
    reasons = "; ".join(filter(None, why))
    amount = formats.money(abs(change), places=0)
    told = f"{told}, {amount}{per_cent} {word} than {days}"
    return f"{told}: {reasons}. {_orders(overview)}" if reasons else f"{told}. {_orders(overview)}"


def _reason(parts: Sequence[Part], change: Decimal, introduction: str) -> str:
    """The largest part of the change, and the largest against it where it is worth naming."""
    along = [part for part in parts if part.difference * change > 0]
    against = [part for part in parts if part.difference * change < 0]
    if not along:
        return ""
    text = f"{introduction} {_named(along[0])}"
    if against and abs(against[0].difference) > abs(change) * _WORTH_NAMING:
        text += (
            f", held back by {_named(against[0])}"
            if change > 0
            else (f", softened by {_named(against[0])}")
        )
    return text


def _named(part: Part) -> str:
    sign = "+" if part.difference > 0 else ""
    return f"{part.name} ({sign}{formats.money(part.difference, places=0)})"


def _orders(overview: Overview) -> str:
    """Whether there were more orders, or larger ones."""
    before = overview.before or {}
    orders = [int(known(each, "order_count")) for each in (overview.now, before)]
    sizes = [known(each, "average_order_value") for each in (overview.now, before)]
    counts = f"{formats.count(orders[0])} orders after {formats.count(orders[1])}"
    worth = f"{formats.money(sizes[0], places=0)} after {formats.money(sizes[1], places=0)}"
    return f"There were {counts}, worth {worth} on average."
