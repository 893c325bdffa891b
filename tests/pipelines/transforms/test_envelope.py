"""Messages are read the same by the compiled decoder and by the careful reading."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.contracts.topics import SOURCE_TOPICS, WEB_EVENTS, WEB_ORDERS, Topic
from pipelines.transforms import envelope
from pipelines.transforms.envelope import open_message, utc_time
from storefront.messages import encode

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=8),
    "integer": st.integers(-(2**65), 2**65),
    "lines": st.lists(
        st.fixed_dictionaries(
            {"sku": st.text(max_size=3), "quantity": st.integers(-9, 9) | st.none()},
            optional={"unit_price": st.just("1"), "description": st.none() | st.integers()},
        ),
        max_size=2,
    ),
}
ODD = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3) | st.just([1])


@st.composite
def messages(draw: st.DrawFn, topic: Topic) -> dict[str, Any]:
    """Messages that keep the contract, or break it in a field or two."""
    fields = topic.fields_of(topic.schema_version)
    message = {field.name: draw(VALUES[field.kind]) for field in fields}
    message["schema_version"] = draw(st.integers(0, 3))
    message["occurred_at"] = draw(st.just("2011-12-10T08:00:00Z") | st.text(max_size=4))
    for name in draw(st.lists(st.sampled_from([*message, "extra"]), max_size=2)):
        message[name] = draw(ODD)
    for name in draw(st.lists(st.sampled_from(list(message)), max_size=2)):
        message.pop(name, None)
    return message


@settings(deadline=None)
@given(st.data(), st.sampled_from(SOURCE_TOPICS), st.booleans())
def test_both_readings_give_the_same_fields_and_fault(
    data: st.DataObject, topic: Topic, is_compact: bool
) -> None:
    message = data.draw(messages(topic))
    try:
        value = encode(message) if is_compact else json.dumps(message).encode()
    except UnicodeEncodeError:
        return  # a lone surrogate
    careful = envelope._any(value, topic)
    usual = envelope._usual(value, topic)
    assert usual is None or usual == careful
    found = open_message(value, topic)
    assert found.fields == (careful if isinstance(careful, dict) else None)


def test_our_own_messages_take_the_short_way() -> None:
    line = {"sku": "LAMP", "description": None, "quantity": 1, "unit_price": "2.50"}
    body: dict[str, Any] = {
        "event_id": "o-1",
        "schema_version": 1,
        "occurred_at": "2011-12-10T08:00:00Z",
        "order_id": "W-1",
        "order_kind": "sale",
        "customer_id": None,
        "session_id": "s",
        "country": "France",
        "currency": "GBP",
        "lines": [line],
    }
    assert envelope._usual(encode(body), WEB_ORDERS) == body
    twice = encode(body).replace(b'"order_kind"', b'"order_id":"W-2","order_kind"')
    assert envelope._usual(twice, WEB_ORDERS) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty_value"),
        (b" \n", "empty_value"),
        (b"\xff", "not_utf8"),
        (b"[]", "not_json"),
        (b"{} {}", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"event_id": "\\ud800"}', "not_json"),
        (b'{"a": {"b": 1, "b": 2}}', "duplicate_keys"),
        (b"[" * 100_000, "not_json"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not_json"),
        (b"{}", "missing_field"),
    ],
)
def test_what_is_no_message_has_its_reason(value: bytes | None, reason: str) -> None:
    found = open_message(value, WEB_EVENTS)
    assert found.fields is None
    assert found.fault is not None
    assert found.fault.reason == reason


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2011-12-10T08:00:00Z", "2011-12-10T08:00:00+00:00"),
        ("2011-12-10T08:00:00.1234567+00:00", "2011-12-10T08:00:00.123456+00:00"),
        ("2011-02-29T08:00:00Z", None),
        ("2011-12-10T24:00:00Z", None),
        ("2011-12-10 08:00:00Z", None),
        ("2011-12-10T08:00:00", None),
        ("2011-12-10T08:00:00+01:00", None),
    ],
)
def test_a_time_is_rfc_3339_in_utc(text: str, iso: str | None) -> None:
    found = utc_time(text)
    assert (found.isoformat() if found else None) == iso
