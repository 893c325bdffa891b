"""A broker that freezes, and one that deletes records before they are read."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from kafka import TopicPartition

import streaming.ingest
from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, ORDER_LINES
from lakehouse.contracts.topics import ERP_INVOICE_LINES
from lakehouse.errors import LakeError
from lakehouse.ledger import chain, losses, produced
from lakehouse.ledger.losses import Place, Span
from lakehouse.settings import Settings
from operations.audit import audit_service
from operations.recovery.reset import reset_query
from operations.status import describe
from pipelines.publishing.publish import Workers
from quality.audit.equation import Equation
from storefront.messages import Message
from streaming import broker, kafka_admin, producer
from streaming.checkpoints import start_file
from streaming.producer import Source, produce
from tests.faults.proof import Damage
from tests.faults.results import Recorder
from tests.lake_state import LakeState, bring_into_service, erp, failing, messages_of

pytestmark = [pytest.mark.spark, pytest.mark.kafka]

ERP = ERP_INVOICE_LINES.name
PRICE = Decimal("15.3000")
NewLake = Callable[..., LakeState]


@pytest.fixture(scope="module")
def own_kafka(new_broker: Callable[[], Settings]) -> Settings:
    """Settings of a broker that these tests may hurt."""
    return new_broker()


def orders(first: int, count: int) -> list[Message]:
    return messages_of(*(erp(0, InvoiceNo=str(first + n)) for n in range(count)))


@pytest.mark.slow
def test_a_frozen_broker_blocks_the_sender_and_nothing_is_dropped(
    own_kafka: Settings,
    new_lake: NewLake,
    monkeypatch: pytest.MonkeyPatch,
    record_fault: Recorder,
) -> None:
    """T10: broker frozen in mid-send; the sender waits, `lake status` says so, all arrives once."""
    lake = new_lake(own_kafka.bootstrap)
    monkeypatch.setattr(producer, "CHUNK_RECORDS", 20)
    messages = orders(610_000, 400)
    pulled, pid = 0, broker.status(own_kafka).pid or 0
    is_full = threading.Event()

    def source() -> Iterator[Message]:
        nonlocal pulled
        for number, message in enumerate(messages):
            if number == 3 * 20:  # three chunks are on their way
                os.kill(pid, signal.SIGSTOP)
            pulled = number + 1
            if pulled == 9 * 20:  # eight in flight, the ninth in hand: it can only wait now
                is_full.set()
            yield message

    sent = Source("frozen", "frozen")
    with ThreadPoolExecutor(1) as pool:
        try:
            sending = pool.submit(produce, source(), source=sent, settings=lake.settings)
            assert is_full.wait(60)
            # One request that waits in vain for its answer: the freeze lasts as long as that.
            assert f"pid {pid} does not answer" in describe(own_kafka)
            assert pulled <= (3 + producer.CHUNKS_IN_FLIGHT + 1) * 20
            assert not sending.done()
            assert not produced.progress_of("frozen", settings=lake.settings).is_finished
        finally:
            os.kill(pid, signal.SIGCONT)
        thawed = time.monotonic()
        assert sending.result(timeout=120).records == 400
    recovery = time.monotonic() - thawed

    lake.ingest()
    lake.refine()

    assert lake.rows(ORDER_LINES, "order_id") == [(str(610_000 + n),) for n in range(400)]
    assert lake.rows(DUPLICATES) == []
    assert len(lake.rows(BRONZE_EVENTS, "offset")) == 400
    assert failing(audit_service(lake.settings, full=True)) == {}
    record_fault(Damage(400, 0, 0, Decimal(0)), recovery_seconds=round(recovery, 2))


@pytest.mark.slow
def test_a_broker_frozen_before_a_batch_is_read_delays_it_and_no_more(
    own_kafka: Settings, new_lake: NewLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = new_lake(own_kafka.bootstrap)
    pid = broker.status(own_kafka).pid or 0
    produce(orders(611_000, 50), source=Source("slow", "slow"), settings=lake.settings)
    first_read = threading.Event()
    real = streaming.ingest.bronze_rows

    def freeze_and_read(*batch: Any) -> Any:
        if not first_read.is_set():
            os.kill(pid, signal.SIGSTOP)
            first_read.set()
        return real(*batch)

    monkeypatch.setattr(streaming.ingest, "bronze_rows", freeze_and_read)
    with ThreadPoolExecutor(1) as pool:
        try:
            reading = pool.submit(lake.ingest)
            assert first_read.wait(120)
            assert not broker.status(own_kafka).running
            assert not reading.done()
        finally:
            os.kill(pid, signal.SIGCONT)
        reading.result(timeout=120)
    assert len(set(lake.rows(BRONZE_EVENTS, "partition", "offset"))) == 50


@pytest.mark.slow
def test_records_deleted_before_they_were_read_stop_ingest_until_they_are_given_up_on_the_record(
    own_kafka: Settings, new_lake: NewLake, workers: Workers, record_fault: Recorder
) -> None:
    """T14: retention passed the reader; the exact range is named, and given up with a reason."""
    lake, lost = outrun(new_lake(own_kafka.bootstrap), first=620_000)
    settings, number = lake.settings, sum(end - start for start, end in lost.values())
    before = time.monotonic()
    named = r"; ".join(f"{ERP}/{n} offsets {a} to {b - 1}" for (_, n), (a, b) in lost.items())
    with pytest.raises(LakeError, match=rf"not read: {named}\. .*--accept-loss REASON"):
        lake.ingest()
    detected = time.monotonic() - before
    assert failing(audit_service(settings, full=True)) == {
        "R1": tuple(
            f"lost before it was read: {ERP}/{n} offsets {a} to {b - 1}, "
            "and Kafka holds it no longer"
            for (_, n), (a, b) in lost.items()
        )
    }

    with pytest.raises(LakeError, match="not read: "):
        reset_query("ingest", settings=settings)
    with pytest.raises(LakeError, match="with a reason"):
        reset_query("ingest", settings=settings, accept_loss=" ")
    with pytest.raises(LakeError, match="not read: "):
        lake.ingest()
    said = reset_query("ingest", settings=settings, accept_loss="a disk died")
    assert f"{number} records are given up" in said
    with pytest.raises(LakeError, match="no loss to accept"):
        reset_query("ingest", settings=settings, accept_loss="again")
    operations = chain.lines("operations", settings=settings)
    (line,) = (each for each in operations if each["kind"] == losses.KIND)
    assert line["reason"] == "a disk died"
    assert line["ranges"] == {ERP: {str(n): list(span) for (_, n), span in lost.items()}}

    lake.ingest()
    lake.refine()
    assert len(lake.rows(ORDER_LINES, "order_id")) == 70 - number
    bring_into_service(settings, workers)
    equations = audit_service(settings, full=True)
    assert failing(equations) == {}
    given_up = f"and {number} lost, accepted (a disk died)"
    assert sides(equations, "R1")[1] == f"{70 - number} rows {given_up}"
    assert sides(equations, "R3") == ("70 records", f"{70 - number} records {given_up}")
    assert sides(equations, "R5")[1] == (
        f"{(70 - number) * PRICE:,} and {number * PRICE:,} lost, accepted"
    )
    assert f"Given up   {number} records that Kafka lost unread: a disk died" in describe(settings)
    record_fault(
        Damage(70, number, 0, number * PRICE),
        human_steps=1,
        note=f"the lost ones were deleted from Kafka; named after {detected:.1f} s",
    )


@pytest.mark.slow
def test_what_was_given_up_can_be_sent_again_and_a_further_loss_stops_again(
    own_kafka: Settings, new_lake: NewLake
) -> None:
    lake, lost = outrun(new_lake(own_kafka.bootstrap), first=625_000)
    settings, number = lake.settings, sum(end - start for start, end in lost.values())
    reset_query("ingest", settings=settings, accept_loss="a disk died")
    lake.ingest()
    again = orders(626_000, 40)
    produce(again, source=Source("unread", "unread"), settings=settings, resend=True)
    lake.ingest()
    lake.refine()
    assert len(lake.rows(ORDER_LINES, "order_id")) == 70
    assert len(lake.rows(DUPLICATES, "offset")) == 40 - number
    assert failing(audit_service(settings, full=True)) == {}

    produce(orders(627_000, 20), source=Source("further", "further"), settings=settings)
    first, end = losses.landed_ends(settings)[ERP, 0], ends_of(settings)[ERP, 0]
    delete(settings, {(ERP, 0): end})
    with pytest.raises(
        LakeError, match=rf"not read: {ERP}/0 offsets {first} to {end - 1}\. Restore"
    ):
        lake.ingest()
    assert list(failing(audit_service(settings, full=True))) == ["R1"]


@pytest.mark.slow
def test_records_deleted_before_the_first_start_are_missed_by_what_kafka_acknowledged(
    own_kafka: Settings, new_lake: NewLake
) -> None:
    lake = new_lake(own_kafka.bootstrap)
    settings = lake.settings
    start_file("ingest", settings=settings).unlink()
    first = ends_of(settings)
    produce(orders(635_000, 30), source=Source("never", "never"), settings=settings)
    ends = ends_of(settings)
    lost = {place: (first[place], ends[place] - 1) for place in ends}
    delete(settings, {place: end for place, (_, end) in lost.items()})
    with pytest.raises(LakeError, match=f"not read: {losses.in_words(lost)}. Restore"):
        lake.ingest()
    reset_query("ingest", settings=settings, accept_loss="it was too late")
    lake.ingest()
    lake.refine()
    assert len(lake.rows(ORDER_LINES, "order_id", where="order_id >= '635000'")) == 2
    equations = audit_service(settings, full=True)
    assert failing(equations) == {}
    assert sides(equations, "R3")[1] == "2 records and 28 lost, accepted (it was too late)"


def test_records_deleted_while_a_batch_is_being_planned_stop_it_too(
    own_kafka: Settings, new_lake: NewLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = new_lake(own_kafka.bootstrap)
    settings = lake.settings
    produce(orders(630_000, 30), source=Source("planned", "planned"), settings=settings)
    real = streaming.ingest.require_all_held

    def check_and_delete(checked: Settings) -> None:
        real(checked)
        delete(settings, ends_of(settings))

    monkeypatch.setattr(streaming.ingest, "require_all_held", check_and_delete)
    with pytest.raises(LakeError, match=r"deleted records .* Run it again"):
        lake.ingest()
    monkeypatch.undo()
    assert lake.rows(BRONZE_EVENTS) == []
    with pytest.raises(LakeError, match="not read: "):
        lake.ingest()


def outrun(lake: LakeState, *, first: int) -> tuple[LakeState, dict[Place, Span]]:
    """30 orders read, 40 more sent, of which all but the last two of each partition are deleted."""
    settings = lake.settings
    produce(orders(first, 30), source=Source("read", "read"), settings=settings)
    lake.ingest()
    lake.refine()
    produce(orders(first + 1000, 40), source=Source("unread", "unread"), settings=settings)
    ends, begins = ends_of(settings), losses.landed_ends(settings)
    lost = {place: (begins[place], ends[place] - 2) for place in ((ERP, 0), (ERP, 1))}
    assert all(start < end for start, end in lost.values())
    delete(settings, {place: end for place, (_, end) in lost.items()})
    return lake, lost


def delete(settings: Settings, before: dict[tuple[str, int], int]) -> None:
    """Delete the records below these offsets."""
    with kafka_admin.connect(settings.bootstrap) as client:
        client.delete_records({TopicPartition(*place): end for place, end in before.items()})


def ends_of(settings: Settings) -> dict[tuple[str, int], int]:
    return kafka_admin.end_offsets(settings.bootstrap, [ERP])


def sides(equations: Sequence[Equation], name: str) -> tuple[str, str]:
    """Left and right of the first equation of that name."""
    found = next(each for each in equations if each.equation == name)
    return found.left, found.right
