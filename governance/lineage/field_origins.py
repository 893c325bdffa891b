"""Which fields of a message each column of silver is made of, by topic: what refine does, as data.

In: a silver table. Out: fields by topic and column; a test changes one field of a message at a time
and sees these columns change, and no other. `lines[].x` is field x of a line of an order.
"""

from collections.abc import Mapping

from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    ORDER_LINES,
    PRODUCTS,
    REFINED_BATCH,
    SOURCE_POSITION,
    WEB_EVENTS,
)
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ERP_COLUMNS,
    ERP_INVOICE_LINES,
    ORDER_LINE_FIELDS,
    WEB_ORDERS,
    Topic,
)
from lakehouse.contracts.topics import WEB_EVENTS as WEB_EVENTS_TOPIC

Fields = tuple[str, ...]
CONTENT_HASH = "content_hash"
LINE = "lines[]."

_AT = ("occurred_at",)
_CUSTOMER = {"customer_id": ("customer_id",), "changed_at": _AT}


def _content(topic: Topic) -> Fields:
    """Fields that the content hash of a record covers."""
    fields = tuple(each.name for each in topic.fields)
    lines = tuple(f"{LINE}{each.name}" for each in ORDER_LINE_FIELDS)
    return (*fields, *(lines if topic is WEB_ORDERS else ()), *_AT)


_ENTRIES: tuple[tuple[str, Topic, Mapping[str, Fields]], ...] = (
    (
        ORDER_LINES.name,
        ERP_INVOICE_LINES,
        {
            CONTENT_HASH: ERP_COLUMNS,
            "source_system": (),
            "order_id": ("InvoiceNo",),
            "line_number": ("line_number",),
            "line_class": ("InvoiceNo", "Quantity", "UnitPrice"),
            "sku": ("StockCode",),
            "description": ("Description",),
            "customer_id": ("CustomerID",),
            "country": ("Country",),
            "ordered_at": ("InvoiceDate",),
            "order_date": ("InvoiceDate",),
            "order_month": ("InvoiceDate",),
            "quantity": ("Quantity",),
            "unit_price": ("UnitPrice",),
            "line_amount": ("Quantity", "UnitPrice"),
            "currency": (),
        },
    ),
    (
        ORDER_LINES.name,
        WEB_ORDERS,
        {
            CONTENT_HASH: _content(WEB_ORDERS),
            "source_system": (),
            "order_id": ("order_id",),
            "line_number": ("lines",),
            "line_class": ("order_kind", f"{LINE}quantity", f"{LINE}unit_price"),
            "sku": (f"{LINE}sku",),
            "description": (f"{LINE}description",),
            "customer_id": ("customer_id",),
            "country": ("country",),
            "ordered_at": _AT,
            "order_date": _AT,
            "order_month": _AT,
            "quantity": (f"{LINE}quantity",),
            "unit_price": (f"{LINE}unit_price",),
            "line_amount": (f"{LINE}quantity", f"{LINE}unit_price"),
            "currency": ("currency",),
        },
    ),
    (
        WEB_EVENTS.name,
        WEB_EVENTS_TOPIC,
        {
            CONTENT_HASH: _content(WEB_EVENTS_TOPIC),
            **{each.name: (each.name,) for each in WEB_EVENTS_TOPIC.fields},
            "occurred_at": _AT,
            "event_date": _AT,
        },
    ),
    (
        CUSTOMERS.name,
        CRM_CUSTOMERS,
        {
            CONTENT_HASH: _content(CRM_CUSTOMERS),
            **_CUSTOMER,
            "country": ("country",),
            "has_marketing_consent": ("marketing_consent",),
        },
    ),
    (
        CUSTOMER_CONTACTS.name,
        CRM_CUSTOMERS,
        {
            CONTENT_HASH: _content(CRM_CUSTOMERS),
            **_CUSTOMER,
            **{name: (name,) for name in ("name", "email", "address")},
        },
    ),
    (
        PRODUCTS.name,
        CATALOG_PRODUCTS,
        {
            CONTENT_HASH: _content(CATALOG_PRODUCTS),
            "sku": ("sku",),
            "changed_at": _AT,
            "description": ("description",),
            "category": ("category",),
            "unit_price": ("unit_price",),
            "is_active": ("status",),
        },
    ),
)
_OF_THE_RECORD: Mapping[str, Fields] = {
    "event_id": ("event_id",),
    REFINED_BATCH.name: (),
    **{each.name: () for each in SOURCE_POSITION},
}
BRONZE_COLUMNS = {
    each.name: each.name.removeprefix("source_")
    for each in SOURCE_POSITION
    if each.name.removeprefix("source_") in BRONZE_EVENTS.column_names()
}
"""Column of bronze that a silver column repeats: where the record lies."""


def fields_behind(table: str, column: str) -> dict[str, Fields]:
    """Fields by topic that a column of a silver table is made of; none where nothing is read."""
    return {
        topic.name: ({**_OF_THE_RECORD, **made_of})[column]
        for name, topic, made_of in _ENTRIES
        if name == table and column in {**_OF_THE_RECORD, **made_of}
    }


def columns_made_of(topic: str, field: str) -> tuple[tuple[str, str], ...]:
    """(silver table, column) that a topic's field goes into, in the order of the contracts."""
    return tuple(
        (table, column)
        for table, each, made_of in _ENTRIES
        if each.name == topic
        for column, fields in {**_OF_THE_RECORD, **made_of}.items()
        if field in fields
    )
