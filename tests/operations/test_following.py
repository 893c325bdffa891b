"""Jobs beside `lake streams`: they wait until it is through, and write nothing themselves."""

import threading
from typing import Any

import pytest

from lakehouse.contracts.tables import BRONZE_EVENTS, CUSTOMERS, ORDER_LINES, TABLES
from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.tables import current_versions
from operations import following
from operations.following import STREAMS, versions_to_publish
from operations.run import run_jobs
from pipelines.publishing.publish import Workers
from pipelines.silver.batch_writer import BatchWriter
from streaming.ingest import start_ingest
from streaming.producer import Source, produce
from streaming.refine import start_refine
from tests.lake_state import LakeState, Published, bring_into_service, customer, erp, messages_of

pytestmark = [pytest.mark.spark, pytest.mark.kafka]


def send(settings: Settings, records: int) -> None:
    source = [erp(0, InvoiceNo=f"57{n:04}") for n in range(records)]
    produce(messages_of(*source), source=Source("more", "more"), settings=settings)


def run_both(settings: Settings) -> list[str]:
    """The jobs `ingest` and `refine`, and what they noted."""
    report = run_jobs(
        ["ingest", "refine"],
        settings=settings,
        command="test",
        options={},
        on_change=lambda _: None,
    )
    return [stage["note"] for stage in report["stages"]]


def test_jobs_end_when_the_streams_have_read_what_lay_there_when_they_began(
    published_on_kafka: Published,
) -> None:
    settings = published_on_kafka.settings
    state = LakeState(published_on_kafka.lake.spark, settings)
    before = len(state.rows(BRONZE_EVENTS, "offset")), len(state.rows(ORDER_LINES, "event_id"))
    with hold(STREAMS, settings=settings):
        send(settings, 5)
        queries = [
            start(state.spark, settings=settings, follow=True)
            for start in (start_ingest, start_refine)
        ]
        try:
            assert run_both(settings) == ["done by the streams that follow"] * 2
        finally:
            for query in queries:
                query.stop()
    after = len(state.rows(BRONZE_EVENTS, "offset")), len(state.rows(ORDER_LINES, "event_id"))
    assert after == (before[0] + 5, before[1] + 5)


def test_streams_that_end_too_early_are_told(
    published_on_kafka: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_GRACE_SECONDS", 0.0)
    settings = published_on_kafka.settings
    following.await_landed(settings)
    following.await_refined(settings)
    send(settings, 1)
    with pytest.raises(LakeError, match=r"^`lake streams` ended before it had read everything"):
        following.await_landed(settings)
    LakeState(published_on_kafka.lake.spark, settings).ingest()
    following.await_landed(settings)
    with pytest.raises(LakeError, match=r"^`lake streams` ended before it had read everything"):
        following.await_refined(settings)


def test_a_publish_beside_the_streams_leaves_what_landed_meanwhile_to_the_next(
    published: Published, workers: Workers
) -> None:
    lake, settings = published.lake, published.settings
    lake.landed = 100
    lake.land(erp(0, partition=7, InvoiceNo="570000"))
    lake.refine()
    refined = current_versions(settings)
    lake.land(erp(1, partition=7, InvoiceNo="570001"))
    newest = current_versions(settings)
    assert newest == refined | {BRONZE_EVENTS.name: refined[BRONZE_EVENTS.name] + 1}
    assert versions_to_publish(settings) == newest
    with hold(STREAMS, settings=settings):
        outcome = bring_into_service(settings, workers, pin=versions_to_publish)
    assert outcome.published["table_versions"] == refined
    lake.refine()
    assert bring_into_service(settings, workers).is_new


def test_the_versions_to_publish_wait_for_the_end_of_a_batch(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = lake.settings
    in_batch, go_on, write = threading.Event(), threading.Event(), BatchWriter.accepted

    def write_slowly(writer: BatchWriter, table: Any, outcome: Any) -> None:
        if table is ORDER_LINES:  # customers are written, and order lines not yet
            in_batch.set()
            assert go_on.wait(60)
        write(writer, table, outcome)

    monkeypatch.setattr(BatchWriter, "accepted", write_slowly)
    found: list[dict[str, int]] = []
    lake.land(customer(0, "person-1"), erp(1, InvoiceNo="570000"))
    with hold(STREAMS, settings=settings):
        query = start_refine(lake.spark, settings=settings, follow=True)
        try:
            assert in_batch.wait(60)
            torn = current_versions(settings)
            asked = threading.Thread(target=lambda: found.append(versions_to_publish(settings)))
            asked.start()
            asked.join(1.0)
            assert found == []
            go_on.set()
            asked.join(60)
        finally:
            query.stop()
    assert found == [current_versions(settings)]
    assert set(found[0]) == {table.name for table in TABLES}
    assert (torn[CUSTOMERS.name], torn[ORDER_LINES.name]) == (
        found[0][CUSTOMERS.name],
        found[0][ORDER_LINES.name] - 1,
    )
