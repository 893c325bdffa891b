"""The filter bar above the pages. What is chosen is kept in the address, and nowhere else.

In: the address, and the days and countries that gold holds. Out: the bar, and a checked `Selection`
for the queries. `assets/filters.js` keeps controls and address in step in the browser.

Parameters: `period` (a preset) or `from` and `to` (ISO days), `compare` (a comparison), `country`,
`source` and `product` (each as often as wanted). What is left out has its default: all of it.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, dcc, html, no_update

from dashboards import components, formats, periods
from dashboards.callbacks import off_loop
from dashboards.figures.sales import source_name
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
            html.Div(
                dmc.Select(
                    id="source",
                    data=[],
                    value=None,
                    placeholder="All sources",
                    clearable=True,
                    **{"aria-label": "Source"},
                ),
                className="filter-source",
            ),
            html.Div(
                dmc.Select(
                    id="comparison",
                    data=[
                        {"value": key, "label": f"vs {each[0].lower()}{each[1:]}"}
                        for key, each in periods.COMPARISONS.items()
                    ],
                    value=periods.DEFAULT_COMPARISON,
                    allowDeselect=False,
                    **{"aria-label": "Compare with"},
                ),
                className="filter-comparison",
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
        Output("source", "data"),
        Input("epoch", "data"),
    )(off_loop(lambda _epoch: limits(gold), on_error=lambda _notice: [None, *[no_update] * 4]))
    app.clientside_callback(
        ClientsideFunction("filters", "keep"),
        Output("url", "search"),
        Output("preset", "value"),
        Output("days", "value"),
        Output("countries", "value"),
        Output("source", "value"),
        Output("comparison", "value"),
        Input("url", "search"),
        Input("preset", "value"),
        Input("days", "value"),
        Input("countries", "value"),
        Input("source", "value"),
        Input("comparison", "value"),
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
    """What can be chosen: the days of each preset, first and last day, countries and sources.

    Nothing (the bar is hidden) in a shop without sales.
    """
    with gold.reader() as reader:
        extent = sales.held(reader)
    if extent is None:
        return [None, *[no_update] * 4]
    days = {
        preset: [day.isoformat() for day in periods.preset_days(preset, extent)]
        for preset in periods.PRESETS
    }
    first, last = days["all"]
    sources = [{"value": each, "label": source_name(each)} for each in extent.sources]
    stored = {
        "presets": days,
        "default": periods.DEFAULT_PRESET,
        "comparison": periods.DEFAULT_COMPARISON,
    }
    return [stored, first, last, [*extent.countries], sources]


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
    return periods.checked(
        days,
        given.get("country"),
        extent,
        sources=given.get("source"),
        products=given.get("product"),
        compare=given.get("compare", [periods.DEFAULT_COMPARISON])[-1],
    )


def changed(selection: periods.Selection, **changes: Any) -> periods.Selection:
    """The selection with other values of some fields."""
    return replace(selection, **changes)


def address(selection: periods.Selection, **changes: Any) -> str:
    """The address' part from the question mark on, for a selection with `changes`."""
    wanted = changed(selection, **changes)
    given: list[tuple[str, str]] = [
        ("from", wanted.start.isoformat()),
        ("to", wanted.end.isoformat()),
    ]
    given += [("country", each) for each in wanted.countries]
    given += [("source", each) for each in wanted.sources]
    given += [("product", each) for each in wanted.products]
    if wanted.compare != periods.DEFAULT_COMPARISON:
        given.append(("compare", wanted.compare))
    return f"?{urlencode(given)}"


def download(file: str, text: str, selection: periods.Selection) -> Any:
    """A link to a file of the selection, as `dashboards.exports` makes it."""
    return html.A(
        text,
        href=f"/export/{file}{address(selection)}",
        className="file-link",
        download=True,
        **{"aria-label": f"Download {file}"},
    )


def scope(selection: periods.Selection, earlier: periods.Selection | None) -> str:
    """What a page shows, in words."""
    places = selection.countries
    where = ", ".join(places) if len(places) <= 3 else f"{len(places)} countries"
    parts = [formats.period(selection.start, selection.end), where or "all countries"]
    parts += [source_name(each) for each in selection.sources]
    parts += [f"product {each}" for each in selection.products]
    if earlier:
        parts.append(f"compared with {formats.period(earlier.start, earlier.end)}")
    return " · ".join(parts)


def pages() -> list[dict[str, Any]]:
    """What the browser needs to know of each page."""
    return [
        {"path": page.path, "title": page.title, "filters": list(page.filters)}
        for page in (module.PAGE for module in modules())
    ]
