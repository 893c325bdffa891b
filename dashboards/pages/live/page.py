"""Live: what happens in the shop now, told within seconds.

In: the live figures that the socket brings. Out: tiles, the newest orders, countries, products and
the funnel; `assets/live_page.js` fills them in the browser, so the server does nothing per client.
Run standalone: `python -m dashboards.app`, then open /live-shop.
"""

from typing import Any

from dash import html

from dashboards import components
from dashboards.published import PublishedGold
from dashboards.registry import Page
from lakehouse.contracts.kpis import kpi

PAGE = Page("/live-shop", "Live", group="Sales", icon="clock")

TILES = (
    ("net_revenue", "Net revenue"),
    ("order_count", "Orders"),
    ("average_order_value", "Average order value"),
    ("visitor_count", "Visitors"),
    ("conversion_rate", "Conversion"),
    ("cart_count", "Carts"),
)
"""KPI and label of each tile; its definition is the KPI's, and today's value is gold's to be."""

_MEANINGS = {
    "visitor_count": "Distinct visitors of the visits that began today, or were in the window.",
    "cart_count": "Visits that put something into the cart.",
}
"""What the tiles mean that are no KPIs of gold."""

_LISTS = (
    ("latest_orders", "Newest orders", "Orders and credit notes of today, the newest first."),
    ("funnel", "Funnel", "Visits that began today, by the step that they reached."),
    ("sales_by_country", "Countries", "Gross revenue of today."),
    ("top_products", "Products", "Gross revenue of today, services left out."),
)
COMMAND = "./lake live"


def layout() -> Any:
    """The page without figures."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1(PAGE.title),
                    html.P(
                        "Waiting for the first figures.",
                        className="muted",
                        **{"data-live-clock": ""},
                    ),
                ],
                className="page-head",
            ),
            html.Div(
                components.banner(
                    "warn",
                    [
                        html.Strong("No news from the shop. "),
                        "The figures below are those of ",
                        html.Span(**{"data-live-since": ""}),
                        f". {COMMAND} runs the live shop; this page goes on by itself.",
                    ],
                ),
                hidden=True,
                **{"data-live-stale": ""},
            ),
            html.Div(
                components.empty_state(
                    "Nothing is live yet",
                    why="This command opens the shop and streams what happens in it; the page "
                    "fills by itself.",
                    command=COMMAND,
                ),
                **{"data-live-empty": ""},
            ),
            html.Div(
                [
                    html.Div([_tile(*each) for each in TILES], className="kpis"),
                    html.Div([_list(*each) for each in _LISTS[:2]], className="halves"),
                    html.Div([_list(*each) for each in _LISTS[2:]], className="halves"),
                ],
                className="stack",
                hidden=True,
                **{"data-live-body": ""},
            ),
        ],
        id="live-shop",
    )


def _tile(name: str, label: str) -> Any:
    shorter = [
        html.Span(
            [
                html.Span(className="live-value", **{"data-live-figure": f"{window}/{name}"}),
                html.Span(f" {words}", className="kpi-hint"),
            ]
        )
        for window, words in (("last_15_minutes", "in 15 min"), ("last_minute", "in 1 min"))
    ]
    return html.Article(
        [
            html.H2(
                [label, html.Span(" today", className="for-ears")],
                className="kpi-label",
                title=_MEANINGS.get(name) or kpi(name).definition,
            ),
            html.P(className="kpi-value", **{"data-live-figure": f"today/{name}"}),
            html.P(shorter, className="kpi-foot live-foot"),
        ],
        className="card kpi live-tile",
    )


def _list(name: str, title: str, note: str) -> Any:
    return components.card(
        title,
        html.Ol(className="bars", **{"data-live-list": f"today/{name}", "aria-label": title}),
        note=note,
    )


def register(_app: Any, _gold: PublishedGold) -> None:
    """Nothing to connect: the browser fills the page."""
