"""Records -> Kafka: in order, idempotent, acknowledged by all replicas.

In: records, and a `Delivery` for those that are settled together. Out: the delivery knows where
each of them lies, or why one is nowhere. Sends by librdkafka: kafka-python takes seven times the
CPU for a record, and sending is the longest part of a first load.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse.settings import Settings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

CONNECT_SECONDS = 10
POLL_SECONDS = 0.5
Header = tuple[str, bytes]


class NotDelivered(Exception):
    """Kafka did not take a record in time, or refused it; the text says why, in a few words."""


@dataclass
class Delivery:
    """Records that are settled together: how many are on their way, and where the others lie.

    `positions` has the first and the last offset of each partition, by topic.
    """

    under_way: int = 0
    positions: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    failure: str = ""

    def settle(self, error: "KafkaError | None", record: "Message") -> None:
        """Take Kafka's answer for one record."""
        self.under_way -= 1
        if error is not None:
            self.failure = self.failure or error.str()
            return
        offset = record.offset() or 0
        span = self.positions.setdefault(record.topic() or "", {}).setdefault(
            str(record.partition()), [offset, offset]
        )
        span[0] = min(span[0], offset)
        span[1] = max(span[1], offset)


class KafkaSender:
    """One connection that sends; it belongs to one thread.

    Args:
        settings: Where the broker is.
        name: The client's id, as the broker logs it.
        linger_ms: How long a record waits for others to share its request.
        within_seconds: A record that Kafka has not acknowledged by then has failed.

    Raises:
        NotDelivered: No broker answers.
    """

    def __init__(
        self, settings: Settings, *, name: str, linger_ms: int, within_seconds: float
    ) -> None:
        from confluent_kafka import KafkaException, Producer

        self._kafka = Producer(
            {
                "bootstrap.servers": settings.bootstrap,
                "client.id": name,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": linger_ms,
                "batch.size": 256 * 1024,
                "delivery.timeout.ms": int(within_seconds * 1000),
                "partitioner": "murmur2_random",  # as every Java client places a key
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,  # it says at length what our errors say in a sentence
            }
        )
        try:
            self._kafka.list_topics(timeout=CONNECT_SECONDS)
        except KafkaException as error:
            raise NotDelivered(_reason(error)) from error

    def send(
        self,
        topic: str,
        *,
        key: bytes,
        value: bytes,
        delivery: Delivery,
        headers: Sequence[Header] = (),
    ) -> None:
        """Hand over one record; it goes when its batch does.

        Raises: NotDelivered where Kafka would never take it.
        """
        from confluent_kafka import KafkaException

        try:
            self._kafka.produce(
                topic, value, key, headers=list(headers), on_delivery=delivery.settle
            )
        except (KafkaException, BufferError) as error:
            raise NotDelivered(_reason(error)) from error
        delivery.under_way += 1

    def await_delivery(self, delivery: Delivery) -> None:
        """Wait until Kafka has answered for each record. Raises: NotDelivered."""
        while delivery.under_way:
            self._kafka.poll(POLL_SECONDS)
        if delivery.failure:
            raise NotDelivered(delivery.failure)

    def close(self, *, within_seconds: float) -> None:
        """Give what is under way its last chance, then drop it."""
        deadline = time.monotonic() + within_seconds
        while len(self._kafka) and time.monotonic() < deadline:
            self._kafka.poll(0.1)
        self._kafka.purge()
        self._kafka.flush(1)


def _reason(error: Exception) -> str:
    from confluent_kafka import KafkaError

    found = error.args[0] if error.args else error
    return found.str() if isinstance(found, KafkaError) else str(found)
