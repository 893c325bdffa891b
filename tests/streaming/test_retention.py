"""Records that Kafka may delete before ingest reads them are named in time, with the command."""

import time
from collections.abc import Callable, Iterator

import pytest

from lakehouse.contracts.topics import WEB_EVENTS, WEB_ORDERS
from lakehouse.settings import Settings
from operations.cli import run
from operations.doctor import diagnose
from operations.status import describe
from streaming import kafka_admin, retention
from streaming.retention import risks
from tests.brokers import own_kafka

pytestmark = pytest.mark.kafka

TOPIC, OTHER = WEB_EVENTS.name, WEB_ORDERS.name


@pytest.fixture(scope="module")
def settings(new_settings: Callable[..., Settings]) -> Iterator[Settings]:
    """A state with a Kafka of its own: the tests set its topics' retention."""
    with own_kafka(new_settings()) as found:
        yield found


def send(settings: Settings, topic: str) -> None:
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=settings.bootstrap, acks="all")
    for _ in range(20):
        producer.send(topic, b"x" * 500, partition=0)
    producer.flush()
    producer.close()


def keep(settings: Settings, topic: str, **limits: str) -> None:
    """Set a topic's retention."""
    from kafka.admin import ConfigResource, ConfigResourceType

    values = {"retention.ms": "-1"} | {f"retention.{name}": value for name, value in limits.items()}
    with kafka_admin.connect(settings.bootstrap) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, values)])


def test_unread_records_in_the_last_fifth_of_their_retention_are_a_risk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    day = 24 * 3600
    send(settings, TOPIC)
    now = time.time()
    assert risks(settings) == []  # our own topics keep everything

    keep(settings, TOPIC, ms=str(10 * day * 1000))
    assert risks(settings) == []
    monkeypatch.setattr(retention, "time", lambda: now + 7.9 * day)
    assert risks(settings) == []
    monkeypatch.setattr(retention, "time", lambda: now + 8.1 * day)
    (risk,) = risks(settings)
    assert (risk.topic, risk.partition, risk.unread, risk.limit) == (TOPIC, 0, 20, "240 hours")
    told = f"20 records of {TOPIC}/0 are not in bronze yet, and the oldest has used 81% of its"
    assert told in str(risk)
    assert f"Warning    {told}" in describe(settings)
    (finding,) = [each for each in diagnose(settings) if each.check == "Retention"]
    assert (finding.ok, finding.remedy) == (False, "lake ingest --once")
    run._warn_of_retention(settings)
    assert capsys.readouterr().err.startswith(f"Warning: {told}")

    monkeypatch.setattr(
        retention.losses, "landed_ends", lambda _: {(TOPIC, 0): 20}
    )  # all of it has landed
    assert risks(settings) == []


def test_unread_bytes_near_a_topics_limit_are_a_risk(settings: Settings) -> None:
    send(settings, OTHER)
    keep(settings, OTHER, bytes=str(1024**2))
    assert risks(settings) == []
    with kafka_admin.connect(settings.bootstrap) as client:
        size = retention._sizes(client)[OTHER, 0]
    keep(settings, OTHER, bytes=str(int(size / 0.85)))
    (risk,) = risks(settings)
    assert risk.used == pytest.approx(0.85, abs=0.01)
    keep(settings, OTHER, bytes="-1")


def test_a_doctor_finds_a_kafka_that_keeps_everything_well(settings: Settings) -> None:
    keep(settings, TOPIC, ms="-1")
    (finding,) = [each for each in diagnose(settings) if each.check == "Retention"]
    assert finding.ok
    assert finding.found == "Kafka keeps what ingest has yet to read"
