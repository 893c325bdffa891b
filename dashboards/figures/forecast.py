"""The forecast of daily sales as a Plotly figure: pure, without a theme.

In: a frame of `dashboards.queries.models.daily_forecast`. Out: a figure as plain JSON values.
"""

from datetime import date
from typing import Any

import pandas as pd

from dashboards import formats
from dashboards.figures.sales import bucket_ticks
from lakehouse import shop_format

DAYS_SHOWN = 90
EXPECTED, ACTUAL, ODD = "#2f86c1", "#8a98a8", "#d07a1c"
_BANDS = (("95", "rgba(47,134,193,0.14)"), ("80", "rgba(47,134,193,0.24)"))


def daily_sales(frame: pd.DataFrame) -> dict[str, Any]:
    """Net revenue as it came and as it was expected the day before, and the days to come.

    Args:
        frame: Rows in the order of days: forecast_date, is_future, actual_value, expected_value,
            the bounds and is_anomaly; amounts of money.
    """
    import plotly.graph_objects as go

    shown = pd.concat([frame[~frame["is_future"]].tail(DAYS_SHOWN), frame[frame["is_future"]]])
    days = [f"{day:%Y-%m-%d}" for day in shown["forecast_date"]]
    figure = go.Figure(layout=_layout(list(shown["forecast_date"])))
    for level, colour in _BANDS:
        for bound in ("low", "high"):
            figure.add_scatter(
                x=days,
                y=shown[f"{bound}_{level}"].tolist(),
                mode="lines",
                line={"width": 0},
                fill="tonexty" if bound == "high" else None,
                fillcolor=colour,
                name=f"{level} of 100 days",
                showlegend=bound == "high",
                hoverinfo="skip",
            )
    figure.add_scatter(
        x=days,
        y=shown["expected_value"].tolist(),
        mode="lines",
        name="Expected",
        line={"width": 2, "color": EXPECTED},
        customdata=_hover(shown, "expected_value", "Expected"),
        hovertemplate="%{customdata}<extra></extra>",
    )
    past = shown[~shown["is_future"]]
    for is_odd, name, colour in ((False, "Actual", ACTUAL), (True, "Odd day", ODD)):
        rows = past[past["is_anomaly"] == is_odd]
        figure.add_scatter(
            x=[f"{day:%Y-%m-%d}" for day in rows["forecast_date"]],
            y=rows["actual_value"].tolist(),
            mode="markers",
            name=name,
            marker={"size": 9 if is_odd else 5, "color": colour},
            customdata=_hover(rows, "actual_value", name),
            hovertemplate="%{customdata}<extra></extra>",
        )
    plain: dict[str, Any] = figure.to_plotly_json()
    plain["layout"].pop("template", None)
    return plain


def _hover(rows: pd.DataFrame, column: str, label: str) -> list[str]:
    return [
        f"<b>{shop_format.weekday(day)} {formats.day(day)}</b><br>{label} {formats.estimate(value)}"
        for day, value in zip(rows["forecast_date"], rows[column], strict=True)
    ]


def _layout(days: list[date]) -> dict[str, Any]:
    sign, is_sign_first = shop_format.currency_sign(), shop_format.is_sign_first()
    return {
        "dragmode": False,
        "hovermode": "closest",
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": {
            "type": "date",
            "automargin": True,
            "showgrid": False,
            "fixedrange": True,
            "tickmode": "array",
            "tickangle": 0,
            **bucket_ticks(days, "day"),
        },
        "yaxis": {
            "automargin": True,
            "fixedrange": True,
            "rangemode": "tozero",
            "tickprefix" if is_sign_first else "ticksuffix": sign if is_sign_first else f" {sign}",
            "tickformat": "~s",
            "title": {"text": f"{sign} per day", "standoff": 6},
        },
    }
