"""What a gold file states of sales: the same totals by every mart that states them.

In: a gold file. Out: exact totals by mart: gross and cancelled money, and of the sale lines with a
customer money and distinct customers. The audit compares them with silver, and a publish keeps
them in its ledger line, so that who can't open DuckDB's file can still check them.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from lakehouse.contracts.gold import (
    FCT_COHORT_RETENTION,
    FCT_CUSTOMER_ORDERS,
    FCT_CUSTOMER_RFM,
    FCT_DAILY_CUSTOMERS,
    FCT_DAILY_KPIS,
    FCT_DAILY_SALES,
    FCT_ORDER_LINES,
    FCT_ORDERS,
)
from lakehouse.duck import open_gold
from lakehouse.shop_format import number
from quality.audit.equation import money

GROSS, CANCELLED = "gross", "cancelled"
IDENTIFIED_GROSS, IDENTIFIED_CUSTOMERS = "identified_gross", "identified_customers"

LINE_TOTALS = {
    GROSS: "sum(line_amount) filter (line_class = 'sale')",
    CANCELLED: "sum(line_amount) filter (line_class = 'cancellation')",
    IDENTIFIED_GROSS: "sum(line_amount) filter (line_class = 'sale' and customer_id is not null)",
    IDENTIFIED_CUSTOMERS: "count(distinct customer_id) filter (line_class = 'sale')",
}
"""The definition of each total over order lines, those of silver and those of gold."""

_BY_COLUMN = {GROSS: "sum(gross_amount)", CANCELLED: "sum(cancelled_amount)"}
_MARTS: Mapping[str, Mapping[str, str]] = {
    FCT_ORDER_LINES: LINE_TOTALS,
    FCT_ORDERS: _BY_COLUMN,
    FCT_DAILY_SALES: _BY_COLUMN,
    FCT_DAILY_KPIS: {
        GROSS: "sum(value) filter (kpi = 'gross_revenue')",
        CANCELLED: "sum(value) filter (kpi = 'cancelled_amount')",
        IDENTIFIED_CUSTOMERS: "sum(value) filter (kpi = 'new_customers')",
    },
    FCT_DAILY_CUSTOMERS: {
        GROSS: "sum(gross_amount)",
        IDENTIFIED_GROSS: "sum(gross_amount) filter (customer_kind <> 'unknown')",
        IDENTIFIED_CUSTOMERS: "sum(customer_count) filter (customer_kind = 'new')",
    },
    FCT_CUSTOMER_ORDERS: {
        IDENTIFIED_GROSS: "sum(gross_amount)",
        IDENTIFIED_CUSTOMERS: "count(distinct customer_id)",
    },
    FCT_CUSTOMER_RFM: {IDENTIFIED_GROSS: "sum(monetary_amount)", IDENTIFIED_CUSTOMERS: "count(*)"},
    FCT_COHORT_RETENTION: {
        IDENTIFIED_CUSTOMERS: "sum(cohort_size) filter (month_number = 0)",
    },
}


def totals_query(totals: Mapping[str, str], relation: str) -> str:
    """One row with these totals as decimals; a sum of nothing is 0."""
    columns = (
        f"coalesce({expression}, 0)::decimal(38, 4) as {name}"
        for name, expression in totals.items()
    )
    return f"select {', '.join(columns)} from {relation}"


def mart_sums(gold: Path) -> dict[str, dict[str, Decimal]]:
    """Totals by mart and name, from the order lines on; a mart has those that it states."""
    with open_gold(gold) as connection:
        return {
            mart: dict(
                zip(
                    totals,
                    connection.execute(totals_query(totals, mart)).fetchall()[0],
                    strict=True,
                )
            )
            for mart, totals in _MARTS.items()
        }


def shown(name: str, total: Decimal) -> str:
    """A total as the audit prints it: money, or a whole number of customers."""
    return number(total) if name == IDENTIFIED_CUSTOMERS else money(total)


def as_texts(sums: Mapping[str, Mapping[str, Decimal]]) -> dict[str, dict[str, str]]:
    """The totals as the ledger keeps money; a count is a whole number of the same form."""
    four = Decimal("0.0001")
    return {
        mart: {name: f"{total.quantize(four):f}" for name, total in totals.items()}
        for mart, totals in sums.items()
    }
