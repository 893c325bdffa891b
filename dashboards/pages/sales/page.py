"""Sales: the shop's key figures, sales over time, products and countries.

In: the filters of the page and the gold in service. Out: cards, a figure and lists, all of one
version. Run standalone: `python -m dashboards.app`, then open the address that it prints.
"""

from typing import Any

from dash import Input, Output, html, no_update

from dashboards import components, filters, periods, themed_chart
from dashboards.callbacks import FIRST_COMMAND, off_loop
from dashboards.figures import sales as sales_figures
from dashboards.pages.sales.cards import KPIS, cards, countries_list, products_list, sales_table
from dashboards.published import PublishedGold, Reader
from dashboards.queries import sales as sales_queries
from dashboards.registry import Page
from lakehouse.shop import shop

PAGE = Page(
    "/sales",
    "Sales",
    group="Sales",
    icon="chart",
    filters=("period", "comparison", "country", "source"),
)


def layout() -> Any:
    """The page without figures; callbacks fill it."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1(PAGE.title),
                    html.P(id="sales-scope", className="muted", **{"aria-live": "polite"}),
                ],
                className="page-head",
            ),
            html.Div(id="sales-notice"),
            html.Div(
                [html.Div(id="sales-problem"), _body()],
                id="sales-body",
                hidden=True,
            ),
        ]
    )


def _body() -> Any:
    chart = themed_chart.layout(
        "sales", "Chart of revenue over time; the same figures are in the table below it"
    )
    numbers = html.Details(
        [html.Summary("Show these figures as a table"), html.Div(id="sales-table")]
    )
    return html.Div(
        [
            html.Div(id="kpis", className="kpis"),
            components.card(
                "Revenue over time",
                [chart, numbers],
                note=html.Span(id="sales-note"),
                id="sales-card",
            ),
            html.Div([html.Div(id="products"), html.Div(id="top-countries")], className="halves"),
        ],
        id="sales-parts",
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the gold in service."""

    app.callback(
        Output("sales-notice", "children"),
        Output("sales-body", "hidden"),
        Output("sales-problem", "children"),
        Output("sales-parts", "hidden"),
        Output("sales-scope", "children"),
        Output("kpis", "children"),
        Output("sales-note", "children"),
        Output("sales-figure", "data"),
        Output("sales-table", "children"),
        Output("products", "children"),
        Output("top-countries", "children"),
        Input("url", "search"),
        Input("epoch", "data"),
    )(
        off_loop(
            lambda search, _epoch: figures_for(gold, search),
            on_error=lambda notice: [notice, True, None, True, "", *[no_update] * 6],
        )
    )
    themed_chart.register(app, "sales")


def figures_for(gold: PublishedGold, search: object) -> list[Any]:
    """Everything the page shows for the filters of an address, read from one version of gold."""
    with gold.reader() as reader:
        extent = sales_queries.held(reader)
        if extent is None:
            return _nothing(
                components.empty_state(
                    "No sales yet",
                    why="Gold is published, but it holds no sale and no cancellation.",
                    command=FIRST_COMMAND,
                )
            )
        try:
            selection = filters.chosen(search, extent)
        except periods.BadFilter as problem:
            return _unusable(str(problem))
        return reader.once(("page sales", selection), lambda: _page(reader, selection, extent))


def _page(reader: Reader, selection: periods.Selection, extent: periods.Extent) -> list[Any]:
    cursor, names = reader.cursor, (*KPIS, "return_rate")
    earlier = selection.before(extent)
    now = sales_queries.values_of(cursor, selection, names)
    before = sales_queries.values_of(cursor, earlier, names) if earlier else None
    trends = sales_queries.over_time(cursor, selection, tuple(KPIS))
    sales = sales_queries.sales_over_time(cursor, selection)
    products = sales_queries.top_products(cursor, selection)
    by_country = sales_queries.sales_by_country(cursor, selection)
    if sales.empty:
        return _unusable("There are no sales in these countries on these days.")
    first_cut, last_cut = periods.buckets_cut(selection)
    figure = sales_figures.sales_over_time(
        sales, grain=selection.grain, is_first_cut=first_cut, is_last_cut=last_cut
    )
    return [
        None,
        False,
        None,
        False,
        filters.scope(selection, earlier),
        cards(now, before, earlier=earlier, trends=trends),
        _note(selection, is_cut=first_cut or last_cut),
        figure,
        sales_table(sales, grain=selection.grain),
        products_list(products, filters.download("product.csv", "CSV", selection)),
        countries_list(by_country, filters.download("country.csv", "CSV", selection)),
    ]


def _nothing(notice: Any) -> list[Any]:
    return [notice, True, None, True, "", *[no_update] * 6]


def _unusable(text: str) -> list[Any]:
    return [None, False, components.banner("plain", text), True, "", *[no_update] * 6]


def _note(selection: periods.Selection, *, is_cut: bool) -> str:
    text = f"Gross by source, cancelled and net, in {shop().currency} per {selection.grain}."
    return f"{text} Lighter bars: the {selection.grain} is incomplete." if is_cut else text
