"""Every figure of a report, exact, from one gold version.

In: a cursor on gold and a period. Out: `Figures`. Values of a day are those of the mart of daily
KPIs, which is what is audited and restated; all others are answers of the semantic layer, with
orders and customers counted once. Money stays Decimal; nothing is rounded here but means, to four
decimals as in gold.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal

from lakehouse.contracts.gold import FCT_DAILY_KPIS
from lakehouse.contracts.kpis import Kpi, read_kpis
from lakehouse.semantics.names import product_names
from lakehouse.semantics.question import Question, ask
from reports.periods import Calendar, Period, Span, days_of

if TYPE_CHECKING:
    import duckdb

FIRST = "net_revenue"
"""The KPI of the sentence, of the first row and of the movers."""
ORDERS = "order_count"
MOVERS = 3
TREND_DAYS, TREND_WEEKS = 28, 12
_PLACES = Decimal("0.0001")
Values = Mapping[str, Decimal]


@dataclass(frozen=True)
class Line:
    """A row of the table: a KPI now, in the period before, and usually. None: it has no value."""

    kpi: Kpi
    now: Decimal | None
    before: Decimal | None
    usual: Decimal | None


@dataclass(frozen=True)
class Mover:
    """What rose or fell most: net revenue now and on average of the same weekdays."""

    kind: Literal["product", "country"]
    name: str
    now: Decimal
    usual: Decimal

    @property
    def change(self) -> Decimal:
        return self.now - self.usual


@dataclass(frozen=True)
class Point:
    """A day or week of the charts; `is_now` marks the one reported."""

    start: date
    end: date
    net_revenue: Decimal
    order_count: Decimal
    is_now: bool


@dataclass(frozen=True)
class Figures:
    """All that a report says of the shop."""

    period: Period
    lines: tuple[Line, ...]
    movers: tuple[Mover, ...]
    trend: tuple[Point, ...]

    def line(self, name: str) -> Line:
        return next(each for each in self.lines if each.kpi.name == name)


def shown_kpis() -> tuple[Kpi, ...]:
    """KPIs of the table, net revenue first; how fresh the data are is told elsewhere."""
    found = [each for each in read_kpis() if each.unit != "days"]
    return tuple(sorted(found, key=lambda each: each.name != FIRST))


def read_figures(
    cursor: "duckdb.DuckDBPyConnection", period: Period, calendar: Calendar
) -> Figures:
    """Every figure of a period."""
    kpis = shown_kpis()
    now = values_of(cursor, period.span, period.report)
    before = values_of(cursor, period.before, period.report) if period.before else {}
    others = [values_of(cursor, each, period.report) for each in period.usual]
    lines = tuple(
        Line(
            each,
            now.get(each.name),
            before.get(each.name),
            median(other[each.name] for other in others if each.name in other),
        )
        for each in kpis
    )
    return Figures(period, lines, _movers(cursor, period), _trend(cursor, period, calendar))


def values_of(cursor: "duckdb.DuckDBPyConnection", span: Span, report: str) -> Values:
    """The KPIs of a day or a week by name; a KPI without a value is left out."""
    if report == "daily":
        rows = cursor.execute(
            f"select kpi, value from {FCT_DAILY_KPIS} where kpi_date = $day", {"day": span[0]}
        ).fetchall()
        return dict(rows)
    [week] = ask(cursor, Question(tuple(each.name for each in shown_kpis()), *span))
    return {name: Decimal(value) for name, value in week.values.items() if value is not None}


def median(values: Iterable[Decimal]) -> Decimal | None:
    """The middle value, of an even number the mean of the middle two; nothing of none."""
    found = sorted(values)
    if not found:
        return None
    half = len(found) // 2
    if len(found) % 2:
        return found[half]
    return rounded_mean(found[half - 1] + found[half], 2)


def rounded_mean(total: Decimal, count: int) -> Decimal:
    """A mean with four decimals, half up, as gold's quotients."""
    return (total / count).quantize(_PLACES, ROUND_HALF_UP)


def _movers(cursor: "duckdb.DuckDBPyConnection", period: Period) -> tuple[Mover, ...]:
    """The products and countries whose net revenue differs most from the same weekdays' average."""
    if not period.usual or not period.is_trading:
        return ()
    return (*_moved(cursor, period, "product"), *_moved(cursor, period, "country"))


def _moved(
    cursor: "duckdb.DuckDBPyConnection", period: Period, kind: Literal["product", "country"]
) -> list[Mover]:
    """The largest rises, then the deepest falls, of the products or of the countries."""
    only = {"is_product": ("true",)} if kind == "product" else {}
    now: dict[str, Decimal] = defaultdict(Decimal)
    usual: dict[str, Decimal] = defaultdict(Decimal)
    for span, sums in ((period.span, now), *((each, usual) for each in period.usual)):
        for row in ask(cursor, Question((FIRST,), *span, by=(kind,), where=only)):
            sums[str(row.place[0])] += Decimal(row.values[FIRST] or 0)
    keys = sorted({*now, *usual})
    names = product_names(cursor, keys) if kind == "product" else {}
    found = [
        Mover(kind, names.get(key, key), now[key], rounded_mean(usual[key], len(period.usual)))
        for key in keys
    ]
    found.sort(key=lambda each: each.change, reverse=True)
    risen = [each for each in found if each.change > 0][:MOVERS]
    fallen = [each for each in found if each.change < 0][-MOVERS:]
    return risen + fallen


def _trend(
    cursor: "duckdb.DuckDBPyConnection", period: Period, calendar: Calendar
) -> tuple[Point, ...]:
    """The days or weeks up to the reported one, oldest first; days without an order are zero."""
    if period.report == "daily":
        start = max(calendar.first, period.start - timedelta(days=TREND_DAYS - 1))
        spans = [(each, each) for each in days_of((start, period.end))]
    else:
        mondays = [period.start - timedelta(weeks=back) for back in range(TREND_WEEKS)]
        spans = [
            (each, min(each + timedelta(days=6), period.end))
            for each in reversed(mondays)
            if each >= min(calendar.first, period.start)
        ]
    values = {span: values_of(cursor, span, period.report) for span in spans}
    none = Decimal(0)
    return tuple(
        Point(*span, found.get(FIRST, none), found.get(ORDERS, none), span == period.span)
        for span, found in values.items()
    )
