"""A small shop in gold: order lines in, the tables that reports read out.

The values of a day are computed here from the lines, by SQL of the tests' own.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from lakehouse.settings import Settings
from tests.gold_files import ORDERS_GROUPED, serve_gold

Line = tuple[date, str, str, str | None, str, int, str]
"""Day, order, name of the product, customer, country, pieces, unit price; negative: cancelled."""

_VALUES = """
create table gold.fct_daily_kpis as
with days as (
  select date_day as day,
    coalesce(sum(line_amount) filter (line_class = 'sale'), 0) as gross,
    coalesce(sum(line_amount) filter (line_class = 'cancellation'), 0) as cancelled,
    count(distinct order_id) filter (line_class = 'sale') as orders,
    count(distinct customer_id) filter (line_class = 'sale') as customers
  from gold.dim_dates left join gold.fct_order_lines on order_date = date_day group by date_day
)
select day as kpi_date, kpi, value::decimal(38, 4) as value, unit from (
  select day, 'gross_revenue' as kpi, gross as value, 'GBP' as unit from days
  union all select day, 'cancelled_amount', cancelled, 'GBP' from days
  union all select day, 'net_revenue', gross + cancelled, 'GBP' from days
  union all select day, 'order_count', orders, 'count' from days
  union all select day, 'active_customers', customers, 'count' from days
  union all select day, 'new_customers', 0, 'count' from days
  union all select day, 'return_rate', -cancelled / gross, 'rate' from days where gross > 0
)"""


def serve_shop(
    settings: Settings,
    lines: Sequence[Line],
    *,
    first: date | None = None,
    last: date | None = None,
    run: str = "1",
) -> Path:
    """Put this shop in service; its calendar runs over its lines, or over the days given."""
    days = [each[0] for each in lines] or [date(2011, 12, 9)]
    values = ", ".join(
        "(date '{}', {}, {}, {}, {}, {}, {}::decimal(12, 4), '{}')".format(
            each[0],
            *(_text(part) for part in each[1:5]),
            each[5],
            Decimal(each[6]),
            "sale" if each[5] > 0 else "cancellation",
        )
        for each in lines
    )
    rows = f"values {values}" if lines else "select null, '', '', '', '', 0, 0, '' where false"
    return serve_gold(
        settings,
        f"""create table gold.fct_order_lines as
        select order_date::date as order_date, order_id, sku, customer_id, country, quantity,
          unit_price, line_class, 'erp' as source_system, true as is_product,
          (quantity * unit_price)::decimal(18, 4) as line_amount
        from ({rows}) as lines(
          order_date, order_id, sku, customer_id, country, quantity, unit_price, line_class)""",
        f"""create table gold.dim_dates as
        select unnest(generate_series(date '{first or min(days)}', date '{last or max(days)}',
          interval 1 day))::date as date_day, false as is_outlier""",
        """alter table gold.dim_dates add column is_trading_day boolean""",
        """update gold.dim_dates set is_trading_day =
          date_day in (select order_date from gold.fct_order_lines)""",
        """create table gold.dim_products as
        select distinct sku, sku as description, true as is_current from gold.fct_order_lines""",
        ORDERS_GROUPED,
        """create table gold.dim_customers as
        select customer_id, min(order_date) as first_order_date, null::timestamp as valid_to
        from gold.fct_order_lines where line_class = 'sale' group by customer_id""",
        """create table gold.fct_sessions (session_date date, has_page_view boolean,
          has_add_to_cart boolean, has_purchase boolean)""",
        _VALUES,
        file=f"gold-{run}.duckdb",
    )


def _text(value: str | int | None) -> str:
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"
