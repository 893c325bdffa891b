"""The charts of a mail as PNG, light and dark, each with words for who does not see it.

In: the points of the trend. Out: `Chart`s; none where a chart would show nothing: fewer than two
points, or nothing but zeros. matplotlib is imported when one is drawn.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from lakehouse.shop_format import currency_sign
from reports.figures import Figures, Point
from reports.speech import Speech, rounded

WIDTH, HEIGHT, SCALE = 560, 210, 2
"""In pixels of the mail; the file has `SCALE` times as many for sharp screens."""
_THEMES = {
    "light": {
        "card": "#ffffff",
        "ink": "#16242f",
        "muted": "#566573",
        "line": "#e2e8ed",
        "bar": "#a9cbe4",
        "now": "#14649a",
    },
    "dark": {
        "card": "#161f27",
        "ink": "#e4ecf2",
        "muted": "#9aabba",
        "line": "#33414d",
        "bar": "#33566f",
        "now": "#5db1e8",
    },
}


@dataclass(frozen=True)
class Chart:
    """One chart. `alt` says in words what it shows."""

    name: str
    title: str
    alt: str
    light: bytes
    dark: bytes


def charts(figures: Figures, speech: Speech) -> list[Chart]:
    """Net revenue and orders up to the reported period."""
    found = []
    for name, money in (("net_revenue", True), ("order_count", False)):
        values = [getattr(each, name) for each in figures.trend]
        if len(values) < 2 or not any(values):
            continue
        kind = "by_day" if figures.period.report == "daily" else "by_week"
        title = speech.say(kind, name=speech.say(f"chart_{name}"))
        shown = speech.money if money else speech.count
        alt = speech.say(
            "alt",
            title=title,
            start=speech.day(figures.trend[0].start, "short"),
            end=speech.day(figures.trend[-1].end, "short"),
            last=shown(values[-1]),
            low=shown(min(values)),
            high=shown(max(values)),
        )
        drawn = {
            theme: _draw(figures.trend, values, speech=speech, money=money, **colours)
            for theme, colours in _THEMES.items()
        }
        found.append(Chart(name, title, alt, drawn["light"], drawn["dark"]))
    return found


def _draw(
    points: Sequence[Point],
    values: Sequence[Decimal],
    *,
    speech: Speech,
    money: bool,
    card: str,
    ink: str,
    muted: str,
    line: str,
    bar: str,
    now: str,
) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100 * SCALE, layout="constrained")
    FigureCanvasAgg(figure)
    figure.patch.set_facecolor(card)
    axes = figure.add_subplot()
    axes.set_facecolor(card)
    colours = [now if each.is_now else bar for each in points]
    axes.bar(range(len(points)), [float(each) for each in values], color=colours, width=0.72)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, speech, money)))
    axes.grid(axis="y", color=line, linewidth=0.8)
    axes.set_axisbelow(True)
    places = _ticks([each.start for each in points])
    axes.set_xticks(places, [speech.day(points[each].start, "tick") for each in places])
    axes.tick_params(colors=muted, labelsize=9, length=0)
    axes.axhline(0, color=muted, linewidth=0.8)
    for side in axes.spines.values():
        side.set_visible(False)
    last = len(points) - 1
    axes.annotate(
        _tick(float(values[last]), speech, money),
        (last + 0.36, max(float(values[last]), 0.0)),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        fontweight="bold",
        color=ink,
    )
    axes.margins(x=0.01, y=0.12)
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor=card, metadata={"Software": None})
    return file.getvalue()


def _ticks(days: Sequence[date]) -> list[int]:
    """The last bar and each seventh before it, or each third of few."""
    step = 7 if len(days) > 14 else 3 if len(days) > 6 else 1
    return sorted(range(len(days) - 1, -1, -step))


def _tick(value: Any, speech: Speech, money: bool) -> str:
    amount, sign = Decimal(str(value)), currency_sign()
    if money and abs(amount) >= 1000:
        text = speech.count(rounded(amount / 1000, 0))
        return f"{sign}{text}k" if speech.language == "en" else f"{text} Tsd. {sign}"
    text = speech.count(amount)
    return text if not money else f"{sign}{text}" if speech.language == "en" else f"{text} {sign}"
