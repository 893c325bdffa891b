"""An invented shop whose silver is sound for every seed; the proof plants its defects there.

A seed gives 64 days (a change of the clocks among them) of two sources, their customers, products
and events, as DuckDB tables in memory; `planted_line` is one more order line, sound but for what is
changed in it. Run standalone: `with build_shop(3) as shop: shop.judge()`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.tables import TABLES
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ERP_INVOICE_LINES,
    WEB_EVENTS,
    WEB_ORDERS,
)
from lakehouse.duck import duck_type, open_memory
from lakehouse.shop import shop
from quality.gate.judge import judge_relations
from quality.gate.rule import SuiteRule
from quality.gate.suites import RULES
from quality.gate.verdicts import GateResult

if TYPE_CHECKING:
    import duckdb

LAST_DAY = date(2011, 4, 5)
"""The newest day of every shop; they begin 63 days before."""

_TOPICS = {
    "erp_lines": ERP_INVOICE_LINES.name,
    "web_orders": WEB_ORDERS.name,
    "web_events": WEB_EVENTS.name,
    "crm_customers": CRM_CUSTOMERS.name,
    "catalog_products": CATALOG_PRODUCTS.name,
}

_SHOP = """
create or replace macro dice(name, a, b, c) as hash({seed}, name, a, b, c);
create or replace temp table line_plan as
with days as (
    select date '2011-02-01' + unnest(range(64))::int as day
), orders as (
    select day, source, unnest(range(26 + (dice('n', day, source, 0) % 5)::int)) as number
    from days cross join (values ('erp'), ('web')) as sources(source)
), classed as (
    select *,
           case when dice('kind', day, source, number) % 10 = 0 then 'cancellation'
                when source = 'erp' and dice('kind', day, source, number) % 97 = 1 then 'adjustment'
                else 'sale' end as kind,
           day + to_minutes((dice('time', day, source, number) % 1440)::int) as shop_time,
           case when dice('who', day, source, number) % 4 > 0
                then (1 + dice('who', day, source, number) % 40)::varchar end as customer_id
    from orders
), lines as (
    select *, unnest(range(1 + (dice('lines', day, source, number) % 5)::int)) as line from classed
)
select *, row_number() over (order by day, source, number, line) as ordinal,
       dice('price', day, number, line) % 29999 / 10000 + 1 as price,
       1 + dice('pieces', day, number, line) % 12 as pieces,
       dice('odd', day, number, line) % 50 as odd
from lines;

insert into order_lines
with typed as (
    select *,
           case when kind in ('cancellation', 'adjustment') then kind
                when odd = 0 then 'stock_movement' when odd = 1 then 'zero_price'
                else 'sale' end as line_class,
           case when kind = 'cancellation' or (kind = 'sale' and odd = 0) then -pieces::bigint
                else pieces::bigint end as quantity,
           case when kind = 'sale' and odd < 2 then 0::decimal(12, 4)
                else price::decimal(12, 4) end as unit_price
    from line_plan
)
select if(source = 'erp', sha256('line-' || ordinal) || '-1', 'line-' || ordinal),
       sha256('line-' || ordinal), source,
       case when source = 'web' then 'W-' when kind = 'cancellation' then 'C'
            when kind = 'adjustment' then 'A' else '' end
           || (strftime(day, '%m%d') || lpad(number::varchar, 3, '0')),
       line + 1, line_class, 'SKU' || (ordinal % 80), 'PRODUCT ' || (ordinal % 80),
       customer_id, 'United Kingdom', shop_time at time zone '{time_zone}', day,
       strftime(day, '%Y-%m'), quantity, unit_price, (quantity * unit_price)::decimal(18, 4),
       '{currency}', dayofyear(day) // 20, if(source = 'erp', '{erp_lines}', '{web_orders}'),
       (ordinal % 2)::int, ordinal // 2
from typed;

insert into customers
select 'crm-' || n, sha256('crm-' || n), n::varchar, timestamptz '2011-01-01 10:00:00+00',
       'United Kingdom', n % 2 = 0, 0, '{crm_customers}', 0, n
from range(1, 41) as numbers(n);

