"""What a report tells of a day or a week: values, those before, the usual ones, and what moved.

In: lines and visits. Out: plain values by their keys.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from tests.oracle.lines import Line
from tests.oracle.sales import SERVICES, STEP, ZERO, Key, Values, daily_kpis
from tests.oracle.visits import Visits

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
Known = Mapping[str, Decimal]


class Diary:
    """The values of each day and week of a shop, counted when they are asked for."""

    def __init__(self, lines: Sequence[Line], shop: Visits) -> None:
        self._shop = shop
        self._by_day: dict[date, list[Line]] = defaultdict(list)
        for line in lines:
            self._by_day[line.day].append(line)
        self.trading = sorted(self._by_day)
        all_days = sorted({*self._by_day, *shop.days})
        self.first, self.last = all_days[0], all_days[-1]
        self._first_sale: dict[str, date] = {}
        for line in sorted(lines, key=lambda each: each.day):
            if line.kind == "sale" and line.customer is not None:
                self._first_sale.setdefault(line.customer, line.day)
        self._of_days: dict[date, dict[str, Decimal]] = defaultdict(dict)
        for (day, kpi), (value,) in daily_kpis(lines, shop).items():
            if kpi != "freshness_days":
                self._of_days[day][str(kpi)] = Decimal(str(value))  # type: ignore[index]

    def of_day(self, day: date) -> dict[Key, Values]:
        """By KPI: the day's value, that of the trading day before, the usual one."""
        earlier = [each for each in self.trading if each < day]
        alike = [each for each in reversed(earlier) if (day - each).days % 7 == 0][:4]
        before = self._of_days[earlier[-1]] if earlier else {}
        return _told(self._of_days[day], before, [self._of_days[each] for each in alike])

    def of_week(self, monday: date) -> dict[Key, Values]:
        """The same of a week; of one that the data end within, of so many days of each."""
        length = min((self.last - monday).days + 1, 7)
        weeks = [monday - number * WEEK for number in range(1, 5)]
        weeks = [each for each in weeks if each >= self.first]
        before = self._span(weeks[0], length) if weeks else {}
        traded = [each for each in weeks if any(self._lines(each, length))]
        return _told(
            self._span(monday, length), before, [self._span(each, length) for each in traded]
        )

    def moved(self, day: date) -> dict[Key, Values]:
        """The three largest rises and falls of products and of countries, exact to four places."""
        alike = [
            each for each in reversed(self.trading) if each < day and (day - each).days % 7 == 0
        ]
        found: dict[Key, Values] = {}
        for kind in ("product", "country"):
            changes = self._changes(kind, day, alike[:4]) if alike and day in self._by_day else []
            rises = sorted((each for each in changes if each > 0), reverse=True)[:3]
            falls = sorted(each for each in changes if each < 0)[:3]
            found |= {(kind, place): (value,) for place, value in enumerate([*rises, *falls])}
        return found

    def _changes(self, kind: str, day: date, alike: Sequence[date]) -> list[Decimal]:
        now, usual = (defaultdict(lambda: ZERO) for _ in range(2))
        for days, sums in (((day,), now), (alike, usual)):
            for line in (line for each in days for line in self._by_day[each]):
                is_service = line.sku in SERVICES or line.sku.startswith("GIFT_0001_")
                if line.kind in ("sale", "cancellation") and (kind == "country" or not is_service):
                    sums[line.country if kind == "country" else line.sku] += line.amount
        return [now[each] - _mean(usual[each], len(alike)) for each in {*now, *usual}]

    def _lines(self, start: date, length: int) -> list[Line]:
        return [
            line for number in range(length) for line in self._by_day.get(start + number * DAY, [])
        ]

    def _span(self, start: date, length: int) -> dict[str, Decimal]:
        own = self._lines(start, length)
        days = [start + number * DAY for number in range(length)]
        sold = [line for line in own if line.kind == "sale"]
        gross = sum((line.amount for line in sold), ZERO)
        cancelled = sum((line.amount for line in own if line.kind == "cancellation"), ZERO)
        buyers = {line.customer for line in sold if line.customer is not None}
        new = {each for each in buyers if self._first_sale[each] in days}
        orders = Decimal(len({(line.source, line.order) for line in sold}))
        came, carts, bought = (
            sum(self._shop.reached(day, step) for day in days)
            for step in ("page_view", "cart", "bought")
        )
        values: dict[str, Decimal | None] = {
            "gross_revenue": gross,
            "cancelled_amount": cancelled,
            "net_revenue": gross + cancelled,
            "order_count": orders,
            "item_quantity": Decimal(sum(line.quantity for line in sold)),
            "active_customers": Decimal(len(buyers)),
            "new_customers": Decimal(len(new)),
            "average_order_value": _ratio(gross, orders),
            "return_rate": _ratio(-cancelled, gross),
            "repeat_rate": _ratio(len(buyers) - len(new), len(buyers)),
            "conversion_rate": _ratio(bought, came),
            "cart_abandonment_rate": _ratio(carts - bought, carts),
        }
        return {name: value for name, value in values.items() if value is not None}


def _told(now: Known, before: Known, others: Sequence[Known]) -> dict[Key, Values]:
    found: dict[Key, Values] = {}
    for name in {*now, *before, *(name for each in others for name in each)}:
        values = [each[name] for each in others if name in each]
        usual = median(values).quantize(STEP, ROUND_HALF_UP) if values else None
        found[name,] = (now.get(name), before.get(name), usual)
    return found


def _ratio(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    if whole <= 0:
        return None
    return (Decimal(part) / Decimal(whole)).quantize(STEP, ROUND_HALF_UP)


def _mean(total: Decimal, count: int) -> Decimal:
    return (total / count).quantize(STEP, ROUND_HALF_UP)
