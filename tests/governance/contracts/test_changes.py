"""Which changes of a contract are additive, and which break who relies on it."""

import dataclasses
from typing import Any

import pytest

from governance.contracts.changes import Change, changes_between
from governance.contracts.released import Shape, present_shapes, topic_shape
from lakehouse.contracts.tables import ORDER_LINES
from lakehouse.contracts.topics import WEB_EVENTS, WEB_ORDERS, Field, Topic

EVENTS, LINES, SALES = WEB_EVENTS.name, ORDER_LINES.name, "gold.fct_daily_sales"
SHAPES = present_shapes()


def changed(name: str, field: str = "", **facts: Any) -> dict[str, Shape]:
    """The contracts with one field (or the whole of one contract) changed; None removes it."""
    shape = SHAPES[name]
    if not field:
        return {**SHAPES, name: dataclasses.replace(shape, **facts)}
    fields = {each: dict(body) for each, body in shape.fields.items()}
    fields[field] = {**fields.get(field, {}), **facts}
    return {**SHAPES, name: dataclasses.replace(shape, fields=fields)}


def without(name: str, field: str) -> dict[str, Shape]:
    fields = {each: body for each, body in SHAPES[name].fields.items() if each != field}
    return {**SHAPES, name: dataclasses.replace(SHAPES[name], fields=fields)}


def told(present: dict[str, Shape]) -> list[tuple[str, bool]]:
    return [(str(each), each.is_breaking) for each in changes_between(SHAPES, present)]


def test_the_same_contracts_have_no_change() -> None:
    assert told(dict(SHAPES)) == []


@pytest.mark.parametrize(
    ("present", "what"),
    [
        (without(EVENTS, "sku"), f"{EVENTS} sku: removed"),
        (changed(EVENTS, "sku", type="integer"), f"{EVENTS} sku: retyped from string to integer"),
        (changed(EVENTS, "sku", nullable=False), f"{EVENTS} sku: made required"),
        (changed(EVENTS, "visitor_id", nullable=True), f"{EVENTS} visitor_id: made nullable"),
        (
            changed(
                EVENTS, "event_type", values=SHAPES[EVENTS].fields["event_type"]["values"][:-1]
            ),
            f"{EVENTS} event_type: no longer takes 'exposure'",
        ),
        (changed(EVENTS, "event_type", values=[]), "was lifted"),
        (
            changed(EVENTS, "country", **SHAPES[EVENTS].fields["sku"]),
            f"{EVENTS} country: new, but said to come with schema version 1",
        ),
        (changed(EVENTS, "sku", values=["LAMP"]), f"{EVENTS} sku: limited to LAMP"),
        (
            changed(EVENTS, "device_type", since=1),
            f"{EVENTS} device_type: first version changed from 2 to 1",
        ),
        (changed(EVENTS, versions=[2]), f"{EVENTS}: schema version 1 is no longer read"),
        (changed(EVENTS, facts={"key": "visitor_id", "partitions": 2}), "key changed from"),
        (changed(EVENTS, facts={"key": "session_id", "partitions": 4}), "from 2 to 4"),
        (
            changed(WEB_ORDERS.name, "lines[].unit_price", unit="cents"),
            f"{WEB_ORDERS.name} lines[].unit_price: unit changed from money to cents",
        ),
        (
            changed(WEB_ORDERS.name, "order_kind", values=["sale"]),
            f"{WEB_ORDERS.name} order_kind: no longer takes 'cancellation'",
        ),
        (
            changed(LINES, "line_amount", type="decimal(18,2)"),
            f"{LINES} line_amount: retyped from decimal(18,4) to decimal(18,2)",
        ),
        (changed(LINES, "line_amount", unit=""), "unit changed from money to none"),
        (changed(LINES, "sku", nullable=False), f"{LINES} sku: made required"),
        (changed(LINES, "sku", personal=True), f"{LINES} sku: personal mark changed"),
        (
            changed(LINES, facts={**SHAPES[LINES].facts, "grain": "order"}),
            f"{LINES}: grain changed from accepted order line of any source to order",
        ),
        (
            changed(LINES, facts={**SHAPES[LINES].facts, "key": ["event_id"]}),
            f"{LINES}: key changed from event_id, line_number to event_id",
        ),
        (changed(LINES, facts={**SHAPES[LINES].facts, "partition column": None}), "to none"),
        (
            changed(LINES, "tax", type="string", nullable=False, unit="", personal=False),
            f"{LINES} tax: new and required",
        ),
        (changed(SALES, "gross_amount", unit="cents"), "unit changed from money to cents"),
        ({name: each for name, each in SHAPES.items() if name != SALES}, f"{SALES}: removed"),
    ],
)
def test_a_change_that_somebody_would_notice_is_breaking(
    present: dict[str, Shape], what: str
) -> None:
    found = changes_between(SHAPES, present)
    assert {each.is_breaking for each in found} == {True}
    assert what in str(found[0])


