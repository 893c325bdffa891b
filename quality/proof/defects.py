"""What goes wrong with data, each planted on purpose and named with the one rule that must see it.

In: the contracts. Out: `DEFECTS`, rows of data that `quality.proof.prove` plants in the invented
shop, one at a time. A rule that blocks has a row here, or the proof's test fails. Single order
lines that break a rule are in `quality.proof.line_defects`.
"""

from collections.abc import Iterator

from lakehouse.contracts.tables import (
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    DUPLICATES,
    ORDER_LINES,
    PRODUCTS,
    QUARANTINE,
    WEB_EVENTS,
    Table,
)
from quality.gate.table_frames import JUDGED_TABLES
from quality.proof.line_defects import LINE_DEFECTS, ODD_LINES, PlantedDefect
from quality.proof.sample_shop import LAST_DAY, planted_line

_OF_DAY = "source_system = '{source}' and order_date = date '{last_day}' - {days}"
_ONE_MORE = "insert into {table} select * replace ({changes}) from {table} order by all limit 1"
# Above every batch of the shop, so that what is planted counts as still being written elsewhere.
_LATER = 99


def _wide(check: str, name: str, damage: str, source: str = "erp", days: int = 2) -> PlantedDefect:
    """A defect of many order lines; {day} in `damage` is a source's day so many before the last."""
    of_day = _OF_DAY.format(source=source, last_day=LAST_DAY, days=days)
    return PlantedDefect(
        name, ORDER_LINES.name, f"order_lines.{check}", damage.replace("{day}", of_day)
    )


def _more(table: Table, check: str, name: str, /, **changes: object) -> PlantedDefect:
    """One more row of a table, sound but for `changes`."""
    short = table.name.partition(".")[2]
    sound: dict[str, object] = {table.key[-1]: -1 if table.key[-1] == "offset" else "planted"}
    values = {**sound, "refined_batch": _LATER, **changes}
    replaced = ", ".join(f'{_literal(value)} as "{key}"' for key, value in values.items())
    damage = _ONE_MORE.format(table=short, changes=replaced)
    return PlantedDefect(name, table.name, f"{short}.{check}", damage)


def _literal(value: object) -> str:
    return "null" if value is None else repr(value)


