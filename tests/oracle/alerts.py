"""Who is behind a KPI's change on a day: the largest differences from the mean of other days.

In: lines, a KPI, the day and the days compared. Out: by dimension and place, how far a member is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tests.oracle.lines import Line
from tests.oracle.sales import STEP, ZERO, Key, Values

NAMED = 3
_DIMENSIONS: Mapping[str, Callable[[Line], str]] = {
    "source": lambda line: line.source,
    "country": lambda line: line.country,
    "product": lambda line: line.sku,
}


def contributors(
    by_day: Mapping[date, Sequence[Line]], kpi: str, day: date, compared: Sequence[date]
) -> dict[Key, Values]:
    """The sizes of the three largest differences of each dimension, exact to four places."""
    found: dict[Key, Values] = {}
    for dimension, member in _DIMENSIONS.items():
        now, before = (defaultdict[str, Decimal](lambda: ZERO) for _ in range(2))
        for days, sums in (((day,), now), (compared, before)):
            for each in days:
                groups: dict[str, list[Line]] = defaultdict(list)
                for line in by_day.get(each, ()):
                    groups[member(line)].append(line)
                for name, lines in groups.items():
                    sums[name] += _worth(kpi, lines)
        means = {name: (total / len(compared)) for name, total in before.items()}
        sizes = [
            abs(now[name] - means.get(name, ZERO).quantize(STEP, ROUND_HALF_UP))
            for name in {*now, *before}
        ]
        largest = sorted((size for size in sizes if size), reverse=True)[:NAMED]
        found |= {(dimension, place): (size,) for place, size in enumerate(largest)}
    return found


def _worth(kpi: str, lines: Iterable[Line]) -> Decimal:
    """A KPI of one member on one day."""
    sold = [line for line in lines if line.kind == "sale"]
    if kpi == "order_count":
        return Decimal(len({(line.source, line.order) for line in sold}))
    if kpi == "active_customers":
        return Decimal(len({line.customer for line in sold} - {None}))
    kinds = ("sale", "cancellation") if kpi == "net_revenue" else ("sale",)
    return sum((line.amount for line in lines if line.kind in kinds), ZERO)
