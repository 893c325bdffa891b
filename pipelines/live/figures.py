"""The live figures: what the facts are worth for the last minute, the last 15 minutes and today.

In: the facts and the shop's present moment. Out: one `Figure` per KPI and window, whole values. A
KPI of gold is computed from its declaration over measures that are gold's own, so that today's
value is the one that gold will have: sales by the day of their line, visits by the day on which
they began. In a shorter window a sale counts by its moment, and a visit by what it did in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.business import SERVICE_CODE_PREFIX, SERVICE_CODES
from lakehouse.contracts.kpis import kpi
from lakehouse.contracts.tables import ORDER_LINES, WEB_EVENTS
from lakehouse.contracts.topics import LIVE_WINDOWS, WEB_EVENT_TYPES
from pipelines.live.facts import LiveFacts
from pipelines.transforms.order_rules import shop_day

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KPIS = (
    *("gross_revenue", "cancelled_amount", "net_revenue", "order_count", "average_order_value"),
    *("item_quantity", "return_rate", "active_customers"),
    *("conversion_rate", "cart_abandonment_rate"),
)
"""KPIs of gold that are told live, too."""

COUNTS = ("visitor_count", "cart_count")
LISTS = ("top_products", "sales_by_country", "funnel", "latest_orders")
LONGEST_LIST = 10
FUNNEL = WEB_EVENT_TYPES[:5]
"""Steps of a purchase in their order."""

*_SHORT, TODAY = LIVE_WINDOWS
_LENGTHS = dict(zip(_SHORT, (timedelta(minutes=1), timedelta(minutes=15)), strict=True))
_NAMES = ", ".join(f"('{each}')" for each in LIVE_WINDOWS)
_WINDOWS = f"(values {_NAMES}) as windows (window_name)"
_LINES, _EVENTS = ORDER_LINES.flat_name, WEB_EVENTS.flat_name
_STEP = " ".join(f"when '{step}' then {number}" for number, step in enumerate(FUNNEL, 1))
_VISIT = f"""session_id, arg_min(visitor_id, (occurred_at, event_id)) as visitor_id,
    max(case event_type {_STEP} else 0 end) as reached"""


@dataclass(frozen=True)
class Figure:
    """A KPI's value in a window: a decimal or nothing where it is undefined, or the rows of a list.

    `unit` is that of the KPI's declaration, "count", or "list".
    """

    kpi: str
    window: str
    unit: str
    value: Decimal | None = None
    rows: tuple[dict[str, Any], ...] | None = None


def live_figures(facts: LiveFacts, *, now: datetime) -> tuple[Figure, ...]:
    """All figures at a moment of the shop's clock, in UTC."""
    lake = facts.lake
    _cut_windows(lake, now=now)
    sales, visits = _sales(lake), _visits(lake)
    lists = {"top_products": _top_products(lake), "sales_by_country": _sales_by_country(lake)}
    found: list[Figure] = []
    for window in LIVE_WINDOWS:
        found += _values({**sales[window], **visits[window]}, window)
        found.append(_listed("funnel", window, _funnel(visits[window])))
        found += [_listed(name, window, rows.get(window, [])) for name, rows in lists.items()]
    return (*found, _listed("latest_orders", TODAY, _latest_orders(lake, now=now).get(TODAY, [])))


def _values(measures: dict[str, Any], window: str) -> Iterator[Figure]:
    for name in KPIS:
        declared = kpi(name)
        yield Figure(name, window, declared.unit, declared.value(measures))
    yield Figure("visitor_count", window, "count", Decimal(measures["visitor_count"]))
    yield Figure("cart_count", window, "count", Decimal(measures["cart_sessions"]))


def _listed(name: str, window: str, rows: list[dict[str, Any]]) -> Figure:
    return Figure(name, window, "list", rows=tuple(rows))


def _cut_windows(lake: "DuckDBPyConnection", *, now: datetime) -> None:
    """Make `sold` and `visited`: lines and visits of each window, by the window's name."""
    today = f"date '{shop_day(now)}'"

    def within(column: str, length: timedelta) -> str:
        return f"{column} > timestamptz '{now - length}' and {column} <= timestamptz '{now}'"

    lines = [f"select '{TODAY}' as in_window, * from {_LINES} where order_date = {today}"]
    visits = [
        f"""select '{TODAY}' as in_window, {_VISIT} from {_EVENTS} group by all
        having arg_min(event_date, (occurred_at, event_id)) = {today}"""
    ]
    for window, length in _LENGTHS.items():
        lines.append(f"select '{window}', * from {_LINES} where {within('ordered_at', length)}")
        visits.append(
            f"""select '{window}' as in_window, {_VISIT} from {_EVENTS}
            where {within("occurred_at", length)} group by all"""
        )
    lake.execute(f"create or replace temp table sold as {' union all '.join(lines)}")
    lake.execute(f"create or replace temp table visited as {' union all '.join(visits)}")


