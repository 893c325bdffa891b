"""Executive: six key figures against a period of choice, what changed, and who changed it.

In: the filters in the address, and the gold in service. Out: tiles, a chart and tables that lead on
to a day, a country or a product, all of one version. The same as files: `dashboards.exports`.
Run standalone: `python -m dashboards.app`, then open the address that it prints.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dash import ClientsideFunction, Input, Output, State, dcc, html, no_update

from dashboards import components, filters, formats, periods, themed_chart
from dashboards.callbacks import FIRST_COMMAND, off_loop
from dashboards.pages.executive import parts
from dashboards.pages.executive.words import sentence
from dashboards.published import PublishedGold, Reader
from dashboards.queries import executive as queries
from dashboards.queries.executive import Overview
from dashboards.queries.sales import held
from dashboards.registry import Page
from dashboards.targets import targets

PAGE = Page(
    "/",
    "Executive",
    group="Sales",
    icon="target",
    filters=("period", "comparison", "country", "source"),
)


def layout() -> Any:
    """The page without figures; a callback fills it."""
    return html.Div(
        [
            html.Div(
                [
                    html.Div(
                        [
                            html.H1(PAGE.title),
                            html.P(
                                id="executive-scope", className="muted", **{"aria-live": "polite"}
                            ),
                        ]
                    ),
                    html.Div(id="executive-files", className="files"),
                ],
                className="page-head with-files",
            ),
            html.Div(id="executive-notice"),
            html.Div(_body(), id="executive-body", className="stack", hidden=True),
            dcc.Store(id="executive-shown"),
        ]
    )


def _body() -> list[Any]:
    chart = themed_chart.layout(
        "executive", "Chart of net revenue over time; the table below it has its figures"
    )
    return [
        html.P(id="executive-sentence", className="sentence"),
        html.Div(id="executive-kpis", className="kpis"),
        components.card(
            "Net revenue over time",
            [
                chart,
                html.Details(
                    [
                        html.Summary("Show the key figures as a table"),
                        html.Div(id="executive-table"),
                    ]
                ),
            ],
            note="A click on a bar shows its days alone.",
            id="executive-chart-card",
        ),
        html.Div(id="executive-parts", className="thirds"),
    ]


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the gold in service."""
    app.callback(
        Output("executive-notice", "children"),
        Output("executive-body", "hidden"),
        Output("executive-scope", "children"),
        Output("executive-files", "children"),
        Output("executive-sentence", "children"),
        Output("executive-kpis", "children"),
        Output("executive-figure", "data"),
        Output("executive-shown", "data"),
        Input("url", "search"),
        Input("epoch", "data"),
    )(
        off_loop(
            lambda search, epoch: [*figures_for(gold, search), [search, epoch]],
            on_error=lambda notice: [*_instead(notice), no_update],
        )
    )
    app.callback(
        Output("executive-table", "children"),
        Output("executive-parts", "children"),
        Input("executive-shown", "data"),
        prevent_initial_call=True,
    )(
        off_loop(
            lambda shown: tables_for(gold, shown[0]),
            on_error=lambda _notice: [no_update] * 2,
        )
    )
    themed_chart.register(app, "executive")
    app.clientside_callback(
        ClientsideFunction("filters", "drill"),
        Output("url", "search", allow_duplicate=True),
        Input("executive-graph", "clickData"),
        State("url", "search"),
        prevent_initial_call=True,
    )


def figures_for(gold: PublishedGold, search: object) -> list[Any]:
    """The key figures of an address's filters, or why there are none; of one version of gold."""
    with gold.reader() as reader:
        overview = _overview(reader, search)
        if not isinstance(overview, Overview):
            return _instead(overview)
        as_of = f"{formats.moment(reader.version.published_at)}, run {reader.version.run_id}"
        wanted = targets(gold.settings)
        return reader.once(
            ("executive's figures", overview.selection),
            lambda: _figures(overview, wanted, as_of=as_of),
        )


def tables_for(gold: PublishedGold, search: object) -> list[Any]:
    """The tables below the key figures, which the browser asks for when it has these."""
    with gold.reader() as reader:
        overview = _overview(reader, search)
        if not isinstance(overview, Overview):
            return [no_update, no_update]
        return reader.once(
            ("executive's tables", overview.selection),
            lambda: [
                parts.buckets(overview, PAGE.path),
                parts.contributors(overview, PAGE.path),
            ],
        )


def _overview(reader: Reader, search: object) -> Any:
    """The overview of an address, or a notice in its place."""
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
    overview = queries.remembered(reader, selection, extent, most=parts.SHOWN)
    if overview.is_empty:
        return components.banner("plain", "Nothing was sold there on these days.")
    return overview


def _figures(overview: Overview, wanted: Mapping[str, Decimal], *, as_of: str) -> list[Any]:
    selection = overview.selection
    files = [
        filters.download("executive.html", "HTML", selection),
        filters.download("executive.pdf", "PDF", selection),
        filters.download("key-figures.csv", "CSV", selection),
    ]
    return [
        parts.chips(selection, PAGE.path),
        False,
        filters.scope(selection, overview.earlier),
        files,
        sentence(overview),
        parts.cards(overview, wanted, as_of=as_of),
        parts.figure(overview, wanted),
    ]


def _instead(notice: Any) -> list[Any]:
    """A notice in place of the figures."""
    return [notice, True, "", [], *[no_update] * 3]
