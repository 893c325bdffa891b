"""Asks a Kafka about itself and makes the topics of the contracts.

In: `host:port` of any Kafka, ours or another. Out: its cluster id, its topics, and all topics of
`lakehouse.contracts` with the partitions that their contracts state.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.contracts.topics import LIVE_KPIS, SOURCE_TOPICS, TOPICS, dead_letter_topic, topic
from lakehouse.errors import LakeError

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

TOPIC_SETTINGS = {
    "message.timestamp.type": "LogAppendTime",
    "retention.ms": "-1",
    "max.message.bytes": str(1024 * 1024),
}
LIVE_SETTINGS = {"retention.ms": str(24 * 3_600_000), "segment.ms": str(3_600_000)}
"""The live figures are kept for a day: only the newest count, and the sources make them again."""
_ALREADY_EXISTS = 36


@dataclass(frozen=True)
class Cluster:
    """What a Kafka says of itself: its id and how many brokers can serve."""

    cluster_id: str
    broker_count: int


@contextlib.contextmanager
def connect(bootstrap: str, *, timeout_seconds: float = 10.0) -> "Iterator[KafkaAdminClient]":
    """An admin client of the Kafka at `host:port`.

    Raises: LakeError when it does not answer a metadata request in time.
    """
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    milliseconds = int(timeout_seconds * 1000)
    try:
        client = KafkaAdminClient(
            bootstrap_servers=bootstrap,
            client_id="cartlake-admin",
            bootstrap_timeout_ms=milliseconds,
            request_timeout_ms=max(milliseconds, 1000),
            reconnect_backoff_max_ms=200,
        )
    except (KafkaError, ValueError, OSError) as error:
        raise LakeError(
            f"Kafka at {bootstrap} does not answer. Start it with `./lake broker start`, or check "
            "LAKE_KAFKA_BOOTSTRAP."
        ) from error
    try:
        yield client
    except KafkaError as error:
        raise LakeError(f"Kafka at {bootstrap} refused a request: {error}.") from error
    finally:
        client.close()


def describe(client: "KafkaAdminClient") -> Cluster:
    """Cluster id and brokers, by a metadata request."""
    answer = client.describe_cluster()
    return Cluster(answer["cluster_id"], len(answer["brokers"]))


def partition_counts(client: "KafkaAdminClient") -> dict[str, int]:
    """Partitions of each topic, without Kafka's own."""
    return {
        each["name"]: len(each["partitions"])
        for each in sorted(client.describe_topics(), key=lambda each: str(each["name"]))
        if not each["is_internal"]
    }


def ensure_topics(client: "KafkaAdminClient") -> tuple[str, ...]:
    """Make the topics of the contracts that are missing; return their names.

    Raises: LakeError when a topic exists with other partitions than its contract states.
    """
    there = partition_counts(client)
    wanted = {name: partition_count(name) for name in TOPICS}
    for name, partitions in wanted.items():
        if there.get(name, partitions) != partitions:
            raise LakeError(
                f"Topic {name} has {there[name]} partitions, but its contract states {partitions}. "
                "Set the contract back, or begin a new state (`./lake demo --fresh`)."
            )
    missing = tuple(name for name in wanted if name not in there)
    if missing:
        answer = client.create_topics(
            {
                name: {"num_partitions": wanted[name], "configs": _settings_of(name)}
                for name in missing
            },
            raise_errors=False,
        )
        for each in answer["topics"]:
            if each["error_code"] not in (0, _ALREADY_EXISTS):
                raise LakeError(
                    f"Topic {each['name']} could not be made: {each['error_message']}. "
                    "Check that this Kafka lets you make topics."
                )
        client.wait_for_topics(list(missing))
    return missing


def _settings_of(name: str) -> dict[str, str]:
    return {**TOPIC_SETTINGS, **(LIVE_SETTINGS if name == LIVE_KPIS.name else {})}


def partition_count(name: str) -> int:
    """Partitions that the contract states; one for a topic of dead letters."""
    dead_letters = {dead_letter_topic(source.name) for source in SOURCE_TOPICS}
    return 1 if name in dead_letters else topic(name).partitions


def end_offsets(bootstrap: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """End offset of every partition of these topics, by (topic, partition)."""
    return _offsets(bootstrap, topics, which="end_offsets")


def first_offsets(bootstrap: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """First offset that Kafka still holds of every partition of these topics."""
    return _offsets(bootstrap, topics, which="beginning_offsets")


def _offsets(bootstrap: str, topics: Sequence[str], *, which: str) -> dict[tuple[str, int], int]:
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    try:
        with contextlib.closing(
            KafkaConsumer(bootstrap_servers=bootstrap, client_id="cartlake-audit")
        ) as consumer:
            places = [
                TopicPartition(topic, partition)
                for topic in topics
                for partition in consumer.partitions_for_topic(topic) or ()
            ]
            found = getattr(consumer, which)(places)
    except KafkaError as error:
        raise LakeError(
            f"Kafka at {bootstrap} did not say which records it holds ({type(error).__name__}). "
            "Start it with `./lake broker start`, or check LAKE_KAFKA_BOOTSTRAP."
        ) from error
    return {(each.topic, each.partition): offset for each, offset in found.items()}
