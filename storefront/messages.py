"""What every source yields: a message ready for Kafka, with the money that it stands for.

In: the fields of a message. Out: `Message`. A source never talks to Kafka: a job hands its messages
to the producer.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

_ENCODER = msgspec.json.Encoder()


class Message(NamedTuple):
    """One Kafka record to be. `amount` is exact money; None without money or where none parses."""

    topic: str
    key: str
    event_id: str
    value: bytes
    amount: Decimal | None


def encode(fields: Mapping[str, object]) -> bytes:
    """Compact JSON in UTF-8, keys in the given order."""
    return _ENCODER.encode(fields)


def rfc3339(moment: datetime) -> str:
    """A moment as whole seconds in UTC, such as `2011-12-09T12:50:00Z`.

    Raises:
        ValueError: The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
