"""Purchases of identified customers, from published gold or from a file of any shop.

In: gold, an ERP extract, a table with columns for id, date and amount, or a CDNOW log.
Out: a frame with one row per customer and order: `customer_id` (text), `day` (datetime64, the
shop's day), `amount` (float, money: summed exactly before it becomes a float) and `order_id`.
A file is read by the rules of docs/data.md (duplicates, line classes, identified sales).
Run standalone: `lake ml segments --file F`.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from lakehouse.contracts.gold import FCT_CUSTOMER_ORDERS
from lakehouse.duck import open_gold
from lakehouse.errors import LakeError
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pandas as pd

COLUMNS = ("customer_id", "day", "amount", "order_id")


@dataclass(frozen=True)
class SalesFile:
    """What a file holds: its purchases, the last day with any row, and what a user should know."""

    purchases: "pd.DataFrame"
    last_day: date
    warnings: tuple[str, ...] = ()


def gold_sales(source: "Settings | Path | duckdb.DuckDBPyConnection") -> "pd.DataFrame":
    """Every order of an identified customer in gold, in the order of customer and day.

    Args:
        source: Settings for the version in service, the file of a version, or a reader on one.

    Raises:
        LakeError: Nothing is published, or the file can't be opened.
    """
    sql = (
        "select customer_id, order_date as day, gross_amount::double as amount, "
        "source_system || ' ' || order_id as order_id "
        f"from {FCT_CUSTOMER_ORDERS} order by all"
    )
    if hasattr(source, "execute"):
        return source.execute(sql).df()
    with open_gold(source) as connection:
        return connection.execute(sql).df()


def until(sales: "pd.DataFrame", day: date) -> "pd.DataFrame":
    """Purchases up to and including a day."""
    import pandas as pd

    return sales[sales["day"] <= pd.Timestamp(day)]


def last_day(sales: "pd.DataFrame") -> date:
    """Day of the last purchase. Raises: LakeError when there is none."""
    if sales.empty:
        raise LakeError("There is no purchase of an identified customer, so nothing to learn from.")
    found: date = sales["day"].max().date()
    return found
