"""Forecast: what the coming trading days should bring, and which days were far from expected.

In: the table of forecasts. Out: key figures, a chart and the odd days.
Run standalone: `python -m dashboards.app`, then open /forecast.
"""

from typing import Any

import pandas as pd
from dash import Input, Output, html, no_update

from dashboards import components, formats, scored, themed_chart
from dashboards.callbacks import off_loop
from dashboards.figures import forecast as forecast_figures
from dashboards.published import PublishedGold
from dashboards.queries.models import daily_forecast, refusal
from dashboards.registry import Page

PAGE = Page("/forecast", "Forecast", group="Models", icon="clock")
NAME = "daily_sales"
_WEEK = 6
_MOST_ODD = 12


def layout() -> Any:
    """The page without figures; a callback fills it."""
    question = "What should the coming trading days bring, and which days were out of the ordinary?"
    chart = themed_chart.layout("forecast", "Chart of daily net revenue, expected and actual")
    return html.Div(
        [
            components.page_head(PAGE.title, question),
            html.Div(id="forecast-notice"),
            html.Div(
                [
                    html.Div(id="forecast-kpis", className="kpis"),
                    components.card(
                        "Net revenue by trading day",
                        [chart, html.Div(id="forecast-table")],
                        note="Line: expected the day before. Bands: where 80 and 95 of 100 days "
                        "should fall. Days on which this shop never trades are left out.",
                    ),
                    html.Div(id="forecast-odd"),
                ],
                id="forecast-body",
                className="stack",
                hidden=True,
            ),
        ]
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the table of forecasts."""
    app.callback(
        Output("forecast-notice", "children"),
        Output("forecast-body", "hidden"),
        Output("forecast-kpis", "children"),
        Output("forecast-figure", "data"),
        Output("forecast-table", "children"),
        Output("forecast-odd", "children"),
        Input("epoch", "data"),
    )(
        off_loop(
            lambda _epoch: figures_for(daily_forecast(gold.settings), refusal(NAME, gold.settings)),
            on_error=lambda notice: [notice, True, *[no_update] * 4],
        )
    )
    themed_chart.register(app, "forecast")


def figures_for(frame: pd.DataFrame, refused: str = "") -> list[Any]:
    """Everything the page shows of a table of forecasts, or why there is none."""
    if frame.empty:
        return [scored.nothing_yet(refused, model=NAME), True, *[no_update] * 4]
    past, future = frame[~frame["is_future"]], frame[frame["is_future"]]
    return [
        None,
        False,
        _key_figures(past, future),
        forecast_figures.daily_sales(frame),
        _table(future),
        _odd_days(past),
    ]


def _key_figures(past: pd.DataFrame, future: pd.DataFrame) -> list[Any]:
    week = future.head(_WEEK)
    inside = past["actual_value"].between(past["low_80"], past["high_80"]).tail(90).mean()
    recent = past.tail(_WEEK)["actual_value"].sum()
    odd = int(past["is_anomaly"].tail(90).sum())
    return [
        components.kpi(
            "Next six trading days",
            formats.estimate(week["expected_value"].sum()),
            hint=f"the last six brought {formats.estimate(recent)}",
            trend=future["expected_value"].tolist(),
        ),
        components.kpi(
            "Next trading day",
            formats.estimate(float(week["expected_value"].iloc[0])),
            hint=f"{week['forecast_date'].iloc[0]:%a} "
            f"{formats.day(week['forecast_date'].iloc[0])}, 80 of 100: "
            f"{formats.estimate(week['low_80'].iloc[0])} to "
            f"{formats.estimate(week['high_80'].iloc[0])}",
        ),
        components.kpi(
            "Days within the 80 % band",
            f"{inside:.0%}",
            hint=f"of the last 90 trading days; {odd} of them odd; {past['model_version'].iloc[0]}",
        ),
    ]


def _table(future: pd.DataFrame) -> Any:
    rows = [
        [
            f"{row.forecast_date:%a} {formats.day(row.forecast_date)}",
            formats.estimate(row.expected_value),
            f"{formats.estimate(row.low_80)} to {formats.estimate(row.high_80)}",
            f"{formats.estimate(row.low_95)} to {formats.estimate(row.high_95)}",
        ]
        for row in scored.rows(future)
    ]
    head = ["Day", "Expected", "80 of 100", "95 of 100"]
    return html.Details(
        [
            html.Summary("Show the coming days as a table"),
            components.plain_table(head, rows, label="The coming trading days"),
        ]
    )


def _odd_days(past: pd.DataFrame) -> Any:
    odd = past[past["is_anomaly"]].tail(_MOST_ODD).iloc[::-1]
    columns = [
        components.Column("Day"),
        components.Column("Actual", is_number=True),
        components.Column("Expected", is_number=True),
        components.Column("Usual errors away", is_number=True),
    ]
    rows = [
        [
            f"{row.forecast_date:%a} {formats.day(row.forecast_date)}",
            formats.estimate(row.actual_value),
            formats.estimate(row.expected_value),
            formats.signed(f"{abs(row.error_spreads):.1f}", negative=row.error_spreads < 0),
        ]
        for row in scored.rows(odd)
    ]
    inside: Any = "No day was far from what was expected."
    if rows:
        inside = components.table(columns, rows, label="Days far from expected")
    return components.card(
        "Odd days",
        inside,
        note="Trading days far beyond the usual errors, the newest first; a day without any sale "
        "counts, such as a holiday or an outage.",
    )