WIDE_DEFECTS = (
    _wide(
        "erp_line.once",
        "doubled day: a day of the ERP was delivered twice",
        "insert into order_lines select * "
        "replace (regexp_replace(event_id, '-[0-9]+$', '-2') as event_id, "
        "source_offset + 2000000 as source_offset) from order_lines where {day}",
    ),
    _wide(
        "day.not_missing", "missing day: a day never arrived", "delete from order_lines where {day}"
    ),
    _wide(
        "volume.not_low",
        "half-loaded day: one line of a day arrived",
        "delete from order_lines where {day} and event_id <> "
        "(select min(event_id) from order_lines where {day})",
    ),
    _wide(
        "volume.not_high",
        "flood: a day has nine times its lines, all of them new",
        "insert into order_lines select order_lines.* replace "
        "(event_id || '-more-' || n as event_id) from order_lines, range(9) as more(n) where {day}",
        source="web",
    ),
    _wide(
        "price_level.steady",
        "drifted price level: a day's prices are three times the usual",
        "update order_lines set unit_price = unit_price * 3, line_amount = line_amount * 3 "
        "where {day}",
    ),
    _wide(
        "price_level.steady",
        "cents for units: a day's prices are a hundred times too high",
        "update order_lines set unit_price = unit_price * 100, line_amount = line_amount * 100 "
        "where {day}",
        source="web",
    ),
    _wide(
        "line_amount.exact",
        "swapped columns: price and amount of an order's lines",
        "update order_lines set unit_price = line_amount, line_amount = unit_price "
        "where order_id = (select max(order_id) from order_lines where {day} and quantity > 1)",
    ),
    _wide(
        "order_date.is_shop_day",
        "time-zone shift: a day's times were taken for UTC",
        "update order_lines set ordered_at = ordered_at + interval 1 hour where {day}",
    ),
    _wide(
        "description.not_cut",
        "truncated text: descriptions of a day stop after four characters",
        "update order_lines set description = left(description, 4) where {day}",
        source="web",
    ),
    _wide(
        "unknown_customers.not_rising",
        "lost customers: no line of a day has one",
        "update order_lines set customer_id = null where {day}",
        source="web",
    ),
    _wide(
        "customer_id.known",
        "orphan customers: nobody knows those of a day",
        "update order_lines set customer_id = 'stranger-' || customer_id where {day}",
        source="web",
    ),
    _wide(
        "order.one_country",
        "wrong country mapping: one line of each order of a day went to another country",
        "update order_lines set country = 'EIRE' where {day} and line_number = 2 and order_id in "
        "(select order_id from order_lines where {day} group by order_id having count(*) > 1)",
    ),
    _wide(
        "order.one_customer",
        "wrong join: a line of each order of a day got its neighbour's customer",
        "update order_lines set customer_id = customer_id || '0' where {day} and line_number = 1 "
        "and order_id in "
        "(select order_id from order_lines where {day} group by order_id having count(*) > 1)",
    ),
    _wide(
        "source.fresh",
        "stale source: the web shop fell silent 19 days ago",
        f"delete from order_lines where source_system = 'web' "
        f"and order_date > date '{LAST_DAY}' - 19",
    ),
    _wide(
        "columns.as_contract",
        "drifted type: a price is a float",
        "alter table order_lines alter unit_price type double",
    ),
)
OTHER_DEFECTS = (
    _more(QUARANTINE, "reason.known", "a reason outside the list", reason="because"),
    _more(QUARANTINE, "topic.known", "a refusal of an unknown topic", topic="nowhere"),
    _more(DUPLICATES, "disposition.known", "an unknown disposition", disposition="lost"),
    _more(DUPLICATES, "topic.known", "a duplicate of an unknown topic", topic="nowhere"),
    _more(PRODUCTS, "unit_price.not_negative", "a negative list price", unit_price=-1),
    _more(WEB_EVENTS, "event_type.known", "an unknown kind of event", event_type="click"),
    _more(WEB_EVENTS, "device_type.known", "an unknown device", device_type="kettle"),
    _more(
        WEB_EVENTS,
        "event_date.is_shop_day",
        "an event on the day before its time",
        event_date="2011-03-01",
        occurred_at="2011-03-02 12:00:00+00",
    ),
    _more(
        WEB_EVENTS,
        "event_date.in_range",
        "an event of the year 1989",
        event_date="1989-03-01",
        occurred_at="1989-03-01 12:00:00+00",
    ),
    _more(
        WEB_EVENTS,
        "purchase.names_its_order",
        "a purchase without an order",
        event_type="purchase",
        order_id=None,
    ),
    PlantedDefect(
        "orphan contacts: of a customer without a change",
        CUSTOMER_CONTACTS.name,
        "customer_contacts.customer.known",
        "update customer_contacts set customer_id = 'nobody' where event_id = 'crm-7'",
    ),
)


def _contract_defects() -> Iterator[PlantedDefect]:
    """Rules that every table has: a null in each required column, a key twice, a strange column."""
    for table in JUDGED_TABLES:
        short = table.name.partition(".")[2]
        for column in (each.name for each in table.columns if not each.nullable):
            name, check = f"null in {short}.{column}", f"{column}.not_null"
            if table is ORDER_LINES:
                line = planted_line(**{column: None})
                yield PlantedDefect(name, table.name, f"{short}.{check}", line=line)
            else:
                yield _more(table, check, name, **{column: None})
        twice = f"insert into {short} select * from {short} order by all limit 1"
        yield PlantedDefect(f"a row of {short} twice", table.name, f"{short}.key.unique", twice)
        if table is not ORDER_LINES:
            strange = f"alter table {short} add column surprise integer"
            check = f"{short}.columns.as_contract"
            yield PlantedDefect(f"a new column of {short}", table.name, check, strange)
    for table in (WEB_EVENTS, CUSTOMERS, CUSTOMER_CONTACTS, PRODUCTS):
        short = table.name.partition(".")[2]
        yield _more(table, "event_id.filled", f"an event_id of blanks in {short}", event_id=" ")
    for table in (CUSTOMERS, CUSTOMER_CONTACTS, PRODUCTS):
        name = f"a change of the year 1989 in {table.name.partition('.')[2]}"
        yield _more(table, "changed_at.in_range", name, changed_at="1989-12-31 23:59:59+00")


DEFECTS = (*WIDE_DEFECTS, *LINE_DEFECTS, *ODD_LINES, *OTHER_DEFECTS, *_contract_defects())
"""Every planted defect of silver, those of whole days first."""
