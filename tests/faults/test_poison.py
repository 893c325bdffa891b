"""T18: the poison corpus through the running refine query."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from lakehouse.contracts.reasons import REASON_CODES
from lakehouse.contracts.tables import ORDER_LINES, QUARANTINE
from lakehouse.settings import PROJECT_ROOT
from tests.faults.poison.corpus import ERP, HOSTILE, Poison, corpus
from tests.lake_state import LakeState, Record, erp, web_order

MANIFEST = PROJECT_ROOT / "tests" / "faults" / "poison" / "manifest.json"


def expected_of(path: Path) -> dict[tuple[str, int], str]:
    found = json.loads(path.read_text(encoding="utf-8"))
    return {(family, n): reason for family, each in found.items() for n, reason in enumerate(each)}


def with_neighbours(poison: Iterable[Poison]) -> tuple[list[Record], dict[Poison, Record]]:
    """Sound ERP and web records between all poison ones, in the poison's order."""
    records: list[Record] = []
    placed: dict[Poison, Record] = {}
    for number, each in enumerate(poison):
        offset = 3 * number
        placed[each] = Record(each.topic, each.value, offset + 1)
        order_id = f"W-N{number}"
        records += [
            erp(offset, InvoiceNo=str(600_000 + number)),
            placed[each],
            web_order(offset + 2, event_id=f"neighbour-{number}", order_id=order_id),
        ]
    return records, placed


@pytest.mark.spark
def test_every_poison_record_has_its_reason_and_its_neighbours_pass(lake: LakeState) -> None:
    expected = expected_of(MANIFEST)
    records, placed = with_neighbours(corpus())
    assert {(each.family, each.number) for each in placed} == set(expected)
    assert set(expected.values()) <= {*REASON_CODES, "accepted"}
    lake.land(*records)

    lake.refine()

    refused = {
        (topic, offset): (reason, bytes(value) if value is not None else None)
        for topic, offset, reason, value in lake.rows(
            QUARANTINE, "topic", "offset", "reason", "raw_value"
        )
    }
    found = {
        (poison.family, poison.number): refused.get((record.topic, record.offset), ("accepted",))[0]
        for poison, record in placed.items()
    }
    assert found == expected
    kept = {
        (record.topic, record.offset): record.value
        for poison, record in placed.items()
        if expected[poison.family, poison.number] != "accepted"
    }
    assert {place: value for place, (_, value) in refused.items()} == kept
    places = lake.dispositions()
    poisoned = {(each.topic, 0, each.offset) for each in placed.values()}
    assert len(places) == len(records)
    assert {place for position, place in places.items() if position not in poisoned} == {"accepted"}
    texts = lake.rows(ORDER_LINES, "source_offset", "description", where=f"source_topic = '{ERP}'")
    offsets = {
        poison.number: record.offset
        for poison, record in placed.items()
        if poison.family == "hostile" and poison.number < len(HOSTILE)
    }
    assert [dict(texts)[offsets[number]] for number in range(len(HOSTILE))] == list(HOSTILE)
