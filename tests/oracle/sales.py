"""Sales by day, month and product, and the KPIs of each day (rules 4 to 6).

In: lines, and the web shop's visits. Out: plain values by their keys.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.oracle.lines import Line
from tests.oracle.visits import Visits

Key = tuple[object, ...]
Values = tuple[object, ...]
STEP = Decimal("0.0001")
ZERO = Decimal(0)
SERVICES = {"POST", "DOT", "M", "C2", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B", "PADS"}


def daily_sales(lines: Iterable[Line]) -> dict[Key, Values]:
    """By day, source and country: orders, sale lines, pieces, gross, cancelled, net."""
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind in ("sale", "cancellation"):
            groups[line.day, line.source, line.country].append(line)
    return {key: _sums(group) for key, group in groups.items()}


def monthly_sales(lines: Iterable[Line]) -> dict[Key, Values]:
    """By month: orders, sale lines, pieces, gross, cancelled, net, identified customers."""
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind in ("sale", "cancellation"):
            groups[f"{line.day:%Y-%m}",].append(line)
    return {key: (*_sums(group), len(_buyers(group))) for key, group in groups.items()}


def orders(lines: Iterable[Line]) -> dict[Key, Values]:
    """By source and order with money: first day, its only customer, sale lines, pieces, pounds."""
    found = {}
    for key, group in _by_order(lines).items():
        named = {line.customer for line in group if line.customer is not None}
        customer = named.pop() if len(named) == 1 else None
        found[key] = (min(line.day for line in group), customer, *_sums(group)[1:])
    return found


def chosen(lines: Iterable[Line]) -> dict[Key, Values]:
    """What Sales shows of a day, a country and both: gross, cancelled, net, orders, buyers.

    A key is (day or null, country or null).
    """
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        for key in ((line.day, line.country), (line.day, None), (None, line.country)):
            groups[key].append(line)
    found = {}
    for key, group in groups.items():
        count, _, _, gross, cancelled, net = _sums(group)
        found[key] = (gross, cancelled, net, count, len(_buyers(group)))
    return found


def filtered_kpis(lines: Sequence[Line]) -> dict[Key, Values]:
    """KPIs of each day, country and source with a sale or cancellation.

    Gross, cancelled, net, orders, buyers, average order value, return rate, pieces, new buyers
    (whose first sale anywhere is of the day), and the share of the other buyers.
    """
    first = _first_sales(lines)
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind in ("sale", "cancellation"):
            groups[line.day, line.country, line.source].append(line)
    found = {}
    for key, group in groups.items():
        orders, _, pieces, gross, cancelled, net = _sums(group)
        buyers = _buyers(group)
        new = sum(1 for each in buyers if first[each] == key[0])
        average, returned = _ratio(gross, orders), _ratio(-Decimal(str(cancelled)), gross)
        repeat = _ratio(len(buyers) - new, len(buyers))
        shown = (gross, cancelled, net, orders, len(buyers))
        found[key] = (*shown, average, returned, pieces, new, repeat)
    return found


def key_figures(lines: Sequence[Line]) -> dict[Key, Values]:
    """The figures of the summary by name."""
    erp, web = ([line for line in lines if line.source == source] for source in ("erp", "web"))
    count, sold, _, gross, cancelled, net = _sums(erp)
    identified = [line for line in erp if line.customer is not None]
    figures = {
        "erp_gross_amount": gross,
        "cancelled_amount": cancelled,
        "erp_net_amount": net,
        "erp_order_count": count,
        "erp_line_count": sold,
        "erp_identified_amount": _sums(identified)[3],
        "erp_identified_customer_count": len(_buyers(erp)),
        "web_gross_amount": _sums(web)[3],
        "web_order_count": _sums(web)[0],
    }
    return {(name,): (Decimal(str(value)),) for name, value in figures.items()}


def products(lines: Iterable[Line]) -> dict[Key, Values]:
    """By code of a product with a sale: rank, name, gross, pieces, orders.

    Ranks go by gross from the highest, ties by code; the name is the most frequent, ties by text.
    """
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind == "sale" and is_product(line.sku):
            groups[line.sku].append(line)
    found = {}
    for sku, group in groups.items():
        names = Counter(line.name for line in group if line.name)
        name = min(names, key=lambda each: (-names[each], each), default=None)
        orders, _, pieces, gross, _, _ = _sums(group)
        found[sku] = (name, gross, pieces, orders)
    ranked = sorted(found, key=lambda sku: (-Decimal(str(found[sku][1])), sku))
    return {(sku,): (rank, *found[sku]) for rank, sku in enumerate(ranked, start=1)}


def is_product(sku: str) -> bool:
    """Whether a code is of a product, and not of a service."""
    return sku not in SERVICES and not sku.startswith("GIFT_0001_")


def daily_customers(lines: Sequence[Line]) -> dict[Key, Values]:
    """By day and kind of customer: customers, orders, pieces, gross of the sale lines."""
    first = _first_sales(lines)
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind == "sale":
            is_new = line.customer is not None and first[line.customer] == line.day
            kind = "unknown" if line.customer is None else "new" if is_new else "returning"
            groups[line.day, kind].append(line)
    found = {}
    for key, group in groups.items():
        orders, _, pieces, gross, _, _ = _sums(group)
        found[key] = (len(_buyers(group)), orders, pieces, gross)
    return found


def daily_kpis(lines: Sequence[Line], shop: Visits) -> dict[Key, Values]:
    """By day and KPI, from the first day with a line or a visit to the last; no value, no entry."""
    by_day: dict[date, list[Line]] = defaultdict(list)
    for line in lines:
        by_day[line.day].append(line)
    first = _first_sales(lines)
    days = sorted({*by_day, *shop.days})
    found: dict[Key, Values] = {}
    day, traded = days[0], None
    while day <= days[-1]:
        own = by_day.get(day, [])
        traded = day if own else traded
        orders, _, pieces, gross, cancelled, net = _sums(own)
        active = _buyers(own)
        fresh = {each for each in active if first[each] == day}
        came, carts, bought = (shop.reached(day, step) for step in ("page_view", "cart", "bought"))
        values: dict[str, object] = {
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
            "conversion_rate": _ratio(bought, came),
            "cart_abandonment_rate": _ratio(carts - bought, carts),
            "freshness_days": None if traded is None else (day - traded).days,
        }
        found |= {(day, kpi): (Decimal(str(v)),) for kpi, v in values.items() if v is not None}
        day += timedelta(days=1)
    return found


def _sums(lines: Sequence[Line]) -> Values:
    sales = [line for line in lines if line.kind == "sale"]
    gross = sum((line.amount for line in sales), ZERO)
    cancelled = sum((line.amount for line in lines if line.kind == "cancellation"), ZERO)
    orders = len({(line.source, line.order) for line in sales})
    pieces = sum(line.quantity for line in sales)
    return orders, len(sales), pieces, gross, cancelled, gross + cancelled


def _by_order(lines: Iterable[Line]) -> dict[Key, list[Line]]:
    groups: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind in ("sale", "cancellation"):
            groups[line.source, line.order].append(line)
    return groups


def _buyers(lines: Iterable[Line]) -> set[str]:
    return {line.customer for line in lines if line.kind == "sale" and line.customer is not None}


def _first_sales(lines: Iterable[Line]) -> dict[str, date]:
    found: dict[str, date] = {}
    for line in lines:
        if line.kind == "sale" and line.customer is not None:
            found[line.customer] = min(line.day, found.get(line.customer, line.day))
    return found


def _ratio(part: object, whole: object) -> Decimal | None:
    base = Decimal(str(whole))
    return (Decimal(str(part)) / base).quantize(STEP, ROUND_HALF_UP) if base > 0 else None
