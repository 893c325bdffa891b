"""Messages into Kafka: each source once, resumed after a kill, refused where too large."""

import base64
import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kafka import KafkaProducer

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    DUPLICATES,
    ORDER_LINES,
    PRODUCTS,
    QUARANTINE,
)
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ERP_COLUMNS,
    ERP_INVOICE_LINES,
    WEB_ORDERS,
)
from lakehouse.contracts.validation import Refusal
from lakehouse.ledger import chain, produced
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.audit import audit_service
from storefront.messages import Message
from streaming.producer import LARGEST_MESSAGE, Sent, Source, _dead_letter, produce
from streaming.sources import History, send_history
from tests.lake_state import LINE, LakeState, erp, erp_value, failing, messages_of, web_order

pytestmark = [pytest.mark.spark, pytest.mark.kafka]

ERP, WEB = ERP_INVOICE_LINES.name, WEB_ORDERS.name
KILLED_BEFORE_THE_ACKNOWLEDGEMENT = """
import os, signal, sys
from lakehouse.settings import Settings
from lakehouse.ledger import produced
from streaming import producer
from tests.lake_state import erp, messages_of

acknowledge = produced.acknowledge

def die_at_the_second(chunk, positions, *, settings):
    if chunk.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    acknowledge(chunk, positions, settings=settings)

produced.acknowledge = die_at_the_second
producer.CHUNK_RECORDS = 10
messages = messages_of(*(erp(0, InvoiceNo=str(580_000 + n)) for n in range(35)))
producer.produce(messages, source=producer.Source("killed", "killed"), settings=Settings())
"""


def orders(first: int, count: int) -> list[Message]:
    return messages_of(*(erp(0, InvoiceNo=str(first + n)) for n in range(count)))


def product(**fields: Any) -> bytes:
    body = {
        "event_id": "p",
        "schema_version": 1,
        "occurred_at": "2011-12-10T08:00:00Z",
        "sku": "LAMP",
        "description": "lamp",
        "category": "light",
        "unit_price": "2.55",
        "status": "active",
        **fields,
    }
    return json.dumps(body).encode()


def force_through(settings: Settings, values: Iterable[tuple[str, bytes | None]]) -> None:
    """Send values round our producer, as somebody else's program would."""
    client = KafkaProducer(bootstrap_servers=settings.bootstrap)
    try:
        for topic, value in values:
            client.send(topic, value=value, key=b"key").get(timeout=30)
    finally:
        client.close()


def test_a_source_is_sent_once_and_again_only_when_asked(kafka_lake: LakeState) -> None:
    settings, source = kafka_lake.settings, Source("once", "once")
    seen: list[int] = []
    sent = produce(orders(590_000, 25), source=source, settings=settings, on_progress=seen.append)
    assert sent == Sent(sent.session, 25, 0, 0)
    assert seen == [25]
    again = produce(orders(590_000, 25), source=source, settings=settings)
    assert again == Sent(None, 0, 25, 0)
    resent = produce(orders(590_000, 25), source=source, settings=settings, resend=True)
    assert (resent.records, resent.skipped) == (25, 0)
    lines = list(chain.lines(produced.CHAIN, settings=settings))
    assert [line["kind"] for line in lines] == [
        *("session", "chunk", "acknowledged", "finished"),
        *("session", "chunk", "acknowledged", "finished"),
    ]
    chunk = lines[1]
    assert (chunk["first_seq"], chunk["last_seq"], chunk["records"]) == (0, 24, 25)
    assert chunk["amount_by_topic"] == {ERP: "382.5000"}
    assert chunk["digest"] == lines[5]["digest"]
    spans = lines[2]["positions"][ERP].values()
    assert sum(last - first + 1 for first, last in spans) == 25


def test_a_producer_killed_between_send_and_acknowledgement_goes_on_without_doubling(
    kafka_lake: LakeState,
) -> None:
    """T12."""
    settings = kafka_lake.settings
    child = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_THE_ACKNOWLEDGEMENT],
        cwd=PROJECT_ROOT,
        env=settings.environment(),
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    assert produced.progress_of("killed", settings=settings) == produced.Progress(10)
    resumed = produce(orders(580_000, 35), source=Source("killed", "killed"), settings=settings)
    assert (resumed.records, resumed.skipped) == (25, 10)

    kafka_lake.ingest()
    kafka_lake.refine()
    landed = len(kafka_lake.rows(BRONZE_EVENTS, "offset"))
    lines = kafka_lake.rows(ORDER_LINES, "order_id", "line_amount")
    assert lines == [(str(580_000 + n), Decimal("15.3000")) for n in range(35)]
    again = kafka_lake.rows(DUPLICATES, "disposition")
    assert len(again) == landed - 35 > 0
    assert {each for (each,) in again} == {"redelivered"}
    assert failing(audit_service(settings, full=True)) == {}


def test_a_message_too_large_goes_to_the_dead_letters_and_is_accounted_for(
    kafka_lake: LakeState,
) -> None:
    settings = kafka_lake.settings
    large = messages_of(erp(0, Description="x" * (LARGEST_MESSAGE + 1)))
    sent = produce(large, source=Source("large", "large"), settings=settings)
    assert (sent.records, sent.refused) == (1, 1)
    assert sent.reasons == {"message_too_large": 1}
    kafka_lake.ingest()
    kafka_lake.refine()
    ((topic, event_id, reason, raw),) = kafka_lake.rows(
        QUARANTINE, "topic", "event_id", "reason", "raw_value"
    )
    assert (topic, event_id) == (dead_letter_topic(ERP), large[0].event_id)
    assert reason == "contract_refused"
    assert json.loads(raw)["reason"] == "message_too_large"
    assert failing(audit_service(settings, full=True)) == {}


