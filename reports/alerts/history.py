"""The course of the daily KPIs, and what a day is expected to be, from the days before it alone.

In: `fct_daily_kpis`, and forecasts where there are any. Out: values by KPI and day, the comparable
days of a day, its expectation.
Nothing here looks at a later day, so a day judged in a replay equals one judged on its morning.
"""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.gold import FCT_DAILY_KPIS, FCT_DAILY_SALES

if TYPE_CHECKING:
    import duckdb

WEEKDAYS_COMPARED = 8
"""How many same weekdays a day is compared with."""
FEWEST_COMPARED = 6
FEWEST_RESIDUALS = 20
RESIDUALS = 40
LEAST_SPREAD = 0.25
"""Least standard deviation of a day's logarithm: below it, calm weeks would make noise an alarm."""
OPEN_BY = "order_count"


@dataclass(frozen=True)
class Expectation:
    """What a day was expected to be: the value, its interval, how the observed one lies to it.

    `distance` counts standard deviations of the logarithm, `source` says what expects it.
    """

    value: float
    low: float
    high: float
    spread: float
    source: str

    def distance(self, observed: float) -> float:
        if observed <= 0:
            return -math.inf
        return (math.log(observed) - math.log(self.value)) / self.spread


@dataclass(frozen=True)
class Foreseen(Expectation):
    """What a model expected the day before; `error` is that of `observed`, in its usual errors."""

    observed: float
    error: float

    def distance(self, observed: float) -> float:
        del observed
        return self.error


@dataclass(frozen=True)
class History:
    """Values by KPI and day; days on which each source had an order; days off by declaration.

    `foreseen` is what models expected, by KPI and day.
    """

    values: Mapping[str, Mapping[date, Decimal]]
    source_days: Mapping[str, frozenset[date]] = field(default_factory=dict)
    closed: frozenset[date] = frozenset()
    last: date | None = None
    foreseen: Mapping[str, Mapping[date, Foreseen]] = field(default_factory=dict)
    _found: dict[tuple[str, date], Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def days(self) -> list[date]:
        """The days of the data in order, to `last` where the history is cut there for a replay."""
        return [
            day
            for day in sorted(self.values.get(OPEN_BY, {}))
            if self.last is None or day <= self.last
        ]

    def value(self, kpi: str, day: date) -> Decimal | None:
        return self.values.get(kpi, {}).get(day)

    def was_open(self, day: date) -> bool:
        return bool(self.values.get(OPEN_BY, {}).get(day, 0))

    def is_expected_open(self, day: date, *, source: str = "") -> bool | None:
        """Whether the shop, or one source, should have orders on this day; None if unknown.

        It should when it had some on at least half of its last eight same weekdays that were no
        declared days off.
        """
        if day in self.closed:
            return False
        first = min(self.source_days.get(source, frozenset()), default=None)
        before = self._same_weekdays(day)
        if source:
            before = [each for each in before if first and each >= first]
        if len(before) < FEWEST_COMPARED // 2:
            return None
        opened = [self._had_orders(each, source) for each in before]
        return 2 * sum(opened) >= len(opened)

    def _had_orders(self, day: date, source: str) -> bool:
        return day in self.source_days[source] if source else self.was_open(day)

    def compared(self, day: date) -> list[date]:
        """The last eight same weekdays on which the shop was open, newest first."""
        return [each for each in self._same_weekdays(day, reach=26) if self.was_open(each)][
            :WEEKDAYS_COMPARED
        ]

    def usual(self, kpi: str, day: date) -> float | None:
        """Median of the KPI over the compared days; None where there are too few."""
        if (kpi, day) not in self._found:  # a day's past stays as it is
            found = [self.value(kpi, each) for each in self.compared(day)]
            numbers = [float(each) for each in found if each is not None]
            usual = statistics.median(numbers) if len(numbers) >= FEWEST_COMPARED else None
            self._found[kpi, day] = usual
        median: float | None = self._found[kpi, day]
        return median

    def expectation(self, kpi: str, day: date) -> Expectation | None:
        """What the model in use expected; else the same-weekday median.

        Around the median lies the robust spread of the last forty open days. A forecast counts only
        where it was scored for the value that the day has now.
        """
        model, value = self.foreseen.get(kpi, {}).get(day), self.value(kpi, day)
        if model is not None and value is not None and math.isclose(model.observed, float(value)):
            return model
        usual = self.usual(kpi, day)
        if usual is None or usual <= 0:
            return None
        residuals = []
        for each in reversed(self.days):
            if each < day and self.was_open(each):
                residual = self._residual(kpi, each)
                if residual is not None:
                    residuals.append(residual)
                if len(residuals) == RESIDUALS:
                    break
        if len(residuals) < FEWEST_RESIDUALS:
            return None
        middle = statistics.median(residuals)
        mad = statistics.median(abs(each - middle) for each in residuals)
        spread = max(1.4826 * mad, LEAST_SPREAD)
        low, high = (usual * math.exp(sign * 1.96 * spread) for sign in (-1, 1))
        return Expectation(usual, low, high, spread, "median of the same weekdays")

    def _residual(self, kpi: str, day: date) -> float | None:
        value, usual = self.value(kpi, day), self.usual(kpi, day)
        if value is None or value <= 0 or usual is None or usual <= 0:
            return None
        return math.log(float(value)) - math.log(usual)

    def _same_weekdays(self, day: date, reach: int = WEEKDAYS_COMPARED) -> list[date]:
        """Same weekdays before the day that are in the data and no declared days off."""
        known = self.values.get(OPEN_BY, {})
        weeks = (day - timedelta(weeks=number) for number in range(1, 2 * reach))
        return [each for each in weeks if each in known and each not in self.closed][:reach]


def read_history(
    gold: "duckdb.DuckDBPyConnection",
    *,
    closed: frozenset[date],
    foreseen: Mapping[str, Mapping[date, Foreseen]] = MappingProxyType({}),
) -> History:
    """All daily KPIs of a gold file, and the days with orders of each source."""
    values: dict[str, dict[date, Decimal]] = {}
    rows = gold.execute(f"select kpi, kpi_date, value from {FCT_DAILY_KPIS}").fetchall()
    for kpi, day, value in rows:
        values.setdefault(kpi, {})[day] = value
    sources: dict[str, set[date]] = {}
    for source, day in gold.execute(
        f"select distinct source_system, order_date from {FCT_DAILY_SALES} where order_count > 0"
    ).fetchall():
        sources.setdefault(source, set()).add(day)
    return History(
        values,
        {name: frozenset(days) for name, days in sources.items()},
        frozenset(closed),
        foreseen=foreseen,
    )
