"""Overview: the shop's key figures, sales over time, products and countries.

In: the filters of the page and the gold in service. Out: cards, a figure and lists, all of one
version. Run standalone: `python -m dashboards.app`, then open the address that it prints.
"""

from typing import Any

from dash import ClientsideFunction, Input, Output, dcc, html, no_update
from dash.exceptions import PreventUpdate

from dashboards import components, formats, periods
from dashboards.callbacks import FIRST_COMMAND, off_loop, require_page
from dashboards.figures import sales as sales_figures
from dashboards.pages.overview import filters
from dashboards.pages.overview.cards import cards, countries_list, products_list, sales_table
from dashboards.published import PublishedGold
from dashboards.queries import sales as sales_queries
from lakehouse.shop import shop

PATH, TITLE, ICON = "/", "Overview", "chart"
_CHART = {"displayModeBar": False, "responsive": True, "doubleClick": False}


def layout() -> Any:
    """The page without figures; callbacks fill it."""
    return html.Div(
        [
            html.Div(
                [
                    html.H1(TITLE),
                    html.P(id="overview-scope", className="muted", **{"aria-live": "polite"}),
                ],
                className="page-head",
            ),
            html.Div(id="overview-notice"),
            html.Div(
                [filters.bar(), html.Div(id="overview-problem"), _body()],
                id="overview-body",
                hidden=True,
            ),
        ]
    )


def _body() -> Any:
    chart = html.Div(
        dcc.Graph(id="sales-graph", config=_CHART, responsive=True, style={"height": "100%"}),
        id="sales-chart",
        className="graph",
        role="img",
        **{"aria-label": "Chart of revenue over time; the same figures are in the table below it"},
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
            dcc.Store(id="sales-figure"),
        ],
        id="overview-figures",
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the gold in service."""

    def show(days: object, countries: object, _epoch: object, path: object) -> list[Any]:
        require_page(path, PATH)
        return figures_for(gold, days=days, countries=countries)

    filters.register(app, gold)
    app.callback(
        Output("overview-notice", "children"),
        Output("overview-body", "hidden"),
        Output("overview-problem", "children"),
        Output("overview-figures", "hidden"),
        Output("overview-scope", "children"),
        Output("kpis", "children"),
        Output("sales-note", "children"),
        Output("sales-figure", "data"),
        Output("sales-table", "children"),
        Output("products", "children"),
        Output("top-countries", "children"),
        Input("days", "value"),
        Input("countries", "value"),
        Input("epoch", "data"),
        Input("url", "pathname"),
    )(
        off_loop(
            show,
            on_error=lambda notice: [notice, True, None, True, "", *[no_update] * 6],
        )
    )
    app.clientside_callback(
        ClientsideFunction("cartlake", "themed"),
        Output("sales-graph", "figure"),
        Input("sales-figure", "data"),
        Input("shown-scheme", "data"),
        Input("templates", "data"),
    )


def figures_for(gold: PublishedGold, *, days: object, countries: object) -> list[Any]:
    """Everything the page shows for one selection, read from one version of gold."""
    with gold.reader() as reader:
        extent = sales_queries.extent(reader.cursor)
        if extent is None:
            return _nothing(
                components.empty_state(
                    "No sales yet",
                    why="Gold is published, but it holds no sale and no cancellation.",
                    command=FIRST_COMMAND,
                )
            )
        if not days or (isinstance(days, list) and None in days):
            raise PreventUpdate  # the second day is still to be chosen
        try:
            selection = periods.checked(days, countries, extent)
        except periods.BadFilter as problem:
            return _unusable(str(problem))
        totals = sales_queries.totals(reader.cursor, selection)
        earlier = selection.before(extent)
        before = sales_queries.totals(reader.cursor, earlier) if earlier else None
        sales = sales_queries.sales_over_time(reader.cursor, selection)
        activity = sales_queries.activity_over_time(reader.cursor, selection)
        products = sales_queries.top_products(reader.cursor, selection)
        by_country = sales_queries.sales_by_country(reader.cursor, selection)
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
        _scope(selection, earlier),
        cards(totals, before, earlier=earlier, sales=sales, activity=activity),
        _note(selection, is_cut=first_cut or last_cut),
        figure,
        sales_table(sales, grain=selection.grain),
        products_list(products),
        countries_list(by_country),
    ]


def _nothing(notice: Any) -> list[Any]:
    return [notice, True, None, True, "", *[no_update] * 6]


def _unusable(text: str) -> list[Any]:
    return [None, False, components.banner("plain", text), True, "", *[no_update] * 6]


def _scope(selection: periods.Selection, earlier: periods.Selection | None) -> str:
    places = selection.countries
    where = ", ".join(places) if len(places) <= 3 else f"{len(places)} countries"
    shown = f"{formats.period(selection.start, selection.end)} · {where or 'all countries'}"
    against = f" · compared with {formats.period(earlier.start, earlier.end)}" if earlier else ""
    return f"{shown}{against}"


def _note(selection: periods.Selection, *, is_cut: bool) -> str:
    text = f"Gross by source, cancelled and net, in {shop().currency} per {selection.grain}."
    return f"{text} Lighter bars: the {selection.grain} is incomplete." if is_cut else text
