"""What a file of the page Executive says: texts and tables, the same for every format.

In: an overview of `dashboards.queries.executive`. Out: a `Document`. Tables hold every row; their
cells are exact values, which each format writes in its own way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dashboards import filters, formats, tiles
from dashboards.figures.sales import bucket_name
from dashboards.pages.executive.parts import TITLES, part_name, target_text
from dashboards.pages.executive.words import sentence
from dashboards.queries.executive import EXPLAINED, KPIS, Overview, known
from lakehouse.contracts.kpis import kpi

Cell = str | int | Decimal | date | None


@dataclass(frozen=True)
class Table:
    """A table. `units` are those of the columns: text, date, or a KPI's."""

    name: str
    title: str
    head: Sequence[str]
    units: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Tile:
    """A key figure: its label, its value, that of the period compared with, and its target."""

    label: str
    value: str
    before: str
    target: str


@dataclass(frozen=True)
class Document:
    """A page as a file shows it. `bars` are the buckets' names and revenue, in order of time."""

    title: str
    scope: str
    as_of: str
    sentence: str
    tiles: Sequence[Tile]
    bars: Sequence[tuple[str, Decimal]]
    tables: Sequence[Table]

    def table(self, name: str) -> Table | None:
        """A table by its name."""
        return next((each for each in self.tables if each.name == name), None)


def document(overview: Overview, wanted: Mapping[str, Decimal], *, as_of: str) -> Document:
    """The overview as a document; `wanted` are the targets."""
    grain, days = overview.selection.grain, overview.selection.day_count
    before = overview.before or {}
    figures = [
        Tile(
            tiles.label(name),
            tiles.shown(kpi(name), overview.now[name]),
            tiles.shown(kpi(name), before[name], places=0) if before.get(name) is not None else "",
            target_text(name, overview.now[name], days, wanted),
        )
        for name in KPIS
    ]
    return Document(
        "Executive",
        filters.scope(overview.selection, overview.earlier),
        as_of,
        sentence(overview),
        figures,
        [
            (bucket_name(each.first_day, grain), known(each.values, EXPLAINED))
            for each in overview.course
        ],
        [_course(overview), *(_parts(overview, dimension) for dimension in TITLES)],
    )


def text_of(cell: Cell, unit: str) -> str:
    """A cell as a person reads it."""
    if cell is None:
        return formats.NOTHING
    if isinstance(cell, date):
        return formats.day(cell)
    if isinstance(cell, str):
        return cell
    if unit == "rate":
        return formats.percent(Decimal(cell), places=2)
    return formats.count(int(cell)) if unit == "count" else formats.money(Decimal(cell))


def _course(overview: Overview) -> Table:
    rows = [
        (bucket.first_day, *(bucket.values[name] for name in KPIS)) for bucket in overview.course
    ]
    return Table(
        "key-figures",
        f"Key figures by {overview.selection.grain}",
        [overview.selection.grain.capitalize(), *map(tiles.label, KPIS)],
        ["date", *(kpi(name).unit for name in KPIS)],
        rows,
    )


def _parts(overview: Overview, dimension: str) -> Table:
    label, unit = tiles.label(EXPLAINED), kpi(EXPLAINED).unit
    head = [dimension.capitalize(), "Name", label]
    if overview.earlier:
        head += [f"{label} before", "Change"]
    rows = []
    for part in overview.parts[dimension]:
        row: list[Cell] = [part.key or "", part_name(dimension, part), part.now]
        rows.append(row + ([part.before, part.difference] if overview.earlier else []))
    units = ["text", "text"] + [unit] * (len(head) - 2)
    return Table(dimension, TITLES[dimension], head, units, rows)
