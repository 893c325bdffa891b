"""The simulated shop by the clock: its messages one after the other, each dated when it is due.

In: messages of simulated days in their order, the moment of the first, messages a second. Out: the
same facts with that moment as their own. A visit takes seconds where it took minutes; what
happens, in which order and for how much stays.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count

import msgspec

from storefront.messages import Message, encode

_decode = msgspec.json.Decoder(dict[str, object]).decode


def in_real_time(
    messages: Iterable[Message], *, begins_at: datetime, per_second: float, first: int = 0
) -> Iterator[Message]:
    """The messages with the times at which they are due; an event id begins with its time.

    Args:
        messages: Of the simulated shop, in order of time.
        begins_at: The moment of message 0, in UTC.
        per_second: Messages a second.
        first: Number of the first of these messages.
    """
    for number, message in zip(count(first), messages, strict=False):
        at = begins_at + timedelta(seconds=number / per_second)
        occurred_at = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        mark = message.event_id.rpartition("-")[2]
        event_id = f"{at:%Y%m%d%H%M%S}-{mark}"
        fields = _decode(message.value)
        fields |= {"event_id": event_id, "occurred_at": occurred_at}
        yield message._replace(event_id=event_id, value=encode(fields))
