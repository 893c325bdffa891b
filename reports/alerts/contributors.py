"""Who is behind a KPI's change: sources, countries and products that differ most from before.

In: gold, a KPI, a day, the days it is compared with. Out: the largest differences, by dimension.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.contracts.gold import FCT_ORDER_LINES
from lakehouse.contracts.kpis import kpi as declared

if TYPE_CHECKING:
    import duckdb

MOST = 3
"""Contributors named of each dimension."""
DIMENSIONS = {"source": "source_system", "country": "country", "product": "sku"}
_SALES = "line_class = 'sale'"
_MEASURES = {
    "gross_amount": (_SALES, "sum(line_amount)"),
    "net_amount": ("line_class in ('sale', 'cancellation')", "sum(line_amount)"),
    "cancelled_amount": ("line_class = 'cancellation'", "sum(line_amount)"),
    "returned_amount": ("line_class = 'cancellation'", "-sum(line_amount)"),
    "order_count": (_SALES, "count(distinct order_id)"),
    "item_quantity": (_SALES, "sum(quantity)"),
    "active_customers": (_SALES, "count(distinct customer_id)"),
}
"""For a measure of a KPI: which lines, and what of them."""


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

    Empty for a KPI that lines do not add up to, and where there is nothing to compare with.
    """
    measure = declared(kpi).measure
    if measure not in _MEASURES or not compared:
        return []
    lines, figure = _MEASURES[measure]
    found = []
    for dimension, column in DIMENSIONS.items():
        label = "max(description)" if column == "sku" else "any_value(member)"
        rows = gold.execute(
            f"""with figures as (
              select {column} as member, order_date, {figure} as figure,
                max(description) as description
              from {FCT_ORDER_LINES}
              where {lines} and (order_date = $day or list_contains($compared, order_date))
              group by all
            ), members as (
              select member, {label} as label,
                coalesce(sum(figure) filter (order_date = $day), 0)::decimal(38, 4) as value,
                (coalesce(sum(figure) filter (order_date <> $day), 0)
                  / $days::decimal(9, 0))::decimal(38, 4) as before
              from figures group by member
            )
            select member, label, value, before from members
            where value <> before
            order by abs(value - before) desc, member limit {MOST}""",
            {"day": day, "compared": list(compared), "days": len(compared)},
        ).fetchall()
        for member, label, value, before in rows:
            name = member if label in (None, member) else f"{member} {label}"
            found.append(Contributor(dimension, str(name), value, before))
    return found
