"""An independent answer: every figure of money and counts again, in plain Python over raw input.

In: the rows of an ERP extract as texts, and the web shop's messages as JSON. Out: what gold must
hold, under the rules of docs/data.md. It imports nothing of the platform, so that no mistake can
be made twice.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

Row = tuple[str | None, ...]
Key = tuple[object, ...]
Values = tuple[object, ...]
SHOP = ZoneInfo("Europe/London")
STEP = Decimal("0.0001")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Line:
    """An order line that counts. `kind` is its class; `amount` is exact pounds."""

    source: str
    order: str
    kind: str
    customer: str | None
    country: str
    day: date
    quantity: int
    amount: Decimal


def erp_lines(rows: Iterable[Row]) -> list[Line]:
    """Lines of an extract whose rows are all sound; equal rows count once (rules 1 and 2)."""
    found = []
    for number, _, _, pieces, when, price, customer, country in dict.fromkeys(rows):
        if None in (number, pieces, when, price):
            raise ValueError("the oracle counts sound rows only")
        quantity, unit_price = int(str(pieces)), Decimal(str(price))
        invoice = str(number)
        kind = _kind(invoice[0] == "A", invoice[0] == "C", quantity, unit_price)
        day = date.fromisoformat(str(when)[:10])
        amount = quantity * unit_price
        found.append(
            Line("erp", invoice, kind, customer, country or "Unspecified", day, quantity, amount)
        )
    return found


def web_lines(messages: Iterable[bytes]) -> list[Line]:
    """Lines of the web shop's orders; a message that comes again counts once."""
    orders = {}
    for each in messages:
        body = json.loads(each)
        orders.setdefault(body["event_id"], body)
    found = []
    for order in orders.values():
        at = datetime.fromisoformat(order["occurred_at"].replace("Z", "+00:00"))
        for line in order["lines"]:
            quantity, price = line["quantity"], Decimal(line["unit_price"])
            kind = _kind(False, order["order_kind"] == "cancellation", quantity, price)
            day, amount = at.astimezone(SHOP).date(), quantity * price
            who = (order["customer_id"], order["country"], day)
            found.append(Line("web", order["order_id"], kind, *who, quantity, amount))
    return found


def _kind(is_adjustment: bool, is_cancellation: bool, quantity: int, price: Decimal) -> str:
    if is_adjustment:
        return "adjustment"
    if is_cancellation:
        return "cancellation"
    if quantity < 0:
        return "stock_movement"
    return "zero_price" if price == 0 else "sale"


def daily_sales(lines: Iterable[Line]) -> dict[Key, Values]:
    """By day, source and country: orders, sale lines, pieces, gross, cancelled, net."""
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind in ("sale", "cancellation"):
            groups[line.day, line.source, line.country].append(line)
    return {key: _sums(group) for key, group in groups.items()}


def _sums(lines: Sequence[Line]) -> Values:
    sales = [line for line in lines if line.kind == "sale"]
    gross = sum((line.amount for line in sales), ZERO)
    cancelled = sum((line.amount for line in lines if line.kind == "cancellation"), ZERO)
    orders = len({(line.source, line.order) for line in sales})
    return (
        orders,
        len(sales),
        sum(line.quantity for line in sales),
        gross,
        cancelled,
        gross + cancelled,
    )


def daily_kpis(lines: Sequence[Line]) -> dict[tuple[date, str], Decimal]:
    """By day and KPI, for each day from the first line to the last; no value is no entry."""
    by_day: dict[date, list[Line]] = defaultdict(list)
    first_sale: dict[str, date] = {}
    for line in lines:
        by_day[line.day].append(line)
        if line.kind == "sale" and line.customer is not None:
            first_sale[line.customer] = min(line.day, first_sale.get(line.customer, line.day))
    found = {}
    day = min(by_day)
    while day <= max(by_day):
        orders, _, pieces, gross, cancelled, net = _sums(by_day.get(day, []))
        active = {line.customer for line in by_day.get(day, []) if line.kind == "sale"} - {None}
        fresh = {each for each in active if first_sale[str(each)] == day}
        values = {
            "gross_revenue": gross,
            "cancelled_amount": cancelled,
            "net_revenue": net,
            "order_count": orders,
            "average_order_value": _ratio(gross, orders),
            "item_quantity": pieces,
            "return_rate": _ratio(-Decimal(str(cancelled)), gross),
            "active_customers": len(active),
            "new_customers": len(fresh),
            "repeat_rate": _ratio(len(active) - len(fresh), len(active)),
        }
        found |= {(day, kpi): Decimal(str(v)) for kpi, v in values.items() if v is not None}
        day += timedelta(days=1)
    return found


def rfm(lines: Sequence[Line]) -> dict[str, Values]:
    """By customer: recency in days, orders, amount and the three scores (rule 8)."""
    snapshot = max(line.day for line in lines) + timedelta(days=1)
    own: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind == "sale" and line.customer is not None:
            own[line.customer].append(line)
    facts = {
        customer: (
            (snapshot - max(line.day for line in group)).days,
            len({(line.source, line.order) for line in group}),
            sum((line.amount for line in group), ZERO),
        )
        for customer, group in own.items()
    }
    ties = sorted(
        facts, key=lambda each: (not each.isdigit(), int(each) if each.isdigit() else 0, each)
    )
    r = _fifths(sorted(ties, key=lambda each: -facts[each][0]))
    f = _fifths(sorted(ties, key=lambda each: facts[each][1]))
    m = _fifths(sorted(ties, key=lambda each: facts[each][2]))
    return {each: (*facts[each], r[each], f[each], m[each]) for each in ties}


def _fifths(ranked: Sequence[str]) -> Mapping[str, int]:
    """NTILE(5): the first groups take one more where the number is no multiple of five."""
    size, larger = divmod(len(ranked), 5)
    sizes = [size + (group < larger) for group in range(5)]
    scores = [group + 1 for group, count in enumerate(sizes) for _ in range(count)]
    return dict(zip(ranked, scores, strict=True))


def cohorts(lines: Sequence[Line]) -> dict[tuple[str, int], tuple[int, int]]:
    """By month of the first sale and months since: size of the cohort, customers who bought."""
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
        (name(first // 12, first % 12 + 1), since): (size, active[first, since])
        for first, size in sizes.items()
        for since in range(last - first + 1)
    }


def _ratio(part: object, whole: object) -> Decimal | None:
    base = Decimal(str(whole))
    return (Decimal(str(part)) / base).quantize(STEP, ROUND_HALF_UP) if base > 0 else None
