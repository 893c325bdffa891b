"""What the gate asks of each silver table: rows, keys, columns, months, orders, references.

In: the contracts of the tables. Out: `FRAMES`, every query of the gate; `quality.frames` says how
they are built, `quality.history_frames` what is asked of the shop's own past.
"""

from lakehouse.contracts.tables import (
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    DUPLICATES,
    ORDER_LINES,
    PRODUCTS,
    QUARANTINE,
    WEB_EVENTS,
)
from lakehouse.settings import SHOP_TIME_ZONE
from quality.frames import Frame, columns_frame, keys_frame, rows_frame
from quality.history_frames import HISTORY_FRAMES

JUDGED_TABLES = (
    ORDER_LINES,
    WEB_EVENTS,
    CUSTOMERS,
    CUSTOMER_CONTACTS,
    PRODUCTS,
    QUARANTINE,
    DUPLICATES,
)
"""Tables of silver, in the order in which they are judged."""

_WIDEST = (
    "case when max({of}::hugeint) >= -min({of}::hugeint) then max({of}) else min({of}) end as {to}"
)
_GAP = "((unit_price * 10000)::hugeint * quantity - (line_amount * 10000)::hugeint)"
_DAYS_OFF = f"{{day}} - ({{at}} at time zone '{SHOP_TIME_ZONE}')::date as days_off"
_PREFIX = "upper(left(order_id, 1))"
_HAS_EVENT_ID = "trim(event_id) <> '' as has_event_id"
_PRICE_SIGN = "sign(unit_price)::int as price_sign"

_ORDER_LINE_FACTS = (
    _HAS_EVENT_ID,
    _PRICE_SIGN,
    "sign(quantity)::int as quantity_sign",
    f"case when {_PREFIX} in ('A', 'C') then {_PREFIX} else 'other' end as order_id_prefix",
    "trim(order_id) <> '' as has_order_id",
    "not regexp_matches(sku, '[a-z]') as is_sku_upper_case",
    _DAYS_OFF.format(day="order_date", at="ordered_at"),
    f"sign({_GAP})::int as amount_gap_sign",
    # Beyond a million million pounds the size of the gap says nothing more.
    f"max(greatest(least({_GAP}, {10**16}), -{10**16}))::bigint as amount_gap_e4",
    _WIDEST.format(of="quantity", to="widest_quantity"),
    _WIDEST.format(of="(line_amount * 10000)::bigint", to="widest_amount_e4"),
    "min(line_number) as first_line_number",
    "min(order_date) as first_order_date",
    "max(order_date) as last_order_date",
)
_WEB_EVENT_FACTS = (
    _HAS_EVENT_ID,
    _DAYS_OFF.format(day="event_date", at="occurred_at"),
    "case when event_type = 'purchase' then order_id is not null end as has_purchased_order",
    "min(event_date) as first_event_date",
    "max(event_date) as last_event_date",
)
_CHANGE_FACTS = (
    _HAS_EVENT_ID,
    "min(changed_at)::date as first_change_date",
    "max(changed_at)::date as last_change_date",
)

_MONTHS = Frame(
    "months",
    ORDER_LINES.name,
    """
    select order_month, strftime(order_date, '%Y-%m') as month_of_order_date,
           count(*) as records, min(order_id) as first_order_id
    from {new} group by 1, 2 order by 1, 2
    """,
    sample=("first_order_id",),
)
_ORDERS = Frame(
    "orders",
    ORDER_LINES.name,
    """
    with touched as (select distinct source_system, order_id from {new}),
    orders as (
        select source_system, order_id,
               count(distinct customer_id) as customer_count,
               count(distinct country) as country_count
        from {all} as line semi join touched using (source_system, order_id)
        group by source_system, order_id
    )
    select source_system, customer_count, country_count,
           count(*) as records, min(order_id) as first_order_id
    from orders group by all order by all
    """,
    unit="orders",
    sample=("source_system", "first_order_id"),
)
# Only batches that both tables have reached: what is being written right now is no orphan.
_CONTACT_REFERENCES = Frame(
    "references",
    CUSTOMER_CONTACTS.name,
    """
    with reached as (
        select least(
            (select max(refined_batch) from {all}), (select max(refined_batch) from {customers})
        ) as batch
    )
    select contact.event_id, 1::bigint as records
    from {new} as contact
    anti join {customers} as customer
    on contact.event_id = customer.event_id and contact.customer_id = customer.customer_id
    where contact.refined_batch <= (select batch from reached)
    order by contact.event_id limit {limit}
    """,
    unit="orphans",
    sample=("event_id",),
    others=(CUSTOMERS.name,),
)
_CUSTOMER_REFERENCES = Frame(
    "references",
    ORDER_LINES.name,
    """
    with known as (
        select customer_id from {customers}
        union
        select customer_id from {all} where source_system = 'erp'
    )
    select customer_id, min(order_id) as first_order_id, 1::bigint as records
    from {new} as line anti join known using (customer_id)
    where source_system = 'web' and customer_id is not null
    group by customer_id order by customer_id limit {limit}
    """,
    unit="unknown customers",
    sample=("customer_id", "first_order_id"),
    others=(CUSTOMERS.name,),
)

FRAMES = (
    *(columns_frame(table) for table in JUDGED_TABLES),
    *(keys_frame(table) for table in JUDGED_TABLES),
    rows_frame(
        ORDER_LINES, values=("source_system", "line_class", "currency"), facts=_ORDER_LINE_FACTS
    ),
    rows_frame(WEB_EVENTS, values=("event_type",), facts=_WEB_EVENT_FACTS),
    rows_frame(CUSTOMERS, facts=_CHANGE_FACTS),
    rows_frame(CUSTOMER_CONTACTS, facts=_CHANGE_FACTS),
    rows_frame(PRODUCTS, facts=(*_CHANGE_FACTS, _PRICE_SIGN)),
    rows_frame(QUARANTINE, values=("reason",)),
    rows_frame(DUPLICATES, values=("disposition",)),
    _MONTHS,
    _ORDERS,
    _CUSTOMER_REFERENCES,
    _CONTACT_REFERENCES,
    *HISTORY_FRAMES,
)
"""Every query of the gate."""
