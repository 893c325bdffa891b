"""The parts of the page Executive: tiles, the chart's figure, and the tables of who moved revenue.

In: an overview of `dashboards.queries.executive`. Out: components and a figure. No data access.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dash import dcc, html

from dashboards import components, filters, formats, targets, tiles
from dashboards.components import Column
from dashboards.figures.against import against
from dashboards.figures.sales import bucket_name, source_name
from dashboards.periods import Grain, Selection
from dashboards.queries.executive import EXPLAINED, KPIS, Overview, Part, known
from dashboards.queries.sales import not_filtered, question_of
from lakehouse.contracts.kpis import kpi
from lakehouse.semantics.question import Value

SHOWN = 8
"""Rows of a card of parts; the files have all."""
TITLES = {"country": "Countries", "product": "Products", "source": "Sources"}
_FIELDS = {"country": "countries", "product": "products", "source": "sources"}


def cards(overview: Overview, wanted: Mapping[str, Decimal], *, as_of: str) -> list[Any]:
    """The six KPIs, each with its change, its course, its target and what it means."""
    selection, earlier = overview.selection, overview.earlier
    against_days = formats.period(earlier.start, earlier.end) if earlier else ""
    return [
        tiles.tile(
            name,
            overview.now[name],
            overview.before[name] if overview.before else None,
            against=against_days,
            hint=_hint(name, overview, wanted),
            trend=[bucket.values[name] or 0 for bucket in overview.course],
            about=tiles.about(
                name, question_of(_answerable(selection, name), (name,)), as_of=as_of
            ),
        )
        for name in KPIS
    ]


def figure(overview: Overview, wanted: Mapping[str, Decimal]) -> dict[str, Any]:
    """Revenue over time against the period compared with, and its target."""
    grain = overview.selection.grain
    spans = [_span(bucket.first_day, overview.selection, grain) for bucket in overview.course]

    def points(course: Any) -> list[tuple[date, Decimal, str]]:
        amounts = [(bucket.first_day, known(bucket.values, EXPLAINED)) for bucket in course]
        return [(day, amount, formats.money(amount)) for day, amount in amounts]

    target = wanted.get(EXPLAINED)
    return against(
        points(overview.course),
        points(overview.earlier_course),
        grain=grain,
        label=tiles.label(EXPLAINED),
        days=spans,
        target=[
            targets.of_days(kpi(EXPLAINED), target, (last - first).days + 1)
            for first, last in spans
        ]
        if target is not None
        else (),
    )


def contributors(overview: Overview, path: str) -> list[Any]:
    """A card for each dimension: the parts that changed revenue most; a click filters by one."""
    return [
        _contributors(overview, path, dimension)
        for dimension in TITLES
        if dimension != "source" or overview.part_counts["source"] > 1
    ]


def buckets(overview: Overview, path: str) -> Any:
    """The KPIs of each bucket, the newest first; a click on a day shows it alone."""
    selection = overview.selection
    rows = []
    for bucket in reversed(overview.course):
        first, last = _span(bucket.first_day, selection, selection.grain)
        to = path + filters.address(selection, start=first, end=last)
        name = bucket_name(bucket.first_day, selection.grain)
        values = [tiles.shown(kpi(each), bucket.values[each]) for each in KPIS]
        rows.append([dcc.Link(name, href=to), *values])
    columns = [Column(selection.grain.capitalize())]
    columns += [Column(tiles.label(name), is_number=True) for name in KPIS]
    return components.table(columns, rows, label=f"Key figures by {selection.grain}")


def part_name(dimension: str, part: Part) -> str:
    """A part as a person calls it."""
    return source_name(part.name) if dimension == "source" else part.name


def _contributors(overview: Overview, path: str, dimension: str) -> Any:
    title = TITLES[dimension]
    parts = overview.parts[dimension]
    rows = []
    for part in parts[:SHOWN]:
        name: Any = part_name(dimension, part)
        if part.key is not None:
            change: dict[str, Any] = {_FIELDS[dimension]: (part.key,)}
            to = path + filters.address(overview.selection, **change)
            name = dcc.Link(name, href=to, title=f"Show {name} alone")
        rows.append([name, *_amounts(part, overview)])
    columns = [Column(title, is_wide=True), Column("Net revenue", is_number=True)]
    if overview.earlier:
        columns += [Column("Before", is_number=True), Column("Change", is_number=True)]
    more = overview.part_counts[dimension] - len(rows)
    rest = f"and {formats.count(more)} more in the files"
    return components.card(
        title,
        [
            components.table(columns, rows, label=f"{title} by their part of the change"),
            html.P(rest, className="muted remainder") if more else None,
        ],
        aside=filters.download(f"{dimension}.csv", "CSV", overview.selection),
        note="Those that changed net revenue most."
        if overview.earlier
        else "Those with the most net revenue.",
        id=f"executive-{dimension}",
    )


def _amounts(part: Part, overview: Overview) -> list[Any]:
    now = formats.money(part.now, places=0)
    if not overview.earlier:
        return [now]
    tone = "good" if part.difference > 0 else "bad" if part.difference < 0 else "plain"
    sign = "+" if part.difference > 0 else ""
    change = html.Span(
        f"{sign}{formats.money(part.difference, places=0)}",
        className=f"delta delta-{tone}",
        title=formats.money(part.difference),
    )
    return [now, formats.money(part.before, places=0), change]


def _hint(name: str, overview: Overview, wanted: Mapping[str, Decimal]) -> str:
    unknown = not_filtered(overview.selection, name)
    if unknown:
        return f"not known by {', '.join(unknown)}"
    if name == "repeat_rate" and overview.is_from_the_start:
        return "nobody is known from before"
    return target_text(name, overview.now[name], overview.selection.day_count, wanted)


def target_text(name: str, value: Value, day_count: int, wanted: Mapping[str, Decimal]) -> str:
    """Target of a KPI and how much of it was reached; empty without a target."""
    if name not in wanted:
        return ""
    goal = targets.of_days(kpi(name), wanted[name], day_count)
    text = f"target {tiles.shown(kpi(name), goal, places=0)}"
    reached = formats.share(Decimal(value), goal) if value is not None else None
    return f"{text}, {formats.percent(reached, places=0)} of it" if reached is not None else text


def _answerable(selection: Selection, name: str) -> Selection:
    """The selection without the filters that a KPI does not know."""
    dropped: dict[str, Any] = {_FIELDS[each]: () for each in not_filtered(selection, name)}
    return filters.changed(selection, **dropped)


def _span(first_day: date, selection: Selection, grain: Grain) -> tuple[date, date]:
    """First and last day of a bucket within the selection."""
    last = first_day
    if grain == "week":
        last = first_day + timedelta(days=6)
    if grain == "month":
        last = (first_day + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return max(first_day, selection.start), min(last, selection.end)


def chips(selection: Selection, path: str) -> Sequence[Any]:
    """Products that the page is narrowed to, each with a way back."""
    return [
        dcc.Link(
            [f"Product {sku} ", components.icon("cross")],
            href=path
            + filters.address(
                selection, products=tuple(each for each in selection.products if each != sku)
            ),
            className="chip",
            title="Show all products again",
        )
        for sku in selection.products
    ]
