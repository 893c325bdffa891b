"""The topic of live KPIs: who writes it, and the newest version that it holds.

In: the messages of a version, by key. Out: the same in Kafka, acknowledged; sent again when in
doubt, for the version says which one counts.
"""

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from lakehouse.contracts.topics import LIVE_KPIS
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from streaming.kafka_sender import Delivery, KafkaSender, NotDelivered

QUERY = "live_kpis"
POSITIONS = "positions"
"""Not a KPI: what the figures of a version hold, as the next offset of each partition. Last."""

_SEND_SECONDS = 30
_ANSWER_MS = 10_000
NEWEST_MESSAGES = 500
"""Messages at the end of the topic that hold several whole versions."""


class LiveWriter:
    """Sends versions to the topic; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        try:
            self._kafka = KafkaSender(
                settings, name="cartlake-live", linger_ms=5, within_seconds=_SEND_SECONDS
            )
        except NotDelivered as error:
            raise self._gone(error) from error

    def send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Send the messages of a version and wait until Kafka has them. Raises: LakeError."""
        delivery = Delivery()
        try:
            with self._lock:
                for key, value in messages:
                    self._kafka.send(
                        LIVE_KPIS.name, key=key.encode(), value=value, delivery=delivery
                    )
                self._kafka.await_delivery(delivery)
        except NotDelivered as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the connection; what is in doubt is told again by the next version."""
        self._kafka.close(within_seconds=1)

    def _gone(self, error: NotDelivered) -> LakeError:
        return LakeError(
            f"The Kafka broker at {self._settings.bootstrap} does not take live figures "
            f"({error}). Start it with `lake broker start`."
        )


def newest_version(settings: Settings) -> int:
    """The newest version in the topic; 0 where it holds none. Raises: LakeError without Kafka."""
    return max((each["version"] for each in newest_messages(settings).values()), default=0)


def newest_messages(settings: Settings) -> dict[str, dict[str, Any]]:
    """The newest message of each key that was told of late. Raises: LakeError without Kafka."""
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    place = TopicPartition(LIVE_KPIS.name, 0)
    found: dict[str, dict[str, Any]] = {}
    try:
        with contextlib.closing(
            KafkaConsumer(bootstrap_servers=settings.bootstrap, client_id="cartlake-live")
        ) as consumer:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            first = consumer.beginning_offsets([place])[place]
            consumer.seek(place, max(first, end - NEWEST_MESSAGES))
            while consumer.position(place) < end:
                for records in consumer.poll(timeout_ms=_ANSWER_MS).values():
                    for record in records:
                        _keep_newest(found, record.key, record.value)
    except KafkaError as error:
        raise LakeError(
            f"Kafka at {settings.bootstrap} did not say which live figures it holds "
            f"({type(error).__name__}). Start it with `./lake broker start`."
        ) from error
    return found


def _keep_newest(found: dict[str, dict[str, Any]], key: bytes | None, value: bytes | None) -> None:
    """Take a message where it is the newest of its key; what is no message of ours is passed by."""
    try:
        name, message = (key or b"").decode(), msgspec.json.decode(value or b"")
        if message["version"] >= found.get(name, message)["version"]:
            found[name] = message
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError):
        return
