"""Overview: the shop's key figures, sales over time, products and countries.

In: the filters of the page and the gold in service. Out: cards, a figure and lists, all of one
version. Alone: `python -m dashboards.app`, then open the address that it prints.
"""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from dashboards import components, data, figures, formats, periods
from dashboards.callbacks import FIRST_COMMAND, off_loop
from dashboards.pages.overview_parts import cards, countries_list, products_list, sales_table
from dashboards.published import PublishedGold

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
                [_filters(), html.Div(id="overview-problem"), _body()],
                id="overview-body",
                hidden=True,
            ),
        ]
    )


def _filters() -> Any:
    return html.Div(
        [
            html.Div(
                dmc.SegmentedControl(
                    id="preset",
                    data=[{"value": key, "label": each} for key, each in periods.PRESETS.items()],
                    value=periods.DEFAULT_PRESET,
                    fullWidth=True,
                    **{"aria-label": "Period"},
                ),
                className="filter-preset",
            ),
            dmc.DatePickerInput(
                id="days",
                type="range",
                valueFormat="D MMM YYYY",
                allowSingleDateInRange=True,
                leftSection=components.icon("calendar"),
                className="filter-days",
                **{"aria-label": "First and last day"},
            ),
            dmc.MultiSelect(
                id="countries",
                data=[],
                value=[],
                placeholder="All countries",
                searchable=True,
                clearable=True,
                hidePickedOptions=True,
                nothingFoundMessage="No such country",
                leftSection=components.icon("globe"),
                className="filter-countries",
                **{"aria-label": "Countries"},
            ),
        ],
        className="filters",
        role="group",
        **{"aria-label": "Filters"},
    )


def _body() -> Any:
    chart = html.Div(
        dcc.Graph(id="sales-graph", config=_CHART, className="graph", responsive=True),
        id="sales-chart",
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
    app.callback(
        Output("preset", "value"),
        Output("days", "value"),
        Output("days", "minDate"),
        Output("days", "maxDate"),
        Output("countries", "data"),
        Input("preset", "value"),
        Input("days", "value"),
        Input("epoch", "data"),
    )(
        off_loop(
            lambda preset, days, _epoch: filters_for(
                gold, preset=preset, days=days, trigger=ctx.triggered_id
            ),
            on_error=lambda _notice: [no_update] * 5,
        )
    )
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
    )(
        off_loop(
            lambda days, countries, _epoch: figures_for(gold, days=days, countries=countries),
            on_error=lambda notice: [notice, True, None, True, "", *[no_update] * 6],
        )
    )
    app.clientside_callback(
        ClientsideFunction("cartlake", "themed"),
        Output("sales-graph", "figure"),
        Input("sales-figure", "data"),
        Input("scheme", "computedColorScheme"),
        Input("templates", "data"),
    )


def filters_for(gold: PublishedGold, *, preset: object, days: object, trigger: object) -> list[Any]:
    """Values of the filters after one of them, or the data, changed.

    Returns:
        Preset (empty for days of one's own choice), the two days, the first and last day to choose
        from, and the countries to choose from. A preset follows the data's last day.
    """
    with gold.reader() as reader:
        extent = data.extent(reader.cursor)
    if extent is None:
        return [no_update] * 5
    limits = [extent.first_day.isoformat(), extent.last_day.isoformat(), list(extent.countries)]
    if trigger == "days":
        if not isinstance(days, list) or not all(days):
            raise PreventUpdate
        chosen = [key for key in periods.PRESETS if days == _iso(key, extent)]
        return [chosen[-1] if chosen else "", no_update, *limits]
    known = preset if isinstance(preset, str) and preset in periods.PRESETS else ""
    if known:
        return [no_update, _iso(known, extent), *limits]
    if trigger == "preset":
        raise PreventUpdate
    return [no_update, no_update, *limits]


def figures_for(gold: PublishedGold, *, days: object, countries: object) -> list[Any]:
    """Everything the page shows for one selection, read from one version of gold."""
    with gold.reader() as reader:
        extent = data.extent(reader.cursor)
        if extent is None:
            return _nothing(
                components.empty_state(
                    "No sales yet",
                    why="Gold is published, but it holds no sale and no cancellation.",
                    command=FIRST_COMMAND,
                )
            )
        if days is None:
            raise PreventUpdate
        try:
            selection = periods.checked(days, countries, extent)
        except periods.BadFilter as problem:
            return _unusable(str(problem))
        totals = data.totals(reader.cursor, selection)
        earlier = selection.before(extent)
        before = data.totals(reader.cursor, earlier) if earlier else None
        sales = data.sales_over_time(reader.cursor, selection)
        activity = data.activity_over_time(reader.cursor, selection)
        products = data.top_products(reader.cursor, selection)
        by_country = data.sales_by_country(reader.cursor, selection)
    if sales.empty:
        return _unusable("There are no sales in these countries on these days.")
    first_cut, last_cut = periods.buckets_cut(selection)
    figure = figures.sales_over_time(
        sales, grain=selection.grain, is_first_cut=first_cut, is_last_cut=last_cut
    )
    return [
        None,
        False,
        None,
        False,
        _scope(selection),
        cards(totals, before, earlier=earlier, sales=sales, activity=activity),
        _note(selection, is_cut=first_cut or last_cut),
        figure,
        sales_table(sales, grain=selection.grain),
        products_list(products),
        countries_list(by_country),
    ]


def _iso(preset: str, extent: periods.Extent) -> list[str]:
    return [day.isoformat() for day in periods.preset_days(preset, extent)]


def _nothing(notice: Any) -> list[Any]:
    return [notice, True, None, True, "", *[no_update] * 6]


def _unusable(text: str) -> list[Any]:
    return [None, False, components.banner("plain", text), True, "", *[no_update] * 6]


def _scope(selection: periods.Selection) -> str:
    places = selection.countries
    where = ", ".join(places) if 0 < len(places) <= 3 else f"{len(places)} countries"
    return (
        f"{formats.period(selection.start, selection.end)} · {where if places else 'all countries'}"
    )


def _note(selection: periods.Selection, *, is_cut: bool) -> str:
    text = f"Gross by source, cancelled and net, in pounds per {selection.grain}."
    return f"{text} Lighter bars: the {selection.grain} is not whole." if is_cut else text
