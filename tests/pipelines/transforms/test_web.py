"""Web shop, CRM and catalog: typed rows, and the reason where a record is refused."""

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from lakehouse.contracts.topics import CATALOG_PRODUCTS, CRM_CUSTOMERS, WEB_EVENTS
from pipelines.transforms.web import (
    read_customers,
    read_products,
    read_web_events,
    read_web_orders,
)
from tests.lake_state import Record, bronze_frame, web_order

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

AT = "2011-06-30T23:30:00Z"


def message(topic: str, offset: int, **fields: Any) -> Record:
    body = {"event_id": f"e-{offset}", "schema_version": 1, "occurred_at": AT, **fields}
    return Record(topic, json.dumps(body).encode(), offset)


def rows_of(frame: "DataFrame") -> list[tuple[Any, ...]]:
    """Fields of all payload rows in order, times as text."""
    lines = frame.orderBy("offset").select(F.explode("payload").alias("_row")).select("_row.*")
    texts = [
        F.col(name).cast("string").alias(name) if kind == "timestamp" else F.col(name)
        for name, kind in lines.dtypes
    ]
    return [tuple(row) for row in lines.select(*texts).collect()]


def test_an_order_becomes_its_lines(spark: "SparkSession") -> None:
    order = web_order(
        0,
        {"sku": " lamp ", "description": " red ", "quantity": 3, "unit_price": "2.5001"},
        {"sku": "FREE", "description": None, "quantity": 1, "unit_price": "0"},
        occurred_at=AT,
        customer_id=None,
    )
    note = web_order(
        1, {"quantity": -2}, event_id="o-2", order_id="W-2", order_kind="cancellation", country=" "
    )
    found = read_web_orders(bronze_frame(spark, [order, note]))
    shared = ("2011-06-30 23:30:00", date(2011, 7, 1), "2011-07")
    noted = ("2011-12-10 08:00:00", date(2011, 12, 10), "2011-12")
    red = (3, Decimal("2.5001"), Decimal("7.5003"), "GBP")
    free = (1, Decimal("0.0000"), Decimal("0.0000"), "GBP")
    back = (-2, Decimal("2.5000"), Decimal("-5.0000"), "GBP")
    note_of = ("W-2", 1, "cancellation", "LAMP", "red lamp", "12345", "Unspecified")
    assert rows_of(found) == [
        ("web", "W-1", 1, "sale", "LAMP", "red", None, "France", *shared, *red),
        ("web", "W-1", 2, "zero_price", "FREE", None, None, "France", *shared, *free),
        ("web", *note_of, *noted, *back),
    ]
    assert [row["amount"] for row in found.orderBy("offset").collect()] == [
        Decimal("7.5003"),
        Decimal("-5.0000"),
    ]


def test_one_bad_line_refuses_the_whole_order(spark: "SparkSession") -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"unit_price": "2.50001"}, "bad_line:line 2 too_many_decimals"),
        ({"unit_price": "free"}, "bad_line:line 2 bad_price"),
        ({"unit_price": "100000000"}, "bad_line:line 2 price_out_of_range"),
        ({"quantity": 10**18}, "bad_line:line 2 quantity_out_of_range"),
        ({"quantity": 10**9, "unit_price": "1000"}, "bad_line:line 2 amount_out_of_range"),
        ({"sku": " "}, "bad_line:line 2 missing_field"),
        ({"description": "a\nb"}, "bad_line:line 2 control_characters"),
        ({"quantity": 1.5}, "wrong_type:lines"),
        ({"quantity": "1"}, "wrong_type:lines"),
        ({"unit_price": None}, "bad_line:line 2 bad_price"),
    ]
    orders = [
        web_order(offset, {}, line, event_id=f"o-{offset}")
        for offset, (line, _) in enumerate(cases)
    ]
    found = read_web_orders(bronze_frame(spark, orders)).orderBy("offset").collect()
    assert [row["refusal"] for row in found] == [reason for _, reason in cases]
    assert {row["payload"] for row in found} == {None}


