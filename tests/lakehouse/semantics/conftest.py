"""A shop of a few lines for the semantic layer, in tables as gold has them."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

MONDAY, TUESDAY, NEXT = date(2011, 1, 3), date(2011, 1, 4), date(2011, 1, 10)
LINES = (
    # order, class, country, customer, day, sku, pieces, amount: order 1 has lines of two countries
    ("erp", "1", "sale", "France", "10", MONDAY, "A", 2, "10.0000"),
    ("erp", "1", "sale", "Spain", "10", MONDAY, "B", 1, "5.0000"),
    ("erp", "2", "sale", "France", None, TUESDAY, "A", 1, "3.3333"),
    ("erp", "C3", "cancellation", "France", "10", TUESDAY, "A", -1, "-5.0000"),
    ("erp", "4", "sale", "France", "10", NEXT, "A", 1, "4.0000"),
    ("web", "1", "sale", "France", "11", NEXT, "POST", 1, "1.0000"),
    ("erp", "5", "zero_price", "France", "10", MONDAY, "A", -9, "0.0000"),
)
_BUILD = """
create schema gold; create schema intermediate;
create table gold.fct_order_lines as select *, sku <> 'POST' as is_product from lines;
create table intermediate.int_orders_grouped as
select order_date, source_system, order_id, customer_id, country, line_class,
  sum(quantity)::bigint as quantity, sum(line_amount)::decimal(18, 4) as line_amount
from lines group by all;
create table gold.dim_customers as select * from (values
  ('10', date '2011-01-03', timestamp '0001-01-01', timestamp '2011-01-05'),
  ('10', date '2011-01-03', timestamp '2011-01-05', null),
  ('11', date '2011-01-10', timestamp '0001-01-01', null)
) as t(customer_id, first_order_date, valid_from, valid_to);
create table gold.fct_customer_rfm as select * from (values ('10', 'loyal'), ('11', 'new'))
  as t(customer_id, rfm_segment);
create table gold.fct_sessions as select * from (values
  (date '2011-01-10', true, true, true, 'phone'), (date '2011-01-10', true, true, false, 'desk'),
  (date '2011-01-10', true, false, false, null)
) as t(session_date, has_page_view, has_add_to_cart, has_purchase, device_type);
alter table gold.fct_sessions add column customer_id varchar;
"""


@pytest.fixture(scope="module")
def cursor() -> Iterator[Any]:
    with duckdb.connect() as connection:
        connection.execute(
            "create temp table lines (source_system varchar, order_id varchar, line_class varchar, "
            "country varchar, customer_id varchar, order_date date, sku varchar, quantity bigint, "
            "line_amount decimal(18, 4))"
        )
        connection.executemany("insert into lines values (?, ?, ?, ?, ?, ?, ?, ?, ?)", LINES)
        connection.execute(_BUILD)
        yield connection
