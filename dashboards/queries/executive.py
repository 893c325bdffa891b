"""What the first page and its files show: one selection, its comparison, and who made the change.

In: a cursor on one gold version, and a selection. Out: an `Overview` of exact values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from dashboards.periods import Extent, Selection
from dashboards.published import Reader
from dashboards.queries.sales import (
    Values,
    not_filtered,
    over_time,
    question_of,
    values_of,
)
from lakehouse.semantics.changes import Change, Changes, changes
from lakehouse.semantics.names import product_names

if TYPE_CHECKING:
    from datetime import date

    import duckdb

KPIS = (
    *("net_revenue", "order_count", "average_order_value"),
    *("conversion_rate", "repeat_rate", "return_rate"),
)
EXPLAINED = "net_revenue"
DIMENSIONS = ("country", "product", "source")
NO_PRODUCT = "Lines without a stock code"


@dataclass(frozen=True)
class Part:
    """A country, product or source: the explained KPI now and in the period compared with."""

    key: str | None
    name: str
    now: Decimal
    before: Decimal

    @property
    def difference(self) -> Decimal:
        """How much of the change is of this part; over all parts they add up to it."""
        return self.now - self.before


@dataclass(frozen=True)
class Bucket:
    """A day, week or month: its days in the period, and the values of the KPIs."""

    first_day: "date"
    values: Values


@dataclass(frozen=True)
class Overview:
    """Everything of one selection. `parts` are by dimension, the largest difference first.

    Without a period to compare with, the largest value is first. `part_counts` say how many parts
    a dimension has, also where only the largest were asked for. The course of the period compared
    with has the explained KPI alone. From the start of the history every customer is a new one.
    """

    selection: Selection
    earlier: Selection | None
    now: Values
    before: Values | None
    course: Sequence[Bucket]
    earlier_course: Sequence[Bucket]
    parts: Mapping[str, Sequence[Part]]
    part_counts: Mapping[str, int]
    is_from_the_start: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sold or cancelled."""
        return not self.now["order_count"] and not self.now[EXPLAINED]


def read(
    cursor: "duckdb.DuckDBPyConnection",
    selection: Selection,
    extent: Extent,
    *,
    most: int | None = None,
) -> Overview:
    """The overview of a selection; every figure of it is a metric of the semantic layer.

    `most` limits the parts to so many of those that rose, that fell and that stayed.
    """
    earlier = selection.before(extent)
    found = {name: _changes(cursor, selection, earlier, name, most=most) for name in DIMENSIONS}
    return Overview(
        selection,
        earlier,
        values_of(cursor, selection, KPIS),
        values_of(cursor, earlier, KPIS) if earlier else None,
        _course(cursor, selection, KPIS),
        _course(cursor, earlier, (EXPLAINED,)) if earlier else (),
        {name: _parts(cursor, each.found, name) for name, each in found.items()},
        {name: each.member_count for name, each in found.items()},
        selection.start <= extent.first_day,
    )


def remembered(
    reader: Reader, selection: Selection, extent: Extent, *, most: int | None = None
) -> Overview:
    """The overview in a reader's version, read once for all who look at the same."""
    return reader.once(
        ("executive", selection, most), lambda: read(reader.cursor, selection, extent, most=most)
    )


def known(values: Values, name: str) -> Decimal:
    """A value, zero where there is none."""
    return Decimal(values.get(name) or 0)


def _course(
    cursor: "duckdb.DuckDBPyConnection", selection: Selection, names: Sequence[str]
) -> list[Bucket]:
    frame = over_time(cursor, selection, names)
    answered = [name for name in names if not not_filtered(selection, name)]
    return [
        Bucket(row[0], dict.fromkeys(names) | dict(zip(answered, row[1:], strict=True)))
        for row in frame.itertuples(index=False, name=None)
    ]


def _changes(
    cursor: "duckdb.DuckDBPyConnection",
    selection: Selection,
    earlier: Selection | None,
    dimension: str,
    *,
    most: int | None,
) -> Changes:
    question = question_of(selection, (EXPLAINED,), by=(dimension,))
    before = (earlier.start, earlier.end) if earlier else None
    return changes(cursor, question, before, most=most)


def _parts(
    cursor: "duckdb.DuckDBPyConnection", found: Sequence[Change], dimension: str
) -> list[Part]:
    skus = [each.place for each in found if each.place is not None]
    names = product_names(cursor, skus) if dimension == "product" else {}
    return [
        Part(
            each.place,
            NO_PRODUCT if each.place is None else names.get(each.place, each.place),
            each.now,
            each.before,
        )
        for each in found
    ]
