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
from lakehouse.semantics.names import product_names
from lakehouse.semantics.question import ask

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

    Without a period to compare with, the largest value is first.
    """

    selection: Selection
    earlier: Selection | None
    now: Values
    before: Values | None
    course: Sequence[Bucket]
    earlier_course: Sequence[Bucket]
    parts: Mapping[str, Sequence[Part]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sold or cancelled."""
        return not self.now["order_count"] and not self.now[EXPLAINED]


def read(cursor: "duckdb.DuckDBPyConnection", selection: Selection, extent: Extent) -> Overview:
    """The overview of a selection; every figure of it is a metric of the semantic layer."""
    earlier = selection.before(extent)
    return Overview(
        selection,
        earlier,
        values_of(cursor, selection, KPIS),
        values_of(cursor, earlier, KPIS) if earlier else None,
        _course(cursor, selection),
        _course(cursor, earlier) if earlier else (),
        {name: _parts(cursor, selection, earlier, name) for name in DIMENSIONS},
    )


def remembered(reader: Reader, selection: Selection, extent: Extent) -> Overview:
    """The overview in a reader's version, read once for all who look at the same."""
    return reader.once(("executive", selection), lambda: read(reader.cursor, selection, extent))


def known(values: Values, name: str) -> Decimal:
    """A value, zero where there is none."""
    return Decimal(values.get(name) or 0)


def _course(cursor: "duckdb.DuckDBPyConnection", selection: Selection) -> list[Bucket]:
    frame = over_time(cursor, selection, KPIS)
    names = [name for name in KPIS if not not_filtered(selection, name)]
    return [
        Bucket(row[0], dict.fromkeys(KPIS) | dict(zip(names, row[1:], strict=True)))
        for row in frame.itertuples(index=False, name=None)
    ]


def _parts(
    cursor: "duckdb.DuckDBPyConnection",
    selection: Selection,
    earlier: Selection | None,
    dimension: str,
) -> list[Part]:
    amounts: dict[str | None, list[Decimal]] = {}
    for place, period in enumerate(filter(None, (selection, earlier))):
        for row in ask(cursor, question_of(period, (EXPLAINED,), by=(dimension,))):
            pair = amounts.setdefault(row.place[0], [Decimal(0), Decimal(0)])
            pair[place] = known(row.values, EXPLAINED)
    skus = [key for key in amounts if key is not None]
    names = product_names(cursor, skus) if dimension == "product" else {}
    parts = [
        Part(key, NO_PRODUCT if key is None else names.get(key, key), *pair)
        for key, pair in amounts.items()
        if any(pair)
    ]
    if earlier is None:
        return sorted(parts, key=lambda part: (-part.now, part.name))
    return sorted(parts, key=lambda part: (-abs(part.difference), -part.now, part.name))
