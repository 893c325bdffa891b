"""The parts of the page Sales: key figures, the table behind the chart, products and countries.

In: totals and frames of `dashboards.queries.sales`. Out: components. No data access.
"""

from decimal import Decimal
from typing import Any

import pandas as pd
from dash import html

from dashboards import components, formats
from dashboards.figures.sales import SOURCES, bucket_name, exact_sum
from dashboards.periods import Grain, Selection
from dashboards.queries.sales import Totals
from lakehouse.contracts.kpis import kpi

_DOMINANT_SHARE = Decimal("0.6")
_COUNTRIES_SHOWN = 8
_KPIS = {
    "net_amount": "net_revenue",
    "gross_amount": "gross_revenue",
    "customer_count": "active_customers",
}
"""KPI of each total that does not bear its name."""


def cards(
    totals: Totals,
    before: Totals | None,
    *,
    earlier: Selection | None,
    sales: pd.DataFrame,
    activity: pd.DataFrame,
) -> list[Any]:
    """The six key figures, with their change where a whole earlier period exists."""
    amounts = sales.groupby("bucket_date", sort=True)
    money = amounts[["gross_amount", "cancelled_amount", "net_amount"]].agg(exact_sum)
    active = activity.set_index("bucket_date").reindex(money.index, fill_value=0)
    rate = totals.return_rate
    average = kpi("average_order_value")
    against = formats.period(earlier.start, earlier.end) if earlier else ""

    def card(label: str, name: str, *, is_money: bool, trend: Any, hint: str) -> Any:
        now, then = getattr(totals, name), getattr(before, name, None)
        is_more_good = kpi(_KPIS.get(name, name)).direction == "up"
        delta = components.change(
            None if now is None else Decimal(now),
            None if then is None else Decimal(then),
            is_more_good=is_more_good,
            against=against,
        )
        return components.kpi(
            label,
            formats.money(now) if is_money else formats.count(now),
            change=delta,
            hint=hint,
            trend=trend,
        )

    orders = list(active["order_count"])
    return [
        card(
            "Net revenue",
            "net_amount",
            is_money=True,
            trend=list(money["net_amount"]),
            hint="gross less cancelled",
        ),
        card(
            "Gross revenue",
            "gross_amount",
            is_money=True,
            trend=list(money["gross_amount"]),
            hint="all sale lines",
        ),
        card(
            "Cancelled",
            "cancelled_amount",
            is_money=True,
            trend=[-amount for amount in money["cancelled_amount"]],
            hint=f"{formats.percent(rate)} of gross" if rate is not None else "of no sales",
        ),
        card(
            "Orders",
            "order_count",
            is_money=False,
            trend=orders,
            hint="with a sale line",
        ),
        card(
            "Average order value",
            "average_order_value",
            is_money=True,
            trend=[
                average.value({"gross_amount": gross, "order_count": int(number)}) or 0
                for gross, number in zip(money["gross_amount"], orders, strict=True)
            ],
            hint="gross per order",
        ),
        card(
            "Customers",
            "customer_count",
            is_money=False,
            trend=list(active["customer_count"]),
            hint="known, with a sale line" if totals.customer_count else "none of them known",
        ),
    ]


def sales_table(sales: pd.DataFrame, *, grain: Grain) -> Any:
    """The chart's figures, exact to the penny, the newest first."""
    rows = [
        (
            bucket_name(row.bucket_date, grain),
            SOURCES.get(row.source_system, (row.source_system,))[0],
            formats.money(row.gross_amount),
            formats.money(row.cancelled_amount),
            formats.money(row.net_amount),
        )
        for row in _rows(sales)[::-1]
    ]
    head = (grain.capitalize(), "Source", "Gross", "Cancelled", "Net")
    return components.plain_table(head, rows, label="Revenue over time")


def products_list(products: pd.DataFrame) -> Any:
    """The products with the most net revenue."""
    longest = max(products["net_amount"], default=Decimal(0))
    rows = [
        (
            row.description,
            f"{row.sku} · {formats.count(row.item_quantity)} sold",
            formats.money(row.net_amount, places=0),
            formats.money(row.net_amount),
            float(row.net_amount / longest),
        )
        for row in _rows(products)
    ]
    return components.card(
        "Top products",
        components.bars(rows, label="Products by net revenue")
        if rows
        else html.P("No product was sold.", className="muted"),
        note="By net revenue; postage, fees and other services are left out.",
        id="products-card",
    )


def countries_list(countries: pd.DataFrame) -> Any:
    """Net revenue by country; one that dominates stands apart, so that the rest can be read."""
    total = exact_sum(countries["net_amount"])
    rows = _rows(countries)
    is_home = len(rows) > 1 and total > 0 and rows[0].net_amount / total > _DOMINANT_SHARE
    home, rest = (rows[0], rows[1:]) if is_home else (None, rows)
    shown, hidden = rest[:_COUNTRIES_SHOWN], rest[_COUNTRIES_SHOWN:]
    longest = max((row.net_amount for row in shown), default=Decimal(0))
    lines = [_country(row.country, row, total=total, longest=longest) for row in shown]
    parts = [
        _home(home, total=total, others=len(rest)) if home else None,
        html.H3("All other countries, on their own scale", className="sub") if home else None,
        components.bars(lines, label="Countries by net revenue"),
        _remainder(hidden),
    ]
    return components.card(
        "Countries", parts, note="By net revenue, with each country's share.", id="countries-card"
    )


def _rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples(index=False))


def _country(name: str, row: Any, *, total: Decimal, longest: Decimal) -> Any:
    part = formats.share(row.net_amount, total)
    orders = f"{formats.count(row.order_count)} order{'' if row.order_count == 1 else 's'}"
    small = f"{formats.percent(part)} · {orders}" if part is not None else orders
    length = float(row.net_amount / longest) if longest > 0 else 0.0
    return (
        name,
        small,
        formats.money(row.net_amount, places=0),
        formats.money(row.net_amount),
        length,
    )


def _home(row: Any, *, total: Decimal, others: int) -> Any:
    part = row.net_amount / total
    return html.Div(
        [
            html.Span(row.country, className="bar-name"),
            html.Span(
                formats.money(row.net_amount, places=0),
                className="bar-amount",
                title=formats.money(row.net_amount),
            ),
            html.Span(
                f"Largest market: {formats.percent(part)} of net revenue; "
                f"{others} other{'' if others == 1 else 's'}",
                className="bar-small",
            ),
        ],
        className="bar-row home",
        style={"--length": f"{float(min(part, Decimal(1))) * 100:.2f}%"},
    )


def _remainder(rows: list[Any]) -> Any:
    if not rows:
        return None
    amount = sum((row.net_amount for row in rows), Decimal(0))
    return html.P(
        [
            html.Span(f"and {len(rows)} more"),
            html.Span(formats.money(amount, places=0), title=formats.money(amount)),
        ],
        className="bar-line muted remainder",
    )
