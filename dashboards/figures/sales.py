"""Frames into Plotly figures: pure, without data access, without a theme.

In: a frame of `dashboards.queries.sales`. Out: a figure as plain JSON values. The series' colours
read well on both themes; everything else comes from `TEMPLATES`, which the browser swaps.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

from dashboards import formats
from dashboards.periods import Grain
from lakehouse import shop_format

SOURCES = {"erp": ("ERP invoices", "#2f86c1"), "web": ("Web shop", "#d07a1c")}
"""Name and colour of each source; blue and orange stay apart for every kind of colour vision."""
OTHER_COLOURS = ("#0f9488", "#a86bc4", "#b5892b")
CANCELLED_COLOUR = "#8a98a8"
_CUT_OPACITY = 0.45
_MOST_LABELS = 5
_MOST_STEPS = 5
_HEADROOM = Decimal("1.06")
_WORDS = {"day": "day", "week": "week", "month": "month"}
_HOVER = "%{customdata}<extra></extra>"
_FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, "
    "sans-serif"
)


def _template(*, ink: str, muted: str, line: str, card: str) -> dict[str, Any]:
    axis = {
        "gridcolor": line,
        "linecolor": line,
        "zerolinecolor": muted,
        "tickfont": {"color": muted, "size": 12},
        "title": {"font": {"color": muted, "size": 12}},
    }
    return {
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": _FONT, "color": ink, "size": 13},
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": card,
                "bordercolor": line,
                "font": {"family": _FONT, "color": ink, "size": 13},
                "align": "left",
            },
            "legend": {"font": {"color": muted, "size": 12}},
        },
        "data": {"scatter": [{"line": {"color": ink}, "marker": {"color": ink}}]},
    }


TEMPLATES = {
    "light": _template(ink="#16242f", muted="#566573", line="#e2e8ed", card="#ffffff"),
    "dark": _template(ink="#e4ecf2", muted="#9aabba", line="#2a3641", card="#1b252e"),
}
"""Layout by colour scheme, with the colours of `assets/cartlake.css`."""


def sales_over_time(
    frame: pd.DataFrame, *, grain: Grain, is_first_cut: bool = False, is_last_cut: bool = False
) -> dict[str, Any]:
    """Gross revenue stacked by source, cancellations below the line, net as a line.

    Args:
        frame: bucket_date, source_system and the three amounts, in order.
        grain: What one bucket spans.
        is_first_cut: The first bucket holds less than its span: it is drawn lighter.
        is_last_cut: The same for the last one.
    """
    import plotly.graph_objects as go

    buckets = list(dict.fromkeys(frame["bucket_date"]))
    cut = {buckets[0]} if buckets and is_first_cut else set()
    cut |= {buckets[-1]} if buckets and is_last_cut else set()
    all_sources = frame.groupby("bucket_date", sort=True)
    totals = all_sources[["gross_revenue", "cancelled_amount", "net_revenue"]].agg(exact_sum)
    low = min([Decimal(0), *totals["cancelled_amount"], *totals["net_revenue"]])
    high = max([Decimal(0), *totals["gross_revenue"]])
    totals = totals.reset_index()
    figure = go.Figure(layout=axes(grain, buckets=buckets, low=low, high=high))
    for name, label, colour in _sources(frame):
        rows = frame[frame["source_system"] == name]
        figure.add_bar(
            x=_iso(rows["bucket_date"]),
            y=[float(amount) for amount in rows["gross_revenue"]],
            name=label,
            marker={"color": colour, "opacity": [_opacity(each, cut) for each in rows.bucket_date]},
            customdata=_hover(rows, "gross_revenue", f"{label}, gross", grain=grain, cut=cut),
            hovertemplate=_HOVER,
        )
    if any(totals["cancelled_amount"]):
        figure.add_bar(
            x=_iso(totals["bucket_date"]),
            y=[float(amount) for amount in totals["cancelled_amount"]],
            name="Cancelled",
            marker={
                "color": CANCELLED_COLOUR,
                "opacity": [_opacity(each, cut) for each in totals["bucket_date"]],
            },
            customdata=_hover(totals, "cancelled_amount", "Cancelled", grain=grain, cut=cut),
            hovertemplate=_HOVER,
        )
    figure.add_scatter(
        x=_iso(totals["bucket_date"]),
        y=[float(amount) for amount in totals["net_revenue"]],
        name="Net",
        mode="lines+markers",
        line={"width": 2},
        marker={"size": 5},
        customdata=_hover(totals, "net_revenue", "Net", grain=grain, cut=cut),
        hovertemplate=_HOVER,
    )
    plain: dict[str, Any] = figure.to_plotly_json()
    plain["layout"].pop("template", None)
    return plain


def source_name(source: str) -> str:
    """A source as a person calls it."""
    return SOURCES.get(source, (source,))[0]


def exact_sum(amounts: "pd.Series[Any]") -> Decimal:
    """The sum of exact amounts; zero when there is none."""
    return sum(amounts, Decimal(0))


def bucket_name(first_day: date, grain: Grain) -> str:
    """A bucket in words: 9 Dec 2011, 5 – 11 Dec 2011, Dec 2011."""
    if grain == "month":
        return shop_format.month(first_day)
    if grain == "week":
        return formats.period(first_day, first_day + timedelta(days=6))
    return f"{shop_format.weekday(first_day)} {formats.day(first_day)}"


def axes(grain: Grain, *, buckets: list[date], low: Decimal, high: Decimal) -> dict[str, Any]:
    """The layout of money over time, from `low` to `high`."""
    return {
        "barmode": "relative",
        "bargap": 0.25,
        "dragmode": False,
        "hovermode": "closest",
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None},
        "xaxis": {
            "type": "date",
            "automargin": True,
            "showgrid": False,
            "fixedrange": True,
            "tickmode": "array",
            "tickangle": 0,
            **bucket_ticks(buckets, grain),
        },
        "yaxis": {
            "automargin": True,
            "fixedrange": True,
            "tickmode": "array",
            **_money_ticks(low, high),
            "range": [float(low * _HEADROOM), float(high * _HEADROOM) or 1.0],
            "zeroline": True,
            "zerolinewidth": 1,
            "title": {"text": f"{shop_format.currency_sign()} per {_WORDS[grain]}", "standoff": 6},
        },
    }


def bucket_ticks(buckets: list[date], grain: Grain) -> dict[str, list[str]]:
    """A few labels; the year stands below the first one and below each new year."""
    labelled: list[date] = []
    least = (buckets[-1] - buckets[0]) / (_MOST_LABELS + 1) if buckets else timedelta()
    for each in buckets[:: -(-len(buckets) // _MOST_LABELS) or 1]:
        if not labelled or each - labelled[-1] >= least:  # days with sales may lie in heaps
            labelled.append(each)
    texts, year = [], 0
    for each in labelled:
        is_month = grain == "month"
        text = shop_format.month_of_year(each) if is_month else shop_format.day_of_year(each)
        texts.append(text if each.year == year else f"{text}<br>{each.year}")
        year = each.year
    return {"tickvals": [each.isoformat() for each in labelled], "ticktext": texts}


def _money_ticks(low: Decimal, high: Decimal) -> dict[str, list[Any]]:
    """Round amounts from `low` to `high`, as short texts."""
    rough = (high - low) / _MOST_STEPS or Decimal(1)
    power = Decimal(1).scaleb(rough.adjusted())
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    first, last = int(low // step), int(high // step)
    values = [step * each for each in range(first, last + 1)]
    return {
        "tickvals": [float(each) for each in values],
        "ticktext": [shop_format.short_money(v) for v in values],
    }


def _sources(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    present = list(dict.fromkeys(frame["source_system"]))
    known = [(name, *SOURCES[name]) for name in SOURCES if name in present]
    others = sorted(name for name in present if name not in SOURCES)
    colours = [OTHER_COLOURS[index % len(OTHER_COLOURS)] for index in range(len(others))]
    return [*known, *((name, name, colour) for name, colour in zip(others, colours, strict=True))]


def _iso(days: "pd.Series[Any]") -> list[str]:
    return [day.isoformat() for day in days]


def _opacity(bucket: date, cut: set[date]) -> float:
    return _CUT_OPACITY if bucket in cut else 1.0


def _hover(
    rows: pd.DataFrame, column: str, label: str, *, grain: Grain, cut: set[date]
) -> list[str]:
    return [
        f"<b>{bucket_name(bucket, grain)}</b>{' (incomplete)' if bucket in cut else ''}<br>"
        f"{label} {formats.money(amount)}"
        for bucket, amount in zip(rows["bucket_date"], rows[column], strict=True)
    ]
