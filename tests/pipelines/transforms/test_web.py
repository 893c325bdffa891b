"""Web shop, CRM and catalog: typed rows, and the reason where a record is refused."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipelines.transforms.records import (
    Accepted,
    Customer,
    CustomerContact,
    Product,
    Refused,
    Row,
    WebEvent,
)
from pipelines.transforms.web import (
    refine_customer,
    refine_product,
    refine_web_event,
    refine_web_order,
)
from tests.lake_state import web_order

AT = "2011-06-30T23:30:00Z"
MOMENT, DAY = datetime(2011, 6, 30, 23, 30, tzinfo=UTC), date(2011, 7, 1)


def message(**fields: Any) -> bytes:
    body = {"event_id": "e", "schema_version": 1, "occurred_at": AT, **fields}
    return json.dumps(body).encode()


def rows(found: Accepted | Refused) -> tuple[Row, ...]:
    assert isinstance(found, Accepted)
    return found.rows


def refusal(found: Accepted | Refused) -> tuple[str, str]:
    assert isinstance(found, Refused)
    return found.reason, found.detail


def test_an_order_becomes_its_lines() -> None:
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
    shared = (MOMENT, DAY, "2011-07")
    noted = (datetime(2011, 12, 10, 8, tzinfo=UTC), date(2011, 12, 10), "2011-12")
    red = (3, Decimal("2.5001"), Decimal("7.5003"), "GBP")
    free = (1, Decimal("0.0000"), Decimal("0.0000"), "GBP")
    red_lamp = ("LAMP", "red lamp")
    back = (-2, Decimal("2.5000"), Decimal("-5.0000"), "GBP")
    found = [refine_web_order(each.value) for each in (order, note)]
    assert [*map(rows, found)] == [
        (
            ("web", "W-1", 1, "sale", "LAMP", "red", None, "France", *shared, *red),
            ("web", "W-1", 2, "zero_price", "FREE", None, None, "France", *shared, *free),
        ),
        (("web", "W-2", 1, "cancellation", *red_lamp, "12345", "Unspecified", *noted, *back),),
    ]
    assert [each.amount for each in found] == [Decimal("7.5003"), Decimal("-5.0000")]
    assert [each.day for each in found] == [DAY, date(2011, 12, 10)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"unit_price": "2.50001"}, ("bad_line", "line 2 too_many_decimals")),
        ({"unit_price": "free"}, ("bad_line", "line 2 bad_price")),
        ({"unit_price": None}, ("bad_line", "line 2 bad_price")),
        ({"unit_price": "100000000"}, ("bad_line", "line 2 price_out_of_range")),
        ({"quantity": 10**18}, ("bad_line", "line 2 quantity_out_of_range")),
        ({"quantity": None}, ("bad_line", "line 2 bad_quantity")),
        ({"quantity": 10**9, "unit_price": "1000"}, ("bad_line", "line 2 amount_out_of_range")),
        ({"sku": " "}, ("bad_line", "line 2 missing_field")),
        ({"description": "a\nb"}, ("bad_line", "line 2 control_characters")),
        ({"quantity": 1.5}, ("wrong_type", "lines")),
        ({"quantity": "1"}, ("wrong_type", "lines")),
        ({"quantity": True}, ("wrong_type", "lines")),
    ],
)
def test_one_bad_line_refuses_the_order_with_all_its_lines(
    line: dict[str, Any], reason: tuple[str, str]
) -> None:
    assert refusal(refine_web_order(web_order(0, {}, line).value)) == reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"currency": "EUR"}, ("unknown_currency", "currency")),
        ({"order_kind": "gift"}, ("unknown_value", "order_kind")),
        ({"order_id": " "}, ("missing_order_id", "")),
        ({"lines": []}, ("missing_field", "lines")),
        ({"lines": None}, ("missing_field", "lines")),
        ({"lines": [1]}, ("wrong_type", "lines")),
        ({"country": "x" * 1001}, ("text_too_long", "country")),
    ],
)
def test_an_order_out_of_the_contract_is_refused(
    fields: dict[str, Any], reason: tuple[str, str]
) -> None:
    assert refusal(refine_web_order(web_order(0, **fields).value)) == reason


def test_a_refused_order_keeps_its_money_where_all_lines_have_some() -> None:
    dear = refine_web_order(web_order(0, {}, {"quantity": 1}, currency="EUR").value)
    odd = refine_web_order(web_order(0, {}, {"unit_price": "free"}).value)
    assert (dear.amount, odd.amount) == (Decimal("7.5000"), None)
    paid = refine_web_order(web_order(0, currency="EUR").value, currencies=("GBP", "EUR"))
    assert [row[-1] for row in rows(paid)] == ["EUR"]


def test_an_unknown_field_of_a_line_is_no_content() -> None:
    plain, extra = web_order(0, {}), web_order(0, {"gift": True})
    found = [refine_web_order(each.value) for each in (plain, extra)]
    assert len({each.content_hash for each in found if isinstance(each, Accepted)}) == 1


def test_an_exposure_names_experiment_and_arm_from_version_3_on() -> None:
    shown = {"session_id": "s", "visitor_id": "v", "event_type": "exposure"}
    named = {"experiment": "x", "arm": "A"}

    def refined(**fields: Any) -> Accepted | Refused:
        return refine_web_event(message(**{"schema_version": 3, **shown, **fields}))

    assert rows(refined(**named)) == (
        WebEvent("s", "v", None, "exposure", None, None, None, "x", "A", MOMENT, DAY),
    )
    assert refusal(refined(experiment="x")) == ("missing_field", "arm")
    assert refusal(refined(arm="A", experiment=" ")) == ("missing_field", "experiment")
    (old,) = rows(refined(**named, schema_version=2))
    assert isinstance(old, WebEvent)
    assert (old.experiment, old.arm) == (None, None)


def test_events_customers_and_products_become_rows() -> None:
    visit = {"session_id": "s", "visitor_id": "v", "sku": " lamp"}
    added = refine_web_event(message(**visit, event_type="add_to_cart"))
    assert rows(added) == (
        WebEvent("s", "v", None, "add_to_cart", "LAMP", None, None, None, None, MOMENT, DAY),
    )
    assert refusal(refine_web_event(message(**visit, event_type="nap"))) == (
        *("unknown_value", "event_type"),
    )
    person = {"customer_id": "1", "name": "Ada", "email": "ada@example.com", "country": ""}
    assert rows(refine_customer(message(**person, marketing_consent="yes", address="1 Lane"))) == (
        CustomerContact("1", MOMENT, "Ada", "ada@example.com", "1 Lane"),
        Customer("1", MOMENT, "Unspecified", True),
    )
    assert refusal(refine_customer(message(**person, marketing_consent="perhaps"))) == (
        *("unknown_value", "marketing_consent"),
    )
    nameless = {**person, "customer_id": " ", "marketing_consent": "no"}
    assert refusal(refine_customer(message(**nameless))) == ("missing_field", "customer_id")
    lamp = {"sku": "lamp", "description": "red lamp", "category": "light"}
    sold = [
        refine_product(message(**lamp, unit_price=price, status=status))
        for price, status in (
            ("2.5", "active"),
            ("2.50", "active"),
            ("2.50", "discontinued"),
            ("cheap", "active"),
            ("1", "sold"),
        )
    ]
    facts = ("LAMP", MOMENT, "red lamp", "light", Decimal("2.5000"))
    assert [rows(each) for each in sold[:3]] == [
        (Product(*facts, True),),
        (Product(*facts, True),),
        (Product(*facts, False),),
    ]
    assert [*map(refusal, sold[3:])] == [("bad_price", ""), ("unknown_value", "status")]
    contents = [each.content_hash for each in sold[:3] if isinstance(each, Accepted)]
    assert contents[0] == contents[1] != contents[2]


def test_a_field_counts_from_the_version_that_brought_it() -> None:
    cases: list[tuple[dict[str, Any], tuple[str, str] | None, str | None]] = [
        ({"schema_version": 1}, None, None),
        ({"schema_version": 1, "device_type": "mobile"}, None, None),
        ({"schema_version": 1, "device_type": 7}, None, None),
        ({"schema_version": 2}, None, None),
        ({"schema_version": 2, "device_type": None}, None, None),
        ({"schema_version": 2, "device_type": "mobile"}, None, "mobile"),
        ({"schema_version": 2, "device_type": 7}, ("wrong_type", "device_type"), None),
        ({"schema_version": 2, "device_type": "fridge"}, ("unknown_value", "device_type"), None),
        ({"schema_version": 4, "device_type": "mobile"}, ("unknown_version", "4"), None),
    ]
    visit = {"session_id": "s", "visitor_id": "v", "event_type": "page_view"}
    found = [refine_web_event(message(**visit, **fields)) for fields, *_ in cases]
    for each, (_, reason, device) in zip(found, cases, strict=True):
        if reason:
            assert refusal(each) == reason
        else:
            (row,) = rows(each)
            assert isinstance(row, WebEvent)
            assert row.device_type == device
    contents = [each.content_hash for each in found if isinstance(each, Accepted)]
    # An absent field is no part of the content: a fact of the first version keeps its hash.
    assert len({*contents[:5]}) == 1
    assert contents[5] != contents[0]