@pytest.mark.parametrize(
    ("present", "what"),
    [
        (
            changed(LINES, "tax", type="string", nullable=True, unit="", personal=False),
            f"{LINES} tax: new nullable column",
        ),
        (
            changed(SALES, "tax", type="varchar", nullable=False, unit=""),
            f"{SALES} tax: new column",
        ),
        (changed(EVENTS, versions=[1, 2, 3, 4]), f"{EVENTS}: new schema version 4"),
        (
            changed(
                EVENTS, "event_type", values=[*SHAPES[EVENTS].fields["event_type"]["values"], "x"]
            ),
            f"{EVENTS} event_type: also takes 'x'",
        ),
        (changed(LINES, "sku", unit="code"), f"{LINES} sku: unit stated: code"),
        ({**SHAPES, "x": dataclasses.replace(SHAPES[LINES], name="x")}, "x: new table"),
    ],
)
def test_a_change_that_nobody_notices_is_additive(present: dict[str, Shape], what: str) -> None:
    assert told(present) == [(what, False)]


def test_another_value_in_the_place_of_the_first_is_breaking() -> None:
    kinds = ["order", *SHAPES[WEB_ORDERS.name].fields["order_kind"]["values"][1:]]
    assert told(changed(WEB_ORDERS.name, "order_kind", values=kinds)) == [
        (f"{WEB_ORDERS.name} order_kind: no longer takes 'sale'", True),
        (f"{WEB_ORDERS.name} order_kind: also takes 'order'", False),
    ]


def test_a_renamed_field_is_named_with_both_names() -> None:
    body = SHAPES[EVENTS].fields["sku"]
    present = without(EVENTS, "sku")
    fields = {**present[EVENTS].fields, "stock_code": body}
    present[EVENTS] = dataclasses.replace(present[EVENTS], fields=fields)
    assert told(present) == [(f"{EVENTS} sku: renamed to stock_code", True)]


def test_a_new_field_needs_a_new_schema_version() -> None:
    def with_field(field: Field, *, version: int) -> Topic:
        fields = (*WEB_EVENTS.fields, field)
        return dataclasses.replace(WEB_EVENTS, fields=fields, schema_version=version)

    def changes(topic: Topic) -> tuple[Change, ...]:
        return changes_between(SHAPES, {**SHAPES, EVENTS: topic_shape(topic)})

    optional = Field("referrer", "string", nullable=True, since=4)
    assert [str(each) for each in changes(with_field(optional, version=4))] == [
        f"{EVENTS}: new schema version 4",
        f"{EVENTS} referrer: new optional field of version 4",
    ]
    assert not any(each.is_breaking for each in changes(with_field(optional, version=4)))
    for field, version in [
        (dataclasses.replace(optional, since=3), 3),
        (dataclasses.replace(optional, since=3), 4),
        (optional, 3),
        (dataclasses.replace(optional, nullable=False), 4),
    ]:
        last = changes(with_field(field, version=version))[-1]
        assert (last.field, last.is_breaking) == ("referrer", True)
