"""Lag and freshness: what waits in Kafka, and for how long gold has been behind the lake."""

import time

import pytest

from lakehouse.contracts.tables import ORDER_LINES
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.settings import Settings
from operations import lag
from operations.lag import measure, require_fresh
from streaming.producer import Source, produce
from tests.lake_state import LakeState, Published, erp, messages_of

pytestmark = [pytest.mark.spark, pytest.mark.kafka]

HOUR = 3600


def limited(settings: Settings, **limits: float) -> Settings:
    return settings.model_copy(update=limits)


def send(settings: Settings, name: str, records: int) -> None:
    source = [erp(0, InvoiceNo=f"56{n:04}") for n in range(records)]
    produce(messages_of(*source), source=Source(name, name), settings=settings)


def test_records_that_wait_in_kafka_are_counted_and_too_many_fail(
    published_on_kafka: Published,
) -> None:
    settings = published_on_kafka.settings
    found = measure(settings)
    assert (found.records, found.hours) == (0, 0)
    assert str(found) == "0 records wait in Kafka, and gold has all of it."
    send(settings, "third", 3)
    assert measure(settings).records == 3
    assert require_fresh(limited(settings, lag_records=3)).records == 3
    with pytest.raises(CheckFailed, match=r"^3 records wait in Kafka.* LAKE_LAG_RECORDS: run "):
        require_fresh(limited(settings, lag_records=2))


def test_gold_is_behind_since_the_first_commit_that_it_was_not_built_on(
    published_on_kafka: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = published_on_kafka.settings
    state = LakeState(published_on_kafka.lake.spark, settings)
    began = time.time()
    send(settings, "third", 1)
    state.ingest()
    monkeypatch.setattr(time, "time", lambda: began + 10 * HOUR)
    assert 9.5 < measure(settings).hours <= 10
    state.refine()
    assert measure(settings).records == 0
    assert 9.5 < measure(settings).hours <= 10
    assert require_fresh(limited(settings, lag_hours=10.0)).hours > 9.5
    with pytest.raises(CheckFailed, match=r"^Gold misses .* LAKE_LAG_HOURS: run `lake run daily`"):
        require_fresh(limited(settings, lag_hours=9.0))


def test_a_damaged_commit_is_named(published_on_kafka: Published) -> None:
    settings = published_on_kafka.settings
    log = settings.home / "tables" / ORDER_LINES.name.replace(".", "/") / "_delta_log"
    newest = max(each for each in log.glob("*.json"))
    (log / f"{int(newest.stem) + 1:020}.json").write_text("{", encoding="ascii")
    with pytest.raises(LakeError, match=rf"of {ORDER_LINES.name} can't be read.* audit --full"):
        lag.measure(settings)


def test_without_a_broker_lag_says_how_to_start_it(published: Published) -> None:
    with pytest.raises(LakeError, match="lake broker start"):
        measure(limited(published.settings, kafka_bootstrap="127.0.0.1:1"))
