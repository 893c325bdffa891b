"""Live figures from Kafka by Spark: exact over restarts, and equal to gold once it is published."""

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from lakehouse.settings import Settings
from lakehouse.shop_clock import ShopClock, set_clock
from operations.live.agreement import agreement, await_told, live_today
from pipelines.live.facts import TOPICS, live_functions
from pipelines.publishing.publish import Workers
from storefront.messages import Message
from streaming.live_kpis import LiveKpis, start_live_kpis
from streaming.producer import Source, produce
from tests.brokers import own_kafka
from tests.lake_state import LakeState, bring_into_service
from tests.live_shop import TODAY, Put, in_batches, random_records, table_of, worth

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Told:
    """Takes what is told, in place of Kafka."""

    def __init__(self) -> None:
        self.versions: list[dict[str, bytes]] = []

    def __call__(self, messages: Any) -> None:
        self.versions.append(dict(messages))


def live_kpis(told: Told, *, target: dict[tuple[str, int], int]) -> LiveKpis:
    behind = (datetime.now(UTC).date() - TODAY).days
    return LiveKpis(told, ShopClock(behind), positions={}, target=target, version=41)


def ends_of(records: list[Put]) -> dict[tuple[str, int], int]:
    return {(each.topic, each.partition): each.offset + 1 for each in records}


def test_nothing_is_told_before_everything_is_read_that_lay_there_at_the_start() -> None:
    records = random_records(21, visits=8)
    told = Told()
    kpis = live_kpis(told, target=ends_of(records))
    *first, last = records
    kpis.take(table_of(first))
    kpis.tick()
    assert told.versions == []
    kpis.take(table_of([last]))
    assert len(told.versions) == 1


def test_versions_rise_and_hold_whole_values_and_their_positions() -> None:
    records = random_records(22, visits=8)
    told = Told()
    kpis = live_kpis(told, target={})
    for batch in in_batches(records, 23):
        kpis.take(batch)
    versions = [
        {json.loads(value)["version"] for value in version.values()} for version in told.versions
    ]
    assert versions == [{42 + number} for number in range(len(versions))]
    assert len({frozenset(version) for version in told.versions}) == 1
    *_, last_key = told.versions[-1]
    last = json.loads(told.versions[-1][last_key])
    assert (last["kpi"], last["day"]) == ("positions", TODAY.isoformat())
    assert {(row["topic"], row["partition"]): row["next_offset"] for row in last["rows"]} == (
        ends_of(records)
    )
    revenue = json.loads(told.versions[-1]["net_revenue/today"])
    assert Decimal(revenue["value"]) == worth(records, TODAY)["net_revenue"]


def test_a_batch_without_a_record_of_a_live_day_still_moves_the_positions() -> None:
    told = Told()
    kpis = live_kpis(told, target={})
    kpis.take(table_of([Put(TOPICS[0], 1, 7, b"no message")]))
    assert kpis.positions == {(TOPICS[0], 1): 8}
    assert len(told.versions) == 1


def messages(records: list[Put]) -> list[Message]:
    """As a source hands them to the producer, with the money that each stands for."""
    functions = live_functions()
    return [
        Message(
            each.topic,
            f"k-{each.partition}",
            event_id_of(each.value, number),
            each.value,
            functions[each.topic](each.value).amount,
        )
        for number, each in enumerate(records)
    ]


def event_id_of(value: bytes, number: int) -> str:
    """What the message says of itself, or a name for one that says nothing."""
    try:
        found = json.loads(value).get("event_id")
    except ValueError:
        found = None
    return found if isinstance(found, str) else f"broken-{number}"


@contextlib.contextmanager
def following(spark: "SparkSession", settings: Settings) -> Iterator[None]:
    query = start_live_kpis(spark, settings=settings)
    try:
        yield
        is_told = await_told(settings)
        query.processAllAvailable()
        assert is_told()
    finally:
        query.stop()


def records_in(settings: Settings) -> list[Put]:
    """What Kafka holds, at its places."""
    from kafka import KafkaConsumer, TopicPartition

    with contextlib.closing(KafkaConsumer(bootstrap_servers=settings.bootstrap)) as consumer:
        places = [TopicPartition(topic, part) for topic in TOPICS for part in (0, 1)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends, found = consumer.end_offsets(places), []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for polled in consumer.poll(timeout_ms=1000).values():
                found += [Put(r.topic, r.partition, r.offset, r.value) for r in polled]
    return found


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.kafka
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_today_equals_gold_after_restarts_with_late_and_doubled_records(
    seed: int, new_lake: Callable[..., LakeState], spark: "SparkSession", workers: Workers
) -> None:
    with own_kafka(new_lake().settings) as settings:
        lake = LakeState(spark, settings)
        set_clock(TODAY, settings=settings)
        records = random_records(seed, visits=80)
        parts = records[:150], records[150:300], records[300:], records[::7]
        for number, part in enumerate(parts):
            source = Source(f"part-{number}", "part")
            with following(spark, settings):
                produce(messages(list(part)), source=source, settings=settings)
            expected = worth(records_in(settings), TODAY)
            assert live_today(settings) == (TODAY.isoformat(), expected)
            if number == 1:  # a start now begins where silver says
                lake.ingest()
                lake.refine()
        lake.ingest()
        lake.refine()
        bring_into_service(settings, workers)
        assert f"live KPIs of {TODAY} equal gold" in agreement(settings)
        assert expected["order_count"]


def test_a_table_of_no_records_is_no_news_but_a_sign_of_life() -> None:
    told = Told()
    empty: pa.Table = table_of([Put(TOPICS[0], 0, 0, b"")]).slice(0, 0)
    live_kpis(told, target={}).take(empty)
    assert len(told.versions) == 1