def test_an_order_out_of_the_contract_is_refused(spark: "SparkSession") -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"currency": "EUR"}, "unknown_currency:currency"),
        ({"order_kind": "gift"}, "unknown_value:order_kind"),
        ({"order_id": " "}, "missing_order_id:"),
        ({"lines": []}, "missing_field:lines"),
        ({"lines": None}, "missing_field:lines"),
        ({"lines": [1]}, "wrong_type:lines"),
        ({"country": "x" * 1001}, "text_too_long:country"),
    ]
    orders = [
        web_order(offset, event_id=f"o-{offset}", **fields)
        for offset, (fields, _) in enumerate(cases)
    ]
    found = read_web_orders(bronze_frame(spark, orders)).orderBy("offset").collect()
    assert [row["refusal"] for row in found] == [reason for _, reason in cases]


def test_events_customers_and_products_become_rows(spark: "SparkSession") -> None:
    event = message(
        WEB_EVENTS.name, 0, session_id="s", visitor_id="v", event_type="add_to_cart", sku=" lamp"
    )
    bad_event = message(WEB_EVENTS.name, 1, session_id="s", visitor_id="v", event_type="nap")
    seen = ("s", "v", None, "add_to_cart", "LAMP", None)
    at = ("2011-06-30 23:30:00", date(2011, 7, 1))
    assert rows_of(read_web_events(bronze_frame(spark, [event, bad_event]))) == [(*seen, None, *at)]
    person = {"customer_id": "1", "name": "Ada", "email": "ada@example.com", "country": ""}
    customers = [
        message(CRM_CUSTOMERS.name, 0, **person, marketing_consent="yes", address="1 Lane"),
        message(CRM_CUSTOMERS.name, 1, **person, marketing_consent="no"),
        message(CRM_CUSTOMERS.name, 2, **person, marketing_consent="perhaps"),
        message(CRM_CUSTOMERS.name, 3, **{**person, "customer_id": " "}, marketing_consent="no"),
    ]
    changed = ("1", "2011-06-30 23:30:00", "Unspecified")
    assert rows_of(read_customers(bronze_frame(spark, customers))) == [
        (*changed, True, "Ada", "ada@example.com", "1 Lane"),
        (*changed, False, "Ada", "ada@example.com", None),
    ]
    lamp = {"sku": "lamp", "description": "red lamp", "category": "light"}
    products = [
        message(CATALOG_PRODUCTS.name, 0, **lamp, unit_price="2.5", status="active"),
        message(CATALOG_PRODUCTS.name, 1, **lamp, unit_price="2.50", status="discontinued"),
        message(CATALOG_PRODUCTS.name, 2, **lamp, unit_price="cheap", status="active"),
        message(CATALOG_PRODUCTS.name, 3, **lamp, unit_price="1", status="sold"),
    ]
    found = read_products(bronze_frame(spark, products))
    facts = ("LAMP", "2011-06-30 23:30:00", "red lamp", "light", Decimal("2.5000"))
    assert rows_of(found) == [(*facts, True), (*facts, False)]
    assert [row["refusal"] for row in found.orderBy("offset").collect()] == [
        None,
        None,
        "bad_price:",
        "unknown_value:status",
    ]


def test_a_field_counts_from_the_version_that_brought_it(spark: "SparkSession") -> None:
    cases: list[tuple[dict[str, Any], str | None, str | None]] = [
        ({"schema_version": 1}, None, None),
        ({"schema_version": 1, "device_type": "mobile"}, None, None),
        ({"schema_version": 1, "device_type": 7}, None, None),
        ({"schema_version": 2}, None, None),
        ({"schema_version": 2, "device_type": None}, None, None),
        ({"schema_version": 2, "device_type": "mobile"}, None, "mobile"),
        ({"schema_version": 2, "device_type": 7}, "wrong_type:device_type", None),
        ({"schema_version": 2, "device_type": "fridge"}, "unknown_value:device_type", None),
        ({"schema_version": 3, "device_type": "mobile"}, "unknown_version:3", None),
    ]
    visit = {"session_id": "s", "visitor_id": "v", "event_type": "page_view", "event_id": "e"}
    events = [
        message(WEB_EVENTS.name, offset, **visit, **fields)
        for offset, (fields, *_) in enumerate(cases)
    ]
    found = read_web_events(bronze_frame(spark, events)).orderBy("offset").collect()
    devices = [row["payload"][0]["device_type"] if row["payload"] else None for row in found]
    assert [(row["refusal"], device) for row, device in zip(found, devices, strict=True)] == [
        (refusal, device) for _, refusal, device in cases
    ]
    # An absent field is no part of the content: a fact of the first version keeps its hash.
    assert len({row["content_hash"] for row in found[:5]}) == 1
    assert found[5]["content_hash"] != found[0]["content_hash"]
