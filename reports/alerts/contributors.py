"""Who is behind a KPI's change: sources, countries and products that differ most from before.

In: gold, a KPI, a day, the days it is compared with. Out: the largest differences, by dimension, of
the KPI's metric in the semantic layer; of a rate, those of what stands above the line.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.contracts.kpis import quotient
from lakehouse.semantics.declared import read_layer
from lakehouse.semantics.names import product_names
from lakehouse.semantics.question import Question, ask

if TYPE_CHECKING:
    import duckdb

MOST = 3
"""Contributors named of each dimension."""
DIMENSIONS = ("source", "country", "product")


@dataclass(frozen=True)
class Contributor:
    """A member of a dimension: its figure of the day, and its mean over the compared days."""

    dimension: str
    name: str
    value: Decimal
    before: Decimal

    @property
    def difference(self) -> Decimal:
        return self.value - self.before


def contributors(
    gold: "duckdb.DuckDBPyConnection", kpi: str, day: date, compared: Sequence[date]
) -> list[Contributor]:
    """The members that differ most from their mean, largest difference first, by dimension.

    Empty for a KPI that can't be cut by any of them, and where there is nothing to compare with.
    """
    metric = _counted(kpi)
    if metric is None or not compared:
        return []
    found = []
    for dimension in DIMENSIONS:
        if dimension not in read_layer().dimensions(metric):
            continue
        now = _by(gold, metric, dimension, [day])
        before = _by(gold, metric, dimension, compared)
        members = [
            Contributor(dimension, key, now[key], _mean(before[key], len(compared)))
            for key in {*now, *before}
        ]
        members.sort(key=lambda each: (-abs(each.difference), each.name))
        most = [each for each in members if each.difference][:MOST]
        names = product_names(gold, [each.name for each in most]) if dimension == "product" else {}
        found += [
            Contributor(
                dimension,
                f"{each.name} {names[each.name]}" if each.name in names else each.name,
                each.value,
                each.before,
            )
            for each in most
        ]
    return found


def _counted(kpi: str) -> str | None:
    """The metric whose parts add up to the KPI; None where the layer does not know it."""
    found = read_layer().metrics.get(kpi)
    if found is None:
        return None
    return found.inputs[0] if found.type == "ratio" else found.name


def _by(
    gold: "duckdb.DuckDBPyConnection", metric: str, dimension: str, days: Sequence[date]
) -> dict[str, Decimal]:
    """The metric of each member, summed over the days."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for day in days:
        for row in ask(gold, Question((metric,), day, day, by=(dimension,))):
            sums[row.place[0] or f"no {dimension}"] += Decimal(row.values[metric] or 0)
    return sums


def _mean(total: Decimal, days: int) -> Decimal:
    return quotient(total, Decimal(days)) or Decimal(0)
