"""A message keeps its topic's contract, or is refused for a reason with a name (T22)."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ENVELOPE,
    ERP_COLUMNS,
    ERP_INVOICE_LINES,
    SOURCE_TOPICS,
    WEB_EVENTS,
    WEB_ORDERS,
    Topic,
)
from lakehouse.contracts.validation import LARGEST_INTEGER, Refusal, refusal_of
from lakehouse.errors import LakeError
from storefront.simulator import Catalog, simulate
from storefront.simulator.catalog import KnownCustomer, Product

VALUES: dict[str, Any] = {
    "string": "1",
    "integer": 1,
    "lines": [{"sku": "LAMP", "description": None, "quantity": 2, "unit_price": "2.50"}],
}


def sound(topic: Topic, **changes: Any) -> dict[str, Any]:
    body = {field.name: VALUES[field.kind] for field in (*ENVELOPE, *topic.fields)}
    return {**body, "schema_version": topic.schema_version, **changes}


def judged(topic: Topic, body: object) -> Refusal | None:
    return refusal_of(json.dumps(body).encode(), topic.name)


@pytest.mark.parametrize("topic", SOURCE_TOPICS, ids=lambda each: each.name)
def test_a_field_left_out_emptied_retyped_or_renamed_is_refused(topic: Topic) -> None:
    assert judged(topic, sound(topic)) is None
    for field in (*ENVELOPE, *topic.fields):
        name = field.name
        body = sound(topic)
        del body[name]
        missing = None if field.nullable else Refusal("missing_field", name)
        assert judged(topic, body) == missing
        assert judged(topic, {**body, name: None}) == missing
        renamed = judged(topic, {**body, f"{name}_2": VALUES[field.kind]})
        assert renamed == (missing or Refusal("unknown_field", f"{name}_2"))
        other = "1" if field.kind == "integer" else 1
        assert judged(topic, {**body, name: other}) == Refusal("wrong_type", name)


def test_a_price_in_pence_as_a_number_is_refused() -> None:
    for topic, changes, field in [
        (CATALOG_PRODUCTS, {"unit_price": 255}, "unit_price"),
        (ERP_INVOICE_LINES, {"UnitPrice": 255}, "UnitPrice"),
        (WEB_ORDERS, {"lines": [VALUES["lines"][0] | {"unit_price": 255}]}, "lines[].unit_price"),
    ]:
        assert judged(topic, sound(topic, **changes)) == Refusal("wrong_type", field)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty_value"),
        (b" \n", "empty_value"),
        (b"[]", "not_json"),
        (b"null", "not_json"),
        (b'{"event_id": "a"', "not_json"),
        (b"{} {}", "not_json"),
        (b'{"event_id": NaN}', "not_json"),
        (b'{"event_id": "\xff"}', "not_utf8"),
        (b"[" * 100_000, "not_json"),
        (b'{"event_id": ' + b"9" * 5000 + b"}", "not_json"),
    ],
)
def test_what_is_no_object_is_refused(value: bytes, reason: str) -> None:
    assert refusal_of(value, WEB_EVENTS.name) == Refusal(reason)


@pytest.mark.parametrize(
    ("topic", "changes", "refusal"),
    [
        (ERP_INVOICE_LINES, {"schema_version": 3}, "unknown_version: schema_version"),
        (ERP_INVOICE_LINES, {"schema_version": 0}, "unknown_version: schema_version"),
        (ERP_INVOICE_LINES, {"schema_version": True}, "wrong_type: schema_version"),
        (ERP_INVOICE_LINES, {"schema_version": "1"}, "wrong_type: schema_version"),
        (WEB_EVENTS, {"schema_version": 4}, "unknown_version: schema_version"),
        (WEB_EVENTS, {"schema_version": 1.0}, "wrong_type: schema_version"),
        (WEB_EVENTS, {"schema_version": 1}, "unknown_field: device_type"),
        (WEB_EVENTS, {"schema_version": 2}, "unknown_field: experiment"),
        (ERP_INVOICE_LINES, {"row_number": LARGEST_INTEGER + 1}, "wrong_type: row_number"),
        (ERP_INVOICE_LINES, {"row_number": 1.0}, "wrong_type: row_number"),
        (ERP_INVOICE_LINES, {"row_number": True}, "wrong_type: row_number"),
        (WEB_ORDERS, {"lines": [1]}, "wrong_type: lines"),
        (WEB_ORDERS, {"lines": {}}, "wrong_type: lines"),
        (WEB_ORDERS, {"lines": [{"sku": "A"}]}, "missing_field: lines[].quantity"),
        (CRM_CUSTOMERS, {"Ada's e-mail": "ada@example.com"}, "unknown_field"),
    ],
)
def test_the_reason_names_the_field_and_no_content(
    topic: Topic, changes: dict[str, Any], refusal: str
) -> None:
    assert str(judged(topic, sound(topic, **changes))) == refusal


def test_odd_values_of_the_right_type_are_data_and_pass() -> None:
    odd = dict.fromkeys(ERP_COLUMNS, "\x00 not a number ") | {"Description": None}
    assert judged(ERP_INVOICE_LINES, sound(ERP_INVOICE_LINES, **odd)) is None
    assert judged(WEB_EVENTS, sound(WEB_EVENTS, event_type="nap", device_type="fridge")) is None
    assert judged(WEB_ORDERS, sound(WEB_ORDERS, lines=[])) is None


def test_messages_of_the_first_version_still_pass() -> None:
    body = sound(WEB_EVENTS, schema_version=1)
    for name in ("device_type", "experiment", "arm"):
        del body[name]
    assert judged(WEB_EVENTS, body) is None


def test_a_topic_without_a_contract_is_named() -> None:
    with pytest.raises(LakeError, match=r"No contract names the topic 'web\.wishes\.v1'"):
        refusal_of(b"{}", "web.wishes.v1")


# part: simulator
def test_every_message_of_the_simulated_shop_passes() -> None:
    products = (Product("LAMP", "RED LAMP", 250, 3), Product("CUP", "BLUE CUP", 99, 1))
    catalog = Catalog(products, (KnownCustomer("12345", "France", 2),), date(2011, 12, 9))
    messages = list(simulate(seed=1, start_date=date(2011, 12, 10), days=1, catalog=catalog))
    assert {refusal_of(each.value, each.topic) for each in messages} == {None}
    assert len({each.topic for each in messages}) == 4


# end part


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)


NEWER = {1: "device_type", 2: "experiment"}
"""By version of a web event, the first field that a newer version brought."""


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_refused_has_a_reason_that_names_what_is_wrong(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(SOURCE_TOPICS))
    names = [field.name for field in (*ENVELOPE, *topic.fields)]
    name = data.draw(st.sampled_from([*names, "another"]))
    body = sound(topic, **{name: data.draw(ANY_JSON)})
    refusal = judged(topic, body)
    kinds = {field.name: field for field in (*ENVELOPE, *topic.fields)}
    kept = name in kinds and (
        (body[name] is None and kinds[name].nullable)
        or (kinds[name].kind == "string" and isinstance(body[name], str))
        or (name == "schema_version" and type(body[name]) is int and body[name] in topic.versions)
        or (name != "schema_version" and kinds[name].kind == "integer" and type(body[name]) is int)
        or (name == "lines" and body[name] == [])
    )
    if kept and abs(body[name] if isinstance(body[name], int) else 0) <= LARGEST_INTEGER:
        if name == "schema_version" and topic is WEB_EVENTS and body[name] in NEWER:
            assert refusal == Refusal("unknown_field", NEWER[body[name]])
        else:
            assert refusal is None
    else:
        assert refusal is not None
        assert refusal.reason in (
            *("missing_field", "wrong_type", "unknown_field", "unknown_version"),
        )
        assert refusal.field.startswith(("lines[].", name))
