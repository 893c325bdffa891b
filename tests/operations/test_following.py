"""Jobs beside `lake streams`: they wait until it is through, and write nothing themselves."""

import pytest

from lakehouse.contracts.tables import BRONZE_EVENTS, ORDER_LINES
from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.settings import Settings
from operations import following
from operations.following import STREAMS
from operations.run import run_jobs
from streaming.ingest import start_ingest
from streaming.producer import Source, produce
from streaming.refine import start_refine
from tests.lake_state import LakeState, Published, erp, messages_of

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
