"""What a column of silver is made of, as declared, against what the transforms make of a field."""

import json
from typing import Any

import pytest

from governance.lineage.field_origins import columns_made_of, fields_behind
from lakehouse.contracts.tables import CUSTOMERS, ORDER_LINES
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ENVELOPE,
    ERP_INVOICE_LINES,
    WEB_EVENTS,
    WEB_ORDERS,
    Topic,
)
from pipelines.silver.routing import ROUTES, TopicRoute
from pipelines.transforms.records import Accepted

Message = dict[str, Any]
LINE = {"sku": "LAMP", "description": "red lamp", "quantity": 2, "unit_price": "2.5"}
BASES: dict[Topic, Message] = {
    ERP_INVOICE_LINES: {
        "InvoiceNo": "536365",
        "StockCode": "85123A",
        "Description": "HOLDER",
        "Quantity": "6",
        "InvoiceDate": "2010-12-01 08:26:00",
        "UnitPrice": "2.55",
        "CustomerID": "17850",
        "Country": "France",
        "row_number": 1,
        "line_number": 1,
    },
    WEB_ORDERS: {
        "order_id": "W-1",
        "order_kind": "sale",
        "customer_id": "12345",
        "session_id": "s",
        "country": "France",
        "currency": "GBP",
        "lines": [LINE],
    },
    WEB_EVENTS: {
        "session_id": "s",
        "visitor_id": "v",
        "customer_id": "12345",
        "event_type": "purchase",
        "sku": "LAMP",
        "order_id": "W-1",
        "device_type": "mobile",
        "experiment": "x",
        "arm": "A",
        "schema_version": 3,
    },
    CRM_CUSTOMERS: {
        "customer_id": "12345",
        "name": "Ada",
        "email": "ada@example.com",
        "address": "Dover",
        "country": "France",
        "marketing_consent": "yes",
    },
    CATALOG_PRODUCTS: {
        "sku": "LAMP",
        "description": "red lamp",
        "category": "light",
        "unit_price": "2.5",
        "status": "active",
    },
}
OTHERS: dict[str, tuple[Any, ...]] = {
    "InvoiceNo": ("C536365", "A536365"),
    "Quantity": ("-6", "7"),
    "UnitPrice": ("0", "2.56"),
    "InvoiceDate": ("2011-01-02 08:26:00",),
    "row_number": (2,),
    "line_number": (2,),
    "column_count": (8,),
    "order_kind": ("cancellation",),
    "currency": (),  # a closed list of one
    "lines": ([LINE, LINE],),
    "event_type": ("checkout",),
    "device_type": ("tablet", None),
    "marketing_consent": ("no",),
    "status": ("discontinued",),
    "unit_price": ("2.51",),
    "schema_version": (),
    "occurred_at": ("2012-01-01T00:00:00Z",),
    "lines[].quantity": (3, -3),
    "lines[].unit_price": ("0", "2.51"),
}
"""Other values of a field; a text that is not here becomes another text."""


def changed(base: Message, field: str) -> list[Message]:
    """The message with each other value of one field."""
    if field.startswith("lines[]."):
        name = field.removeprefix("lines[].")
        return [
            {**base, "lines": [{**LINE, name: value}]}
            for value in OTHERS.get(field, (f"{LINE[name]}X",))
        ]
    return [{**base, field: value} for value in OTHERS.get(field, (f"{base.get(field)}X",))]


def fields_of(topic: Topic) -> list[str]:
    names = [each.name for each in (*ENVELOPE, *topic.fields)]
    return [*names, *(f"lines[].{name}" for name in LINE if topic is WEB_ORDERS)]


def columns_of(route: TopicRoute, message: Message) -> dict[str, set[str]]:
    """Values by column of the rows that a message makes."""
    found = route.refine(json.dumps(message).encode())
    assert isinstance(found, Accepted)
    values: dict[str, set[str]] = {}
    for row in found.rows:
        columns = {"event_id": found.event_id, "content_hash": found.content_hash}
        for column, value in {**columns, **row._asdict()}.items():
            values.setdefault(column, set()).add(str(value))
    return values


@pytest.mark.parametrize("topic", BASES, ids=lambda topic: topic.name)
def test_changing_one_field_changes_the_columns_that_are_made_of_it_and_no_other(
    topic: Topic,
) -> None:
    route = next(each for each in ROUTES if each.topic is topic)
    envelope = {"event_id": "e", "schema_version": 1, "occurred_at": "2011-12-10T08:00:00Z"}
    base = {**envelope, **BASES[topic]}
    fields = ["", *(field for field in fields_of(topic) for _ in changed(base, field))]
    messages = [base, *(each for field in fields_of(topic) for each in changed(base, field))]
    values = [columns_of(route, message) for message in messages]
    found: dict[str, set[str]] = {}
    for field, each in zip(fields[1:], values[1:], strict=True):
        differing = {name for name in each if each[name] != values[0][name]}
        found.setdefault(field, set()).update(differing)
    declared = {
        field: {column for _, column in columns_made_of(topic.name, field)} for field in found
    }
    assert found == declared


def test_every_column_of_silver_says_which_fields_it_is_made_of() -> None:
    told = {
        (table.name, column): fields_behind(table.name, column)
        for route in ROUTES
        for table in route.tables
        for column in table.column_names()
    }
    topics = {
        table.name: {each.topic.name for each in ROUTES if table in each.tables}
        for route in ROUTES
        for table in route.tables
    }
    assert {key: set(found) for key, found in told.items()} == {
        (table, column): topics[table] for table, column in told
    }
    named = {(topic, field) for found in told.values() for topic in found for field in found[topic]}
    known = {(topic.name, field) for topic in BASES for field in fields_of(topic)}
    assert named <= known


def test_the_fields_behind_an_amount_and_a_consent_are_named_by_topic() -> None:
    assert fields_behind(ORDER_LINES.name, "line_amount") == {
        ERP_INVOICE_LINES.name: ("Quantity", "UnitPrice"),
        WEB_ORDERS.name: ("lines[].quantity", "lines[].unit_price"),
    }
    assert fields_behind(CUSTOMERS.name, "has_marketing_consent") == {
        CRM_CUSTOMERS.name: ("marketing_consent",)
    }
    assert fields_behind(ORDER_LINES.name, "nothing") == {}