insert into customer_contacts
select event_id, content_hash, customer_id, changed_at, 'Name ' || customer_id,
       customer_id || '@example.com', null, refined_batch, source_topic, source_partition,
       source_offset
from customers;

insert into products
select 'product-' || n, sha256('product-' || n), 'SKU' || n, timestamptz '2011-01-01 00:00:00+00',
       'PRODUCT ' || n, 'gifts', 2.5, true, 0, '{catalog_products}', 0, n
from range(80) as numbers(n);

insert into web_events
select 'event-' || ordinal, sha256('event-' || ordinal), 'session-' || number, 'visitor-' || number,
       customer_id, case line when 0 then 'purchase' when 1 then 'exposure' else 'product_view' end,
       'SKU1', if(line = 0, 'W-' || number, null), if(line = 0, 'mobile', null),
       if(line = 1, 'test', null), if(line = 1, 'A', null),
       shop_time at time zone '{time_zone}', day, 2,
       '{web_events}', 0, ordinal
from line_plan where source = 'web';

insert into quarantine
select '{erp_lines}', 0, 900000 + n, null, 'bad_price', null, 'raw'::blob, null,
       timestamptz '2011-04-05 12:00:00+00', null, 2
from range(3) as numbers(n);

insert into duplicates
select '{erp_lines}', 0, 800000 + n, 'line-1', 'line-1',
       if(n = 0, 'redelivered', 'repeated'), 1.5, 2
from range(3) as numbers(n);
"""


@dataclass
class Shop:
    """Silver of one seed. `relations` are what the gate reads."""

    connection: "duckdb.DuckDBPyConnection"
    relations: dict[str, str]

    def __enter__(self) -> "Shop":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def judge(
        self, *, rules: Sequence[SuiteRule] = RULES, since_batch: int | None = None, **replaced: str
    ) -> GateResult:
        """Judge, with some relations replaced by name (without its schema)."""
        relations = {
            name: replaced.get(name.partition(".")[2], relation)
            for name, relation in self.relations.items()
        }
        return judge_relations(self.connection, relations, since_batch=since_batch, rules=rules)

    def count(self, table: str) -> int:
        """Rows of a table, named without its schema."""
        return int(self.connection.execute(f"select count(*) from {table}").fetchall()[0][0])

    def add(self, table: str, **values: Any) -> None:
        """One more row; columns that are not named are null."""
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        self.connection.execute(
            f"insert into {table} ({names}) values ({marks})", list(values.values())
        )

    @contextmanager
    def changed(self) -> Iterator[None]:
        """What happens inside is undone."""
        self.connection.execute("begin")
        try:
            yield
        finally:
            self.connection.execute("rollback")


def build_shop(seed: int) -> Shop:
    """Silver of the shop of a seed; close it, or use it in a `with`."""
    connection = open_memory()
    relations = {}
    for table in TABLES:
        name = table.name.partition(".")[2]
        columns = ", ".join(f'"{column.name}" {duck_type(column)}' for column in table.columns)
        connection.execute(f"create table {name} ({columns})")
        relations[table.name] = name
    connection.execute(
        _SHOP.format(
            seed=int(seed), currency=shop().currency, time_zone=shop().time_zone, **_TOPICS
        )
    )
    return Shop(connection, relations)


def planted_line(**changes: Any) -> dict[str, Any]:
    """A sound sale of the ERP at a position that no other line has, but for `changes`."""
    sound = {
        "event_id": "planted",
        "content_hash": "hash",
        "source_system": "erp",
        "order_id": "700001",
        "line_number": 1,
        "line_class": "sale",
        "sku": "SKU1",
        "description": "PRODUCT 1",
        "customer_id": "1",
        "country": "United Kingdom",
        "ordered_at": datetime(2011, 4, 4, 23, 30, tzinfo=UTC),
        "order_date": date(2011, 4, 5),
        "order_month": "2011-04",
        "quantity": 3,
        "unit_price": Decimal("2.5500"),
        "line_amount": Decimal("7.6500"),
        "currency": shop().currency,
        "refined_batch": 9,
        "source_topic": ERP_INVOICE_LINES.name,
        "source_partition": 7,
        "source_offset": 1_000_000,
    }
    return {**sound, **changes}
