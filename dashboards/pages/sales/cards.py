"""The parts of the page Sales: key figures, the table behind the chart, products and countries.

In: totals and frames of `dashboards.queries.sales`. Out: components. No data access.
"""

from decimal import Decimal
from typing import Any

import pandas as pd
from dash import html

from dashboards import components, formats, tiles
from dashboards.figures.sales import bucket_name, exact_sum, source_name
from dashboards.periods import Grain, Selection
from dashboards.queries.sales import Values

_DOMINANT_SHARE = Decimal("0.6")
_COUNTRIES_SHOWN = 8
KPIS = {
    "net_revenue": "gross less cancelled",
    "gross_revenue": "all sale lines",
    "cancelled_amount": "",
    "order_count": "with a sale line",
    "average_order_value": "gross per order",
    "active_customers": "known, with a sale line",
}
"""The key figures, each with what it says in small print."""


def cards(
    now: Values, before: Values | None, *, earlier: Selection | None, trends: pd.DataFrame
) -> list[Any]:
    """The six key figures, with their change where a whole earlier period exists.

    `now` and `before` hold the return rate, too.
    """
    against = formats.period(earlier.start, earlier.end) if earlier else ""
    rate = now["return_rate"]
    hints = KPIS | {
        "cancelled_amount": f"{formats.percent(Decimal(rate))} of gross"
        if rate is not None
        else "of no sales",
        "active_customers": KPIS["active_customers"]
        if now["active_customers"]
        else "none of them known",
    }
    return [
        tiles.tile(
            name,
            now[name],
            before[name] if before else None,
            against=against,
            hint=hint,
            trend=[abs(value or 0) for value in trends[name]],
        )
        for name, hint in hints.items()
    ]


def sales_table(sales: pd.DataFrame, *, grain: Grain) -> Any:
    """The chart's figures, exact, the newest first."""
    rows = [
        (
            bucket_name(row.bucket_date, grain),
            source_name(row.source_system),
            formats.money(row.gross_revenue),
            formats.money(row.cancelled_amount),
            formats.money(row.net_revenue),
        )
        for row in _rows(sales)[::-1]
    ]
    head = (grain.capitalize(), "Source", "Gross", "Cancelled", "Net")
    return components.plain_table(head, rows, label="Revenue over time")


def products_list(products: pd.DataFrame, file: Any = None) -> Any:
    """The products with the most net revenue; `file` is a link to all of them."""
    longest = max(products["net_revenue"], default=Decimal(0))
    rows = [
        (
            row.description,
            f"{row.sku} · {formats.count(row.item_quantity)} sold",
            formats.money(row.net_revenue, places=0),
            formats.money(row.net_revenue),
            float(row.net_revenue / longest),
        )
        for row in _rows(products)
    ]
    return components.card(
        "Top products",
        components.bars(rows, label="Products by net revenue")
        if rows
        else html.P("No product was sold.", className="muted"),
        aside=file,
        note="By net revenue; postage, fees and other services are left out.",
        id="products-card",
    )


def countries_list(countries: pd.DataFrame, file: Any = None) -> Any:
    """Net revenue by country; one that dominates stands apart, so that the rest can be read.

    `file` is a link to all of them.
    """
    total = exact_sum(countries["net_revenue"])
    rows = _rows(countries)
    is_home = len(rows) > 1 and total > 0 and rows[0].net_revenue / total > _DOMINANT_SHARE
    home, rest = (rows[0], rows[1:]) if is_home else (None, rows)
    shown, hidden = rest[:_COUNTRIES_SHOWN], rest[_COUNTRIES_SHOWN:]
    longest = max((row.net_revenue for row in shown), default=Decimal(0))
    lines = [_country(row.country, row, total=total, longest=longest) for row in shown]
    parts = [
        _home(home, total=total, others=len(rest)) if home else None,
        html.H3("All other countries, on their own scale", className="sub") if home else None,
        components.bars(lines, label="Countries by net revenue"),
        _remainder(hidden),
    ]
    return components.card(
        "Countries",
        parts,
        aside=file,
        note="By net revenue, with each country's share.",
        id="countries-card",
    )


def _rows(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples(index=False))


def _country(name: str, row: Any, *, total: Decimal, longest: Decimal) -> Any:
    part = formats.share(row.net_revenue, total)
    orders = f"{formats.count(row.order_count)} order{'' if row.order_count == 1 else 's'}"
    small = f"{formats.percent(part)} · {orders}" if part is not None else orders
    length = float(row.net_revenue / longest) if longest > 0 else 0.0
    return (
        name,
        small,
        formats.money(row.net_revenue, places=0),
        formats.money(row.net_revenue),
        length,
    )


def _home(row: Any, *, total: Decimal, others: int) -> Any:
    part = row.net_revenue / total
    return html.Div(
        [
            html.Span(row.country, className="bar-name"),
            html.Span(
                formats.money(row.net_revenue, places=0),
                className="bar-amount",
                title=formats.money(row.net_revenue),
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
    amount = sum((row.net_revenue for row in rows), Decimal(0))
    return html.P(
        [
            html.Span(f"and {len(rows)} more"),
            html.Span(formats.money(amount, places=0), title=formats.money(amount)),
        ],
        className="bar-line muted remainder",
    )