def test_a_message_against_its_contract_is_refused_by_the_producer_and_if_forced_by_the_platform(
    kafka_lake: LakeState,
) -> None:
    """T22: type changed, field renamed, price in pence; also forced round the producer."""
    settings = kafka_lake.settings
    renamed = json.loads(erp_value(InvoiceNo="2"))
    renamed["invoice_row"] = renamed.pop("row_number")
    bad = [
        (ERP, erp_value(fields={"UnitPrice": 255}), "wrong_type", "UnitPrice"),
        (ERP, json.dumps(renamed).encode(), "missing_field", "row_number"),
        (WEB, web_order(0, {"unit_price": 255}).value, "wrong_type", "lines"),
        (CATALOG_PRODUCTS.name, product(unit_price=255), "wrong_type", "unit_price"),
        (CRM_CUSTOMERS.name, b"\xff\xfe", "not_utf8", None),
    ]
    sound = orders(570_000, 2)
    refused = [
        Message(topic, "key", f"bad-{number}", value or b"", Decimal(255))
        for number, (topic, value, *_) in enumerate(bad)
    ]
    source = [sound[0], *refused, sound[1]]

    sent = produce(source, source=Source("mixed", "mixed"), settings=settings)

    reasons = dict.fromkeys(
        (
            "wrong_type: UnitPrice",
            "missing_field: row_number",
            "wrong_type: lines[].unit_price",
            "wrong_type: unit_price",
            "not_utf8",
        ),
        1,
    )
    assert sent == Sent(sent.session, 7, 0, 5, reasons)
    chunk = next(
        line for line in chain.lines(produced.CHAIN, settings=settings) if line["kind"] == "chunk"
    )
    dead = {dead_letter_topic(each.name): 1 for each in (WEB_ORDERS, CATALOG_PRODUCTS)}
    dead |= {dead_letter_topic(ERP): 2, dead_letter_topic(CRM_CUSTOMERS.name): 1}
    assert (chunk["records"], chunk["by_topic"]) == (7, {ERP: 2, **dead})
    assert chunk["amount_by_topic"] == {ERP: "30.6000"}
    force_through(settings, [(topic, value) for topic, value, *_ in bad])
    kafka_lake.ingest()
    kafka_lake.refine()

    columns = ("topic", "event_id", "reason", "detail", "amount")
    found = kafka_lake.rows(QUARANTINE, *columns, where="topic like '%.dlq'")
    assert found == sorted(
        (dead_letter_topic(message.topic), message.event_id, "contract_refused", detail, None)
        for message, detail in zip(refused, reasons, strict=True)
    )
    letters = {
        event_id: json.loads(raw)
        for event_id, raw in kafka_lake.rows(
            QUARANTINE, "event_id", "raw_value", where="topic like '%.dlq'"
        )
    }
    assert letters["bad-0"]["value"].encode() == refused[0].value
    assert base64.b64decode(letters["bad-4"]["value_base64"]) == refused[4].value
    columns = ("topic", "reason", "detail", "raw_value")
    assert kafka_lake.rows(QUARANTINE, *columns, where="topic not like '%.dlq'") == sorted(
        (topic, reason, detail, value) for topic, value, reason, detail in bad
    )
    assert kafka_lake.rows(ORDER_LINES, "event_id") == sorted((each.event_id,) for each in sound)
    assert kafka_lake.rows(PRODUCTS, "event_id") == []
    assert failing(audit_service(settings, full=True)) == {}


def test_a_refused_message_of_any_size_fits_into_its_dead_letter() -> None:
    value = b'{"a": "' + b'\\"' * (LARGEST_MESSAGE // 2 - 10) + b'"}'
    assert len(value) <= LARGEST_MESSAGE
    letter = _dead_letter(Message(ERP, "key", "id", value, None), Refusal("missing_field", "x"))
    assert json.loads(letter) == {
        "event_id": "id",
        "topic": ERP,
        "reason": "missing_field",
        "field": "x",
        "bytes": len(value),
    }


@pytest.mark.slow
def test_the_same_or_an_overlapping_extract_in_another_form_changes_nothing(
    kafka_lake: LakeState, tmp_path: Path
) -> None:
    rows = [
        (f"54{n:04}", *LINE[1:3], str(n % 5 + 1), f"1/{n + 11}/2011 8:26", "2.550", *LINE[6:])
        for n in range(12)
    ]
    rows.append(rows[3])
    header = ",".join(ERP_COLUMNS)
    full, part = tmp_path / "full.csv.gz", tmp_path / "part.csv"
    text = "\n".join([header, *(",".join(row) for row in rows)]) + "\n"
    full.write_bytes(gzip.compress(text.encode()))
    part.write_text("\n".join([header, *(",".join(row) for row in rows[4:9])]) + "\n")
    columns = dict(zip(ERP_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    typed = {
        **columns,
        "Quantity": [int(text) for text in columns["Quantity"]],
        "UnitPrice": [float(text) for text in columns["UnitPrice"]],
    }
    pq.write_table(pa.table(typed), tmp_path / "same.parquet")
    settings = kafka_lake.settings

    assert send_history(History(file=full), settings=settings).records == 13
    kafka_lake.ingest()
    kafka_lake.refine()
    before = kafka_lake.rows(ORDER_LINES)
    assert len(before) == 12
    for other in (part, tmp_path / "same.parquet"):
        assert send_history(History(file=other), settings=settings).records in (5, 13)
    kafka_lake.ingest()
    kafka_lake.refine()
    assert kafka_lake.rows(ORDER_LINES) == before
    places = list(kafka_lake.dispositions().values())
    assert {place: places.count(place) for place in places} == {
        "accepted": 12,
        "redelivered": 17,
        "repeated": 2,
    }
    assert failing(audit_service(settings, full=True)) == {}
