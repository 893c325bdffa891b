"""What a gold file says in pounds: gross and cancelled sums of each mart that states them.

In: a gold file. Out: exact sums by mart. The audit compares them with silver, and a publish keeps
them in its ledger line, so that who can't open DuckDB's file can still check them.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from lakehouse.contracts.gold import FCT_DAILY_KPIS, FCT_DAILY_SALES, FCT_ORDER_LINES, FCT_ORDERS
from lakehouse.duck import open_gold

GROSS, CANCELLED = "gross", "cancelled"
BOTH = (GROSS, CANCELLED)

_BY_CLASS = (
    "coalesce(sum(line_amount) filter (line_class = 'sale'), 0)",
    "coalesce(sum(line_amount) filter (line_class = 'cancellation'), 0)",
)
_BY_COLUMN = ("coalesce(sum(gross_amount), 0)", "coalesce(sum(cancelled_amount), 0)")
_BY_KPI = (
    "coalesce(sum(value) filter (kpi = 'gross_revenue'), 0)",
    "coalesce(sum(value) filter (kpi = 'cancelled_amount'), 0)",
)
_MARTS = {
    FCT_ORDER_LINES: _BY_CLASS,
    FCT_ORDERS: _BY_COLUMN,
    FCT_DAILY_SALES: _BY_COLUMN,
    FCT_DAILY_KPIS: _BY_KPI,
}
SILVER_SUMS = ", ".join(_BY_CLASS)
"""The same two sums over order lines of silver, as the columns of a query."""


def mart_sums(gold: Path) -> dict[str, dict[str, Decimal]]:
    """Gross and cancelled pounds by mart, from the order lines on to the screens' KPIs."""
    with open_gold(gold) as connection:
        return {
            name: dict(
                zip(
                    BOTH,
                    connection.execute(f"select {', '.join(columns)} from {name}").fetchall()[0],
                    strict=True,
                )
            )
            for name, columns in _MARTS.items()
        }


def as_texts(sums: Mapping[str, Mapping[str, Decimal]]) -> dict[str, dict[str, str]]:
    """The sums as the ledger keeps money."""
    four = Decimal("0.0001")
    return {
        name: {label: f"{Decimal(amount).quantize(four):f}" for label, amount in found.items()}
        for name, found in sums.items()
    }
