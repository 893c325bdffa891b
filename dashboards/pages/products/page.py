"""Products: what sold best, what is bought with it, and how well that is known.

In: the filters in the address, the gold in service and the last scoring. Out: the page, filled by
one callback. Run standalone: `python -m dashboards.app`, then open /products.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from dash import Input, Output, html

from dashboards import components, filters, formats, periods, scored
from dashboards.callbacks import FIRST_COMMAND, off_loop
from dashboards.periods import Selection
from dashboards.published import PublishedGold
from dashboards.queries.products import NAME, SHOWN, Recommender, bought_with, recommender
from dashboards.queries.sales import held, top_products
from dashboards.registry import Page
from lakehouse.semantics.names import product_names

PAGE = Page(
    "/products", "Products", group="Sales", icon="basket", filters=("period", "country", "source")
)
_SHOWN = 25


def layout() -> Any:
    """The page without content; a callback fills it."""
    question = "Which products sell best, and what is bought with them?"
    return html.Div([components.page_head(PAGE.title, question), html.Div(id="products-body")])


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the gold in service and to the last scoring."""
    app.callback(
        Output("products-body", "children"), Input("url", "search"), Input("epoch", "data")
    )(off_loop(lambda search, _epoch: filled(gold, search), on_error=lambda notice: notice))


def filled(gold: PublishedGold, search: object) -> Any:
    """The page for the filters of an address."""
    known, beside = recommender(gold.settings), bought_with(gold.settings)
    with gold.reader() as reader:
        extent = held(reader)
        if extent is None:
            return components.empty_state(
                "No sales yet",
                why="Gold is published, but it holds no sale and no cancellation.",
                command=FIRST_COMMAND,
            )
        try:
            selection = filters.chosen(search, extent)
        except periods.BadFilter as problem:
            return components.banner("plain", str(problem))
        products = reader.once(
            ("page products", selection),
            lambda: top_products(reader.cursor, selection, limit=_SHOWN),
        )
        names = product_names(reader.cursor, sorted(set(beside["recommended_sku"])))
    return body(products, beside, names, known, selection)


def body(
    products: pd.DataFrame,
    beside: pd.DataFrame,
    names: Mapping[str, str],
    known: Recommender,
    selection: Selection,
) -> Any:
    """How good the recommender is, then each product with what is bought with it."""
    parts = [
        html.P(filters.scope(selection, None), className="muted"),
        _quality(known, len(beside)),
        _products(products, _texts(beside, names), selection),
    ]
    return html.Div(parts, className="stack")


def _quality(known: Recommender, rows: int) -> Any:
    if known.problem or not known.label:
        return scored.nothing_yet(known.problem.rstrip("."), model=NAME)
    if not rows:
        return scored.nothing_yet()
    if known.metrics is None:
        return None
    figures = known.metrics
    return html.Div(
        [
            components.kpi(
                "Hit rate",
                scored.percent(figures["hit_rate"], places=1),
                hint=f"by {known.label}: a product hidden in later orders is among ten shown",
            ),
            components.kpi(
                "Hit rate of popularity",
                scored.percent(figures["hit_rate_popularity"], places=1),
                hint="by the ten most popular products, in the same orders",
            ),
            components.kpi(
                "Coverage",
                scored.percent(figures["coverage"]),
                hint="of all products are shown beside another",
            ),
        ],
        className="kpis",
    )


def _products(products: pd.DataFrame, beside: Mapping[str, list[str]], selection: Selection) -> Any:
    columns = (
        components.Column("Product", is_wide=True),
        components.Column("Pieces", is_number=True),
        components.Column("Net revenue", is_number=True),
        components.Column("Bought with it", is_wide=True),
    )
    rows = [
        (
            html.Span([row.description, html.Span(f" {row.sku}", className="muted")]),
            formats.count(row.item_quantity),
            formats.money(row.net_revenue, places=0),
            html.Ul([html.Li(text) for text in beside[row.sku]], className="plain-list")
            if row.sku in beside
            else html.Span("nothing often enough", className="muted"),
        )
        for row in scored.rows(products)
    ]
    return components.card(
        "Top products and what is bought with them",
        components.table(columns, rows, label="Top products and what is bought with them")
        if rows
        else html.P("No product was sold there on these days.", className="muted"),
        aside=filters.download("product.csv", "CSV", selection),
        note=f"The {_SHOWN} with the most net revenue in the period; services are left out. Beside "
        f"each up to {SHOWN} products by the last scoring, from all orders that were known then.",
        id="products-table",
    )


def _texts(beside: pd.DataFrame, names: Mapping[str, str]) -> dict[str, list[str]]:
    """For each product the names of those bought with it, and the orders that hold both."""
    found: dict[str, list[str]] = {}
    for row in scored.rows(beside):
        name = names.get(row.recommended_sku, row.recommended_sku)
        found.setdefault(row.sku, []).append(f"{name} ({formats.count(row.shared_orders)} orders)")
    return found
