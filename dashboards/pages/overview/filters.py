"""The filters of the Overview: presets, a range of days within the data, and countries.

In: what was chosen, and the days and countries that gold holds. Out: the filter bar and its values.
"""

from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, ctx, html, no_update
from dash.exceptions import PreventUpdate

from dashboards import components, periods
from dashboards.callbacks import off_loop
from dashboards.published import PublishedGold
from dashboards.queries import sales


def bar() -> Any:
    """The filters, still without the data's limits."""
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
                className="filter-countries",
            ),
        ],
        className="filters",
        role="group",
        **{"aria-label": "Filters"},
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Keep the filters in step with each other and with the data."""
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
            lambda preset, days, _epoch: values_for(
                gold, preset=preset, days=days, trigger=ctx.triggered_id
            ),
            on_error=lambda _notice: [no_update] * 5,
        )
    )


def values_for(gold: PublishedGold, *, preset: object, days: object, trigger: object) -> list[Any]:
    """Values of the filters after one of them, or the data, changed.

    Returns:
        Preset (empty for days of one's own choice), the two days, the first and last day to choose
        from, and the countries to choose from. A preset follows the data's last day.
    """
    with gold.reader() as reader:
        extent = sales.extent(reader.cursor)
    if extent is None:
        return [no_update] * 5
    limits = [extent.first_day.isoformat(), extent.last_day.isoformat(), list(extent.countries)]
    if trigger == "days":
        if not isinstance(days, list) or not days or not all(days):
            raise PreventUpdate
        chosen = [key for key in periods.PRESETS if days == _iso(key, extent)]
        return [chosen[-1] if chosen else "", no_update, *limits]
    known = preset if isinstance(preset, str) and preset in periods.PRESETS else ""
    if known:
        return [no_update, _iso(known, extent), *limits]
    if trigger == "preset":
        raise PreventUpdate
    return [no_update, no_update, *limits]


def _iso(preset: str, extent: periods.Extent) -> list[str]:
    return [day.isoformat() for day in periods.preset_days(preset, extent)]
