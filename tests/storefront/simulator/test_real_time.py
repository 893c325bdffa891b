"""The simulated shop by the clock: the same facts, each of the moment at which it is due."""

import json
import math
from datetime import UTC, datetime

from lakehouse.contracts.validation import refusal_of
from pipelines.silver.parsing import record_functions
from pipelines.transforms.records import Accepted
from storefront.messages import Message, encode
from storefront.simulator.real_time import in_real_time

OPENED = datetime(2026, 3, 29, 0, 59, 59, 500_000, tzinfo=UTC)


def visit(number: int) -> Message:
    fields = {
        "event_id": f"20111210083000-m{number}",
        "schema_version": 2,
        "occurred_at": "2011-12-10T08:30:00Z",
        "session_id": "s",
        "visitor_id": "v",
        "customer_id": None,
        "event_type": "page_view",
        "sku": None,
        "order_id": None,
        "device_type": "mobile",
    }
    return Message("web.events.v1", "s", str(fields["event_id"]), encode(fields), None)


def test_each_message_has_its_moment_and_an_id_that_begins_with_it() -> None:
    found = list(in_real_time(map(visit, range(3)), begins_at=OPENED, per_second=2, first=1))
    told = [json.loads(each.value) for each in found]
    assert [each["occurred_at"] for each in told] == [
        "2026-03-29T01:00:00.000Z",
        "2026-03-29T01:00:00.500Z",
        "2026-03-29T01:00:01.000Z",
    ]
    assert [each["event_id"] for each in told] == [each.event_id for each in found]
    assert [each.event_id for each in found] == [
        "20260329010000-m0",
        "20260329010000-m1",
        "20260329010001-m2",
    ]


def test_the_rest_of_a_message_stays_and_keeps_its_contract() -> None:
    (found,) = in_real_time([visit(7)], begins_at=OPENED, per_second=math.inf)
    before, after = json.loads(visit(7).value), json.loads(found.value)
    moved = {"event_id", "occurred_at"}
    assert {name: before[name] for name in before if name not in moved} == {
        name: after[name] for name in after if name not in moved
    }
    assert list(before) == list(after)
    assert refusal_of(found.value, found.topic) is None
    accepted = record_functions()[found.topic](found.value)
    assert isinstance(accepted, Accepted)
    assert accepted.rows[0].occurred_at == OPENED  # type: ignore[union-attr]
