"""The filter bar above the pages. What is chosen is kept in the address, and nowhere else.

In: the address, and the days and countries that gold holds. Out: the bar, and a checked `Selection`
for the queries. `assets/filters.js` keeps controls and address in step in the browser.

Parameters: `period` (a preset) or `from` and `to` (ISO days), `country` (as often as wanted). What
is left out has its default: all days, all countries.
"""

from typing import Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, dcc, html, no_update

from dashboards import components, periods
from dashboards.callbacks import off_loop
from dashboards.published import PublishedGold
from dashboards.queries import sales
from dashboards.registry import modules

_LONGEST_SEARCH = 8_000


def bar() -> Any:
    """The bar, still without the data's limits; hidden until there are any."""
    return html.Div(
        [
            html.Div(
                dmc.SegmentedControl(
                    id="preset",
                    data=[{"value": key, "label": each} for key, each in periods.PRESETS.items()],
                    value=periods.DEFAULT_PRESET,
                    fullWidth=True,
                    withItemsBorders=False,
                    **{"aria-label": "Period"},
                ),
                className="filter-period",
            ),
            html.Div(
                dmc.DatePickerInput(
                    id="days",
                    type="range",
                    valueFormat="D MMM YYYY",
                    allowSingleDateInRange=True,
                    weekendDays=[],
                    leftSection=components.icon("calendar"),
                    **{"aria-label": "First and last day"},
                ),
                className="filter-period",
            ),
            html.Div(
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
                    **{"aria-label": "Countries"},
                ),
                className="filter-country",
            ),
            dcc.Store(id="filter-limits"),
        ],
        id="filters",
        className="filters",
        hidden=True,
        role="group",
        **{"aria-label": "Filters"},
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Keep controls, address and data in step."""
    app.callback(
        Output("filter-limits", "data"),
        Output("days", "minDate"),
        Output("days", "maxDate"),
        Output("countries", "data"),
        Input("epoch", "data"),
    )(off_loop(lambda _epoch: limits(gold), on_error=lambda _notice: [None, *[no_update] * 3]))
    app.clientside_callback(
        ClientsideFunction("filters", "keep"),
        Output("url", "search"),
        Output("preset", "value"),
        Output("days", "value"),
        Output("countries", "value"),
        Input("url", "search"),
        Input("preset", "value"),
        Input("days", "value"),
        Input("countries", "value"),
        Input("filter-limits", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("filters", "fit"),
        Output("filters", "className"),
        Output("filters", "hidden"),
        Input("url", "pathname"),
        Input("filter-limits", "data"),
        State("pages", "data"),
    )


def limits(gold: PublishedGold) -> list[Any]:
    """What can be chosen: the days of each preset, the first and last day, and the countries.

    Nothing (the bar is hidden) in a shop without sales.
    """
    with gold.reader() as reader:
        extent = sales.extent(reader.cursor)
    if extent is None:
        return [None, *[no_update] * 3]
    days = {
        preset: [day.isoformat() for day in periods.preset_days(preset, extent)]
        for preset in periods.PRESETS
    }
    first, last = days["all"]
    return [{"presets": days, "default": periods.DEFAULT_PRESET}, first, last, [*extent.countries]]


def chosen(search: object, extent: periods.Extent) -> periods.Selection:
    """What an address asks for; `search` is its part from the question mark on.

    Raises:
        BadFilter: A parameter can't be read, or names what gold does not hold.
    """
    text = search if isinstance(search, str) else ""
    if len(text) > _LONGEST_SEARCH:
        raise periods.BadFilter("The address holds more filters than can be read: reset them.")
    given = parse_qs(text.removeprefix("?"), keep_blank_values=True)
    days: Any = [given.get(name, [""])[-1] for name in ("from", "to")]
    if not any(days):
        preset = given.get("period", [periods.DEFAULT_PRESET])[-1]
        days = [day.isoformat() for day in periods.preset_days(preset, extent)]
    return periods.checked(days, given.get("country", []), extent)


def pages() -> list[dict[str, Any]]:
    """What the browser needs to know of each page."""
    return [
        {"path": page.path, "title": page.title, "filters": list(page.filters)}
        for page in (module.PAGE for module in modules())
    ]