def _sales(lake: "DuckDBPyConnection") -> dict[str, dict[str, Any]]:
    """Gold's measures of order lines, exact (the macros of `dbt_project/macros/measures.sql`)."""
    sale, cancelled = "line_class = 'sale'", "line_class = 'cancellation'"
    return _one_each(
        lake,
        f"""select window_name,
            coalesce(sum(line_amount) filter ({sale}), 0) as gross_amount,
            coalesce(sum(line_amount) filter ({cancelled}), 0) as cancelled_amount,
            coalesce(sum(line_amount) filter ({sale} or {cancelled}), 0) as net_amount,
            -coalesce(sum(line_amount) filter ({cancelled}), 0) as returned_amount,
            count(distinct (source_system, order_id)) filter ({sale}) as order_count,
            coalesce(sum(quantity) filter ({sale}), 0) as item_quantity,
            count(distinct customer_id) filter ({sale}) as active_customers
        from {_WINDOWS} left join sold on in_window = window_name group by window_name""",
    )


def _visits(lake: "DuckDBPyConnection") -> dict[str, dict[str, Any]]:
    """Visits by the step that they reached: who reaches one counts at all before it."""
    reached = ", ".join(
        f"count(distinct session_id) filter (reached >= {number}) as step_{number}"
        for number, _ in enumerate(FUNNEL, 1)
    )
    found = _one_each(
        lake,
        f"""select window_name, count(distinct visitor_id) as visitor_count, {reached}
        from {_WINDOWS} left join visited on in_window = window_name group by window_name""",
    )
    for each in found.values():
        each["visit_sessions"], each["cart_sessions"] = each["step_1"], each["step_3"]
        each["purchase_sessions"] = each["step_5"]
        each["abandoned_cart_sessions"] = each["step_3"] - each["step_5"]
    return found


def _funnel(visits: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"step": step, "sessions": visits[f"step_{number}"]}
        for number, step in enumerate(FUNNEL, 1)
    ]


def _top_products(lake: "DuckDBPyConnection") -> dict[str, list[dict[str, Any]]]:
    """Products by gross revenue; services are none."""
    services = ", ".join(f"'{code}'" for code in SERVICE_CODES)
    return _several_each(
        lake,
        f"""select in_window, sku, arg_max(description, ordered_at) as description,
            sum(quantity)::bigint as quantity, sum(line_amount)::decimal(18, 4) as amount
        from sold
        where line_class = 'sale' and sku not in ({services})
            and not starts_with(sku, '{SERVICE_CODE_PREFIX}')
        group by in_window, sku""",
        order="amount desc, sku",
    )


def _sales_by_country(lake: "DuckDBPyConnection") -> dict[str, list[dict[str, Any]]]:
    return _several_each(
        lake,
        """select in_window, country, count(distinct (source_system, order_id)) as orders,
            sum(line_amount)::decimal(18, 4) as amount
        from sold where line_class = 'sale' group by in_window, country""",
        order="amount desc, country",
    )


def _latest_orders(lake: "DuckDBPyConnection", *, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Orders and credit notes of today until now, the newest first; who ordered is not told."""
    return _several_each(
        lake,
        f"""select in_window, order_id, source_system as source, country,
            strftime(min(ordered_at), '%Y-%m-%dT%H:%M:%S.%gZ') as ordered_at,
            sum(quantity)::bigint as quantity, sum(line_amount)::decimal(18, 4) as amount
        from sold where in_window = '{TODAY}' and line_class in ('sale', 'cancellation')
            and sold.ordered_at <= timestamptz '{now}'
        group by in_window, order_id, source_system, country""",
        order="ordered_at desc, order_id",
    )


def _one_each(lake: "DuckDBPyConnection", query: str) -> dict[str, dict[str, Any]]:
    return {str(row.pop("window_name")): row for row in _rows(lake, query)}


def _several_each(
    lake: "DuckDBPyConnection", query: str, *, order: str
) -> dict[str, list[dict[str, Any]]]:
    """The first rows of each window in this order; amounts as text."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(
        lake,
        f"""from ({query})
        qualify row_number() over (partition by in_window order by {order}) <= {LONGEST_LIST}
        order by {order}""",
    ):
        found.setdefault(str(row.pop("in_window")), []).append(
            {**row, "amount": str(row["amount"])}
        )
    return found


def _rows(lake: "DuckDBPyConnection", query: str) -> list[dict[str, Any]]:
    found = lake.execute(query)
    names: Sequence[str] = [each[0] for each in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
