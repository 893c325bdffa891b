"""What the gate asks of each silver table: rows, keys, columns, months, orders, references.

In: the contracts of the tables. Out: `FRAMES`, every query of the gate; `quality.gate.frame` says
how they are built, `quality.gate.history_frames` what is asked of the shop's own past.
"""

from lakehouse.contracts.business import AMOUNT_LIMIT, QUANTITY_LIMIT
from lakehouse.contracts.tables import (
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    DUPLICATES,
    ORDER_LINES,
    PRODUCTS,
    QUARANTINE,
    WEB_EVENTS,
)
from lakehouse.contracts.topics import ERP_INVOICE_LINES, WEB_ORDERS
from quality.gate.frame import Frame, columns_frame, keys_frame, rows_frame
from quality.gate.history_frames import HISTORY_FRAMES

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
_AMOUNT_E4 = "(line_amount::decimal(38, 4) * 10000)::hugeint"
_GAP = f"((unit_price::decimal(38, 4) * 10000)::hugeint * quantity - {_AMOUNT_E4})"
_CLAMPED_GAP = f"case when abs({_GAP}) < {10**16} then {_GAP} else {10**16} * sign({_GAP}) end"
_DAYS_OFF = "{day} - ({at} at time zone '{{time_zone}}')::date as days_off"
_TOPIC_OF_SOURCE = (
    f"case source_system when 'erp' then '{ERP_INVOICE_LINES.name}' "
    f"when 'web' then '{WEB_ORDERS.name}' end as topic_of_source"
)
_PREFIX = "upper(left(order_id, 1))"
_HAS_EVENT_ID = "trim(event_id) <> '' as has_event_id"
_PRICE_SIGN = "sign(unit_price)::int as price_sign"

_ORDER_LINE_FACTS = (
    _HAS_EVENT_ID,
    _PRICE_SIGN,
    _TOPIC_OF_SOURCE,
    "sign(quantity)::int as quantity_sign",
    f"case when {_PREFIX} in ('A', 'C') then {_PREFIX} else 'other' end as order_id_prefix",
    "trim(order_id) <> '' as has_order_id",
    "not regexp_matches(sku, '[a-z]') as is_sku_upper_case",
    _DAYS_OFF.format(day="order_date", at="ordered_at"),
    # What is wrong has a group of its own, so that counts and positions are of bad rows only.
    f"sign({_GAP})::int as amount_gap_sign",
    f"max({_CLAMPED_GAP})::bigint as amount_gap_e4",
    f"abs(quantity::hugeint) > {QUANTITY_LIMIT} as is_outsize_quantity",
    _WIDEST.format(of="quantity", to="widest_quantity"),
    f"abs(line_amount) >= {AMOUNT_LIMIT} as is_outsize_amount",
    _WIDEST.format(of=f"{_AMOUNT_E4}::bigint", to="widest_amount_e4"),
    "sign(line_number)::int as line_number_sign",
    "year(order_date)::int as order_year",
)
_WEB_EVENT_FACTS = (
    _HAS_EVENT_ID,
    _DAYS_OFF.format(day="event_date", at="occurred_at"),
    "case when event_type = 'purchase' then order_id is not null end as has_purchased_order",
    "year(event_date)::int as event_year",
)
_CHANGE_FACTS = (_HAS_EVENT_ID, "year(changed_at)::int as change_year")

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
# An ERP event_id is the line's day and hash, and its occurrence in the extract.
_ERP_LINES = Frame(
    "erp_lines",
    ORDER_LINES.name,
    """
    with lines as (
        select event_id, order_id, regexp_replace(event_id, '-[0-9]+$', '') as line
        from {all} where source_system = 'erp'
    ), crowded as (
        select hash(line) as mark from lines group by mark having count(*) > 1
    )
    select line, count(distinct event_id) as occurrences, min(order_id) as order_id,
        1::bigint as records
    from lines where hash(line) in (select mark from crowded)
    group by line having count(distinct event_id) > 1
    order by line limit {limit}
    """,
    unit="lines more than once",
    sample=("line", "occurrences", "order_id"),
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
    rows_frame(WEB_EVENTS, values=("event_type", "device_type"), facts=_WEB_EVENT_FACTS),
    rows_frame(CUSTOMERS, facts=_CHANGE_FACTS),
    rows_frame(CUSTOMER_CONTACTS, facts=_CHANGE_FACTS),
    rows_frame(PRODUCTS, facts=(*_CHANGE_FACTS, _PRICE_SIGN)),
    rows_frame(QUARANTINE, values=("reason",)),
    rows_frame(DUPLICATES, values=("disposition",)),
    _MONTHS,
    _ERP_LINES,
    _ORDERS,
    _CUSTOMER_REFERENCES,
    _CONTACT_REFERENCES,
    *HISTORY_FRAMES,
)
"""Every query of the gate."""
