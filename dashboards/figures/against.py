"""A KPI over time against the period compared with and its target: values in, a figure out.

In: buckets of both periods. Out: a figure as plain JSON values, without a theme.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from dashboards.figures.sales import SOURCES, axes, bucket_name
from dashboards.periods import Grain

_HOVER = "%{customdata[0]}<extra></extra>"
_BEFORE = "#8a98a8"
_TARGET = "#b5892b"
Point = tuple[date, Decimal, str]
"""First day of a bucket, its value, and the value as text."""


def against(
    now: Sequence[Point],
    before: Sequence[Point],
    *,
    grain: Grain,
    label: str,
    days: Sequence[tuple[date, date]],
    target: Sequence[Decimal] = (),
) -> dict[str, Any]:
    """Bars of the period, a dotted line of the one compared with, a dashed one of the target.

    Args:
        now: The points of the period.
        before: Those of the period compared with, drawn bucket by bucket under the same days.
        grain: What a bucket spans.
        label: What is shown.
        days: First and last day of each bucket, which a click on it or on its point filters by.
        target: What each bucket should reach.
    """
    buckets = [day for day, _, _ in now]
    values = [Decimal(0), *(value for _, value, _ in [*now, *before]), *target]
    x = [day.isoformat() for day in buckets]

    def course(points: Sequence[Point]) -> dict[str, Any]:
        """Points under the days of the period; what has no day there is left out."""
        drawn = points[: len(x)]
        return {
            "x": x[: len(drawn)],
            "y": [float(value) for _, value, _ in drawn],
            "customdata": [
                [f"<b>{bucket_name(day, grain)}</b><br>{label} {text}", *map(str, span)]
                for (day, _, text), span in zip(drawn, days, strict=False)
            ],
            "hovertemplate": _HOVER,
        }

    traces = [{"type": "bar", "name": label, "marker": {"color": SOURCES["erp"][1]}, **course(now)}]
    if before:
        line = {"width": 2, "dash": "dot", "color": _BEFORE}
        traces.append(_line("Compared with", line) | course(before))
    if target:
        line = {"width": 1.5, "dash": "dash", "color": _TARGET}
        y = [float(value) for value in target]
        traces.append(_line("Target", line) | {"x": x, "y": y, "hoverinfo": "skip"})
    layout = axes(grain, buckets=buckets, low=min(values), high=max(values))
    return {"data": traces, "layout": layout}


def _line(name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "line": line}
