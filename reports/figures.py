"""Every figure of a report, exact, from one gold version.

In: a cursor on gold and a period. Out: `Figures`. Values of a day are those of the mart of daily
KPIs; values of a week follow from the marts by the KPI's own declaration, with orders and customers
counted once. Money stays Decimal; nothing is rounded here but quotients, to four decimals as in
gold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.contracts.gold import (
    DIM_PRODUCTS,
    FCT_DAILY_FUNNEL,
    FCT_DAILY_KPIS,
    FCT_DAILY_SALES,
    FCT_ORDER_LINES,
)
from lakehouse.contracts.kpis import Kpi, read_kpis
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
    measures = _measures(cursor, span)
    found = {
        each.name: each.value(measures)
        for each in shown_kpis()
        if {each.measure, each.per or each.measure} <= measures.keys()
    }
    return {name: value for name, value in found.items() if value is not None}


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


def _measures(cursor: "duckdb.DuckDBPyConnection", span: Span) -> dict[str, Decimal | int]:
    """What KPIs are made of, over a span: sums of money, orders and customers counted once."""
    ends = {"start": span[0], "end": span[1]}
    money = _one(
        cursor,
        f"""select coalesce(sum(gross_amount), 0)::decimal(38, 4) as gross_amount,
          coalesce(sum(cancelled_amount), 0)::decimal(38, 4) as cancelled_amount,
          coalesce(sum(net_amount), 0)::decimal(38, 4) as net_amount,
          coalesce(sum(item_quantity), 0)::bigint as item_quantity
        from {FCT_DAILY_SALES} where order_date between $start and $end""",
        ends,
    )
    counted = _one(
        cursor,
        f"""select count(distinct (source_system, order_id)) as order_count,
          count(distinct customer_id) as active_customers
        from {FCT_ORDER_LINES}
        where line_class = 'sale' and order_date between $start and $end""",
        ends,
    )
    new = _one(
        cursor,
        f"""select coalesce(sum(value), 0)::bigint as new_customers from {FCT_DAILY_KPIS}
        where kpi = 'new_customers' and kpi_date between $start and $end""",
        ends,
    )
    visits = _one(
        cursor,
        f"""select
          sum(session_count) filter (step = 'page_view')::bigint as visit_sessions,
          sum(session_count) filter (step = 'add_to_cart')::bigint as cart_sessions,
          sum(session_count) filter (step = 'purchase')::bigint as purchase_sessions
        from {FCT_DAILY_FUNNEL} where funnel_date between $start and $end""",
        ends,
    )
    found: dict[str, Any] = {**money, **counted, **new, **visits}
    found["returned_amount"] = -found["cancelled_amount"]
    found["returning_customers"] = found["active_customers"] - found["new_customers"]
    if found["cart_sessions"] is not None and found["purchase_sessions"] is not None:
        found["abandoned_cart_sessions"] = found["cart_sessions"] - found["purchase_sessions"]
    return {name: value for name, value in found.items() if value is not None}


def _movers(cursor: "duckdb.DuckDBPyConnection", period: Period) -> tuple[Mover, ...]:
    """The products and countries whose net revenue differs most from the same weekdays' average."""
    if not period.usual or not period.is_trading:
        return ()
    values = {
        "start": period.start,
        "end": period.end,
        "usual": [day for span in period.usual for day in days_of(span)],
    }
    chosen = "(order_date between $start and $end or list_contains($usual::date[], order_date))"
    sums = """coalesce(sum(amount) filter (order_date between $start and $end), 0)::decimal(38, 4),
      coalesce(sum(amount) filter (list_contains($usual::date[], order_date)), 0)::decimal(38, 4)"""
    products = cursor.execute(
        f"""with sold as (
          select sku, order_date, line_amount as amount from {FCT_ORDER_LINES}
          where is_product and line_class in ('sale', 'cancellation') and {chosen}
        )
        select coalesce(min(products.description), sold.sku), {sums}
        from sold left join {DIM_PRODUCTS} as products
          on products.sku = sold.sku and products.is_current
        group by sold.sku order by sold.sku""",
        values,
    ).fetchall()
    countries = cursor.execute(
        f"""with sold as (
          select country, order_date, net_amount as amount from {FCT_DAILY_SALES} where {chosen}
        )
        select country, {sums} from sold group by country order by country""",
        values,
    ).fetchall()
    weeks = len(period.usual)
    return (
        *_most("product", products, weeks),
        *_most("country", countries, weeks),
    )


def _most(
    kind: Literal["product", "country"], rows: Sequence[tuple[str, Decimal, Decimal]], weeks: int
) -> list[Mover]:
    found = [Mover(kind, name, now, rounded_mean(usual, weeks)) for name, now, usual in rows]
    ordered = sorted(found, key=lambda each: each.change, reverse=True)
    risen = [each for each in ordered if each.change > 0][:MOVERS]
    fallen = [each for each in ordered if each.change < 0][-MOVERS:]
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


def _one(
    cursor: "duckdb.DuckDBPyConnection", sql: str, values: Mapping[str, object]
) -> dict[str, Any]:
    result = cursor.execute(sql, dict(values))
    names = [column[0] for column in result.description or ()]
    return dict(zip(names, result.fetchall()[0], strict=True))
