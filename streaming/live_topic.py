"""The topic of live KPIs: who writes it, and the newest version that it holds.

In: the messages of a version, by key. Out: the same in Kafka, acknowledged; sent again when in
doubt, for the version says which one counts.
"""

import contextlib
from collections.abc import Sequence

import msgspec

from lakehouse.contracts.topics import LIVE_KPIS
from lakehouse.errors import LakeError
from lakehouse.settings import Settings

_SEND_SECONDS = 30
_ANSWER_SECONDS = 10.0


class LiveWriter:
    """Sends versions to the topic; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        from kafka import KafkaProducer
        from kafka.errors import KafkaError

        self._settings = settings
        try:
            self._kafka = KafkaProducer(
                bootstrap_servers=settings.bootstrap,
                acks="all",
                enable_idempotence=True,
                batch_size=512 * 1024,
                linger_ms=5,
                max_block_ms=_SEND_SECONDS * 1000,
                delivery_timeout_ms=_SEND_SECONDS * 1000,
                request_timeout_ms=_SEND_SECONDS * 1000 // 2,
                client_id="cartlake-live",
            )
        except KafkaError as error:
            raise self._gone(error) from error

    def send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Send the messages of a version and wait until Kafka has them. Raises: LakeError."""
        from kafka.errors import KafkaError

        try:
            futures = [
                self._kafka.send(LIVE_KPIS.name, key=key.encode(), value=value)
                for key, value in messages
            ]
            for future in futures:
                future.get(timeout=_SEND_SECONDS)
        except KafkaError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the connection; what is in doubt is told again by the next version."""
        from kafka.errors import KafkaError

        with contextlib.suppress(KafkaError):
            self._kafka.close(timeout=1)

    def _gone(self, error: Exception) -> LakeError:
        return LakeError(
            f"The Kafka broker at {self._settings.bootstrap} does not take live figures "
            f"({type(error).__name__}). Start it with `lake broker start`."
        )


def newest_version(settings: Settings) -> int:
    """The newest version in the topic; 0 where it holds none. Raises: LakeError without Kafka."""
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    place = TopicPartition(LIVE_KPIS.name, 0)
    try:
        with contextlib.closing(
            KafkaConsumer(bootstrap_servers=settings.bootstrap, client_id="cartlake-live")
        ) as consumer:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            if end == consumer.beginning_offsets([place])[place]:
                return 0
            consumer.seek(place, end - 1)
            polled = consumer.poll(timeout_ms=int(_ANSWER_SECONDS * 1000))
            found = [record.value for records in polled.values() for record in records]
    except KafkaError as error:
        raise LakeError(
            f"Kafka at {settings.bootstrap} did not say which live figures it holds "
            f"({type(error).__name__}). Start it with `./lake broker start`."
        ) from error
    return max((version_of(value) for value in found), default=0)


def version_of(value: bytes | None) -> int:
    """The version of a message; 0 for what is none."""
    try:
        return int(msgspec.json.decode(value or b"")["version"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return 0
