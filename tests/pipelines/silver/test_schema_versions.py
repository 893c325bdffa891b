"""T21: a contract that gained an optional field, in mid-stream and on a state from before."""

import dataclasses
import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lakehouse.contracts.tables import DUPLICATES, QUARANTINE, TABLES, WEB_EVENTS, Table
from lakehouse.contracts.topics import ERP_INVOICE_LINES
from lakehouse.contracts.topics import WEB_EVENTS as WEB_EVENTS_TOPIC
from lakehouse.ledger import chain, commits
from lakehouse.tables import (
    Transaction,
    append_rows,
    create_tables,
    creation,
    current_version,
    forget_tables,
    held_columns,
    location,
    read,
)
from operations.audit import audit_service
from streaming.refine import start_refine
from tests.lake_state import LakeState, Record, erp, failing

pytestmark = pytest.mark.spark

EVENTS, ERP = WEB_EVENTS_TOPIC.name, ERP_INVOICE_LINES.name
ADDED = ("device_type", "experiment", "arm")
"""Columns that came with versions 2 and 3."""
VISIBLE = ("event_id", "event_type", "device_type", "source_offset", "refined_batch")


def visit(offset: int, *, version: int, **fields: Any) -> Record:
    body = {
        "event_id": f"visit-{offset}",
        "schema_version": version,
        "occurred_at": "2011-12-10T23:30:00Z",
        "session_id": "s",
        "visitor_id": "v",
        "customer_id": None,
        "event_type": "page_view",
        "sku": None,
        "order_id": None,
    }
    return Record(EVENTS, json.dumps({**body, **fields}).encode(), offset)


def of_the_first_version() -> Table:
    columns = tuple(each for each in WEB_EVENTS.columns if each.name not in ADDED)
    return dataclasses.replace(WEB_EVENTS, columns=columns)


def set_back(lake: LakeState) -> None:
    """Give web events the table that the first version made, with the rows it would hold."""
    old, place = of_the_first_version(), Path(location(WEB_EVENTS, settings=lake.settings))
    rows = read(lake.spark, WEB_EVENTS, settings=lake.settings).drop(*ADDED).toArrow()
    shutil.rmtree(place)
    forget_tables(lake.spark)
    creation._create(old, settings=lake.settings)
    append_rows(
        rows.to_reader(),
        old,
        settings=lake.settings,
        transaction=Transaction("the first version", 0),
        metadata={"query": "refine", "batch_id": 0},
    )


@pytest.mark.slow
def test_messages_of_both_versions_go_through_one_running_query(lake: LakeState) -> None:
    query = start_refine(lake.spark, settings=lake.settings, follow=True)
    try:
        for records in (
            [visit(0, version=1), visit(1, version=1, device_type="mobile")],
            [
                visit(2, version=2, device_type="tablet"),
                visit(3, version=2),
                visit(4, version=2, device_type=None),
            ],
            [
                visit(5, version=1, device_type=7),
                visit(6, version=1),
                visit(7, version=2, device_type=7),
                visit(8, version=2, device_type="fridge"),
                visit(9, version=4, device_type="mobile"),
                visit(10, version=2, device_type="desktop"),
            ],
        ):
            lake.land(*records)
            query.processAllAvailable()
    finally:
        query.stop()

    at = datetime(2011, 12, 10, 23, 30, tzinfo=UTC)
    varying = ("content_hash", "refined_batch")
    names = [name for name in WEB_EVENTS.column_names() if name not in varying]
    held = {**dict.fromkeys((0, 1, 3, 4, 5, 6)), 2: "tablet", 10: "desktop"}
    assert lake.rows(WEB_EVENTS, *names) == sorted(
        (
            *(f"visit-{offset}", "s", "v", None, "page_view", None, None, device, None, None),
            *(at, date(2011, 12, 10), EVENTS, 0, offset),
        )
        for offset, device in held.items()
    )
    batches_of = dict(lake.rows(WEB_EVENTS, "source_offset", "refined_batch"))
    assert batches_of[0] == batches_of[1] < batches_of[2] == batches_of[4] < batches_of[5]
    assert lake.rows(QUARANTINE, "offset", "reason", "detail") == [
        (7, "wrong_type", "device_type"),
        (8, "unknown_value", "device_type"),
        (9, "unknown_version", "4"),
    ]


@pytest.mark.slow
def test_a_state_of_the_first_version_is_brought_up_to_date_and_goes_on(lake: LakeState) -> None:
    lake.land(visit(0, version=1), visit(1, version=1), erp(0))
    lake.refine()
    before = lake.rows(WEB_EVENTS, "event_id", "content_hash")
    set_back(lake)
    assert failing(audit_service(lake.settings, full=True)) == {}
    assert "device_type" not in (held_columns(WEB_EVENTS, settings=lake.settings) or {})

    create_tables(lake.settings)

    contract = {column.name: column.type for column in WEB_EVENTS.columns}
    held = held_columns(WEB_EVENTS, settings=lake.settings)
    assert held is not None
    assert held == contract
    versions = current_version(WEB_EVENTS, settings=lake.settings)
    create_tables(lake.settings)
    assert current_version(WEB_EVENTS, settings=lake.settings) == versions == 3
    commits.derive(lake.settings)
    lines = [
        line
        for line in chain.lines(commits.CHAIN, settings=lake.settings)
        if line["table"] == WEB_EVENTS.name
    ]
    assert [(line["version"], line["operation"], line["rows"]) for line in lines] == [
        (0, "CREATE TABLE", 0),
        (1, "WRITE", 2),
        (2, "ADD COLUMN", 0),
        (3, "SET TBLPROPERTIES", 0),
    ]
    assert {line["reason"] for line in lines[2:]} == {f"the contract gained {', '.join(ADDED)}"}

    again = visit(0, version=1)
    lake.land(
        dataclasses.replace(again, offset=2),
        visit(3, version=2, device_type="mobile"),
        visit(4, version=1),
    )
    lake.refine()
    assert lake.rows(WEB_EVENTS, *VISIBLE) == [
        ("visit-0", "page_view", None, 0, 1),
        ("visit-1", "page_view", None, 1, 1),
        ("visit-3", "page_view", "mobile", 3, 2),
        ("visit-4", "page_view", None, 4, 2),
    ]
    assert lake.rows(WEB_EVENTS, "event_id", "content_hash")[:2] == before
    assert lake.rows(DUPLICATES, "offset", "disposition") == [(2, "redelivered")]
    assert failing(audit_service(lake.settings, full=True)) == {}
    assert {table.name for table in TABLES} >= {WEB_EVENTS.name}
