"""What the pages Executive and Sales show of a period, in plain Python over lines and visits.

In: lines, the web shop's visits, a period and a country. Out: plain values by their keys.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from tests.oracle.lines import Line
from tests.oracle.sales import Key, Values, _buyers, _first_sales, _ratio, _sums, is_product
from tests.oracle.visits import Visits

Days = tuple[date, date]


@dataclass(frozen=True)
class Shown:
    """All that a shop has; each method answers for the days from the first to the last."""

    lines: Sequence[Line]
    shop: Visits

    def tiles(self, days: Days, country: str | None) -> Values:
        """Net revenue, orders, average order value, conversion, returning share, return rate."""
        lines = self._of(days, country)
        orders, _, _, gross, cancelled, net = _sums(lines)
        buyers = _buyers(lines)
        new = {
            line.customer
            for line in lines
            if line.kind == "sale" and line.customer and line.day == self._first[line.customer]
        }
        conversion = None
        if country is None:
            came, bought = (
                sum(self.shop.reached(day, stage) for day in _each(days))
                for stage in ("page_view", "bought")
            )
            conversion = _ratio(bought, came)
        return (
            net,
            orders,
            _ratio(gross, orders),
            conversion,
            _ratio(len(buyers) - len(new), len(buyers)),
            _ratio(-Decimal(str(cancelled)), gross),
        )

    def parts(
        self, days: Days, country: str | None, of: Callable[[Line], Key]
    ) -> dict[Key, Decimal]:
        """Net revenue by country, product or source; none of them with nothing."""
        found = self.money(days, country, of)
        return {key: Decimal(str(values[3])) for key, values in found.items() if values[3]}

    def money(
        self, days: Days, country: str | None, of: Callable[[Line], Key]
    ) -> dict[Key, Values]:
        """Pieces, gross, cancelled, net, and orders, of each group with a sale or cancellation."""
        groups: dict[Key, list[Line]] = defaultdict(list)
        for line in self._of(days, country):
            groups[of(line)].append(line)
        found = {}
        for key, group in groups.items():
            orders, _, pieces, gross, cancelled, net = _sums(group)
            if gross or cancelled:
                found[key] = (pieces, gross, cancelled, net, orders)
        return found

    def best(self, days: Days, country: str | None) -> dict[Key, Values]:
        """Products with money, services left out: place, pieces, gross, cancelled, net."""
        found = self.money(days, country, lambda line: (line.sku,))
        sold = {
            str(sku): values
            for (sku,), values in found.items()
            if Decimal(str(values[3])) > 0 and is_product(str(sku))
        }
        ranked = sorted(sold, key=lambda sku: (-Decimal(str(sold[sku][3])), sku))
        return {(sku,): (place, *sold[sku][:4]) for place, sku in enumerate(ranked)}

    @cached_property
    def _first(self) -> dict[str, date]:
        return _first_sales(self.lines)

    @cached_property
    def _by_day(self) -> dict[date, list[Line]]:
        found: dict[date, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.kind in ("sale", "cancellation"):
                found[line.day].append(line)
        return found

    def _of(self, days: Days, country: str | None) -> list[Line]:
        return [
            line
            for day in _each(days)
            for line in self._by_day.get(day, ())
            if country in (None, line.country)
        ]


def _each(days: Days) -> list[date]:
    return [days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days + 1)]


def buckets(days: Days, grain: str) -> dict[date, Days]:
    """Days, weeks from Monday or months of a period: of each its days within the period."""
    found: dict[date, Days] = {}
    for day in _each(days):
        start = first_of(day, grain)
        found[start] = (found.get(start, (day, day))[0], day)
    return found


def first_of(day: date, grain: str) -> date:
    """The first day of the bucket that a day belongs to."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day
