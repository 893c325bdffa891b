"""Every query of the screens: a cursor on one gold version in, exact frames and totals out.

Values reach SQL as bound parameters only. Money stays Decimal: frames hold Decimal objects, never
floats. Orders and customers are distinct counts of the chosen sale lines, so days are never added
up, and an order counts on each day and in each country where it has a line.
Run standalone: with a reader of `dashboards.published`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboards.periods import Extent, Grain, Selection
from lakehouse.contracts.gold import DIM_DATES, DIM_PRODUCTS, FCT_DAILY_SALES, FCT_ORDER_LINES
from lakehouse.contracts.kpis import kpi

if TYPE_CHECKING:
    import duckdb

TOP_COUNT = 10
_CHOSEN = """order_date between $first_day and $last_day
  and (len($countries::varchar[]) = 0 or list_contains($countries::varchar[], country))"""
_TRUNC = {
    "day": "order_date",
    "week": "date_trunc('week', order_date)::date",
    "month": "date_trunc('month', order_date)::date",
}


@dataclass(frozen=True)
class Totals:
    """Totals of a period: money, distinct orders with a sale line, distinct known customers."""

    gross_amount: Decimal
    cancelled_amount: Decimal
    net_amount: Decimal
    order_count: int
    customer_count: int

    @property
    def average_order_value(self) -> Decimal | None:
        """The KPI of that name; nothing without an order."""
        return kpi("average_order_value").value(vars(self))

    @property
    def return_rate(self) -> Decimal | None:
        """The KPI of that name; nothing without gross revenue."""
        return kpi("return_rate").value(
            {"returned_amount": -self.cancelled_amount, "gross_amount": self.gross_amount}
        )


def extent(cursor: "duckdb.DuckDBPyConnection") -> Extent | None:
    """First and last day with orders, without outliers, and the countries by gross revenue.

    None in an empty shop.
    """
    first_day, last_day, outlier_count = cursor.execute(
        f"""select min(date_day) filter (not is_outlier), max(date_day) filter (not is_outlier),
          count(*) filter (is_outlier) from {DIM_DATES} where is_trading_day"""
    ).fetchall()[0]
    if first_day is None:
        return None
    countries = cursor.execute(
        f"select country from {FCT_DAILY_SALES} group by country "
        "order by sum(gross_amount) desc, country"
    ).fetchall()
    return Extent(first_day, last_day, tuple(country for (country,) in countries), outlier_count)


def totals(cursor: "duckdb.DuckDBPyConnection", selection: Selection) -> Totals:
    """Totals of the selection, exact."""
    money = _rows(
        cursor,
        f"""select coalesce(sum(gross_amount), 0)::decimal(38, 4),
          coalesce(sum(cancelled_amount), 0)::decimal(38, 4),
          coalesce(sum(net_amount), 0)::decimal(38, 4)
        from {FCT_DAILY_SALES} where {_CHOSEN}""",
        selection,
    )[0]
    counted = _rows(
        cursor,
        f"""select count(distinct (source_system, order_id)), count(distinct customer_id)
        from {FCT_ORDER_LINES} where line_class = 'sale' and {_CHOSEN}""",
        selection,
    )[0]
    return Totals(*money, *counted)


def sales_over_time(cursor: "duckdb.DuckDBPyConnection", selection: Selection) -> pd.DataFrame:
    """Money by time bucket and source, in order of both.

    Returns:
        One row per bucket and source that has any: bucket_date (first day of the bucket),
        source_system, gross_amount, cancelled_amount, net_amount.
    """
    return _frame(
        cursor,
        f"""select {_bucket(selection.grain)} as bucket_date, source_system,
          sum(gross_amount)::decimal(38, 4) as gross_amount,
          sum(cancelled_amount)::decimal(38, 4) as cancelled_amount,
          sum(net_amount)::decimal(38, 4) as net_amount
        from {FCT_DAILY_SALES} where {_CHOSEN} group by all order by all""",
        selection,
    )


def activity_over_time(cursor: "duckdb.DuckDBPyConnection", selection: Selection) -> pd.DataFrame:
    """Distinct orders with a sale line and distinct known customers by time bucket.

    Returns:
        One row per bucket that has any: bucket_date, order_count, customer_count.
    """
    return _frame(
        cursor,
        f"""select {_bucket(selection.grain)} as bucket_date,
          count(distinct (source_system, order_id)) as order_count,
          count(distinct customer_id) as customer_count
        from {FCT_ORDER_LINES} where line_class = 'sale' and {_CHOSEN}
        group by all order by all""",
        selection,
    )


def top_products(
    cursor: "duckdb.DuckDBPyConnection", selection: Selection, *, limit: int = TOP_COUNT
) -> pd.DataFrame:
    """The products with the most net revenue, service codes left out.

    Returns:
        At most `limit` rows, one per product: sku, description, item_quantity (pieces sold),
        gross_amount, cancelled_amount, net_amount.
    """
    return _frame(
        cursor,
        f"""with sold as (
          select sku,
            sum(quantity) filter (line_class = 'sale') as item_quantity,
            sum(line_amount) filter (line_class = 'sale') as gross_amount,
            sum(line_amount) filter (line_class = 'cancellation') as cancelled_amount
          from {FCT_ORDER_LINES}
          where is_product and line_class in ('sale', 'cancellation') and {_CHOSEN}
          group by sku
        )
        select sold.sku, coalesce(min(products.description), sold.sku) as description,
          coalesce(any_value(item_quantity), 0)::bigint as item_quantity,
          coalesce(any_value(gross_amount), 0)::decimal(38, 4) as gross_amount,
          coalesce(any_value(cancelled_amount), 0)::decimal(38, 4) as cancelled_amount,
          (coalesce(any_value(gross_amount), 0)
            + coalesce(any_value(cancelled_amount), 0))::decimal(38, 4) as net_amount
        from sold left join {DIM_PRODUCTS} as products
          on products.sku = sold.sku and products.is_current
        group by sold.sku
        having net_amount > 0 order by net_amount desc, sold.sku limit $most""",
        selection,
        most=limit,
    )


def sales_by_country(cursor: "duckdb.DuckDBPyConnection", selection: Selection) -> pd.DataFrame:
    """Money and orders by country, the largest net revenue first.

    Returns:
        One row per country: country, order_count, gross_amount, cancelled_amount, net_amount.
    """
    return _frame(
        cursor,
        f"""with counted as (
          select country, count(distinct (source_system, order_id)) as order_count
          from {FCT_ORDER_LINES} where line_class = 'sale' and {_CHOSEN} group by country
        ), money as (
          select country, sum(gross_amount)::decimal(38, 4) as gross_amount,
            sum(cancelled_amount)::decimal(38, 4) as cancelled_amount,
            sum(net_amount)::decimal(38, 4) as net_amount
          from {FCT_DAILY_SALES} where {_CHOSEN} group by country
        )
        select money.country, coalesce(order_count, 0) as order_count,
          gross_amount, cancelled_amount, net_amount
        from money left join counted using (country)
        order by net_amount desc, money.country""",
        selection,
    )


def _bucket(grain: Grain) -> str:
    return _TRUNC[grain]


def _execute(
    cursor: "duckdb.DuckDBPyConnection", sql: str, selection: Selection, **others: int | date
) -> "duckdb.DuckDBPyConnection":
    parameters: dict[str, Any] = {
        "first_day": selection.start,
        "last_day": selection.end,
        "countries": list(selection.countries),
        **others,
    }
    return cursor.execute(sql, parameters)


def _rows(
    cursor: "duckdb.DuckDBPyConnection", sql: str, selection: Selection
) -> list[tuple[Any, ...]]:
    return _execute(cursor, sql, selection).fetchall()


def _frame(
    cursor: "duckdb.DuckDBPyConnection", sql: str, selection: Selection, **others: int | date
) -> pd.DataFrame:
    """Rows as a frame of Python objects: Decimal and date stay what they are."""
    result = _execute(cursor, sql, selection, **others)
    names = [column[0] for column in result.description or ()]
    return pd.DataFrame(result.fetchall(), columns=names, dtype=object)
