"""Messages -> Kafka, idempotent and in chunks that the ledger knows before they are sent.

In: messages of a source. Out: records with `producer_session` and `producer_seq` headers, and the
ledger's chain `produced`. A finished source is not sent again; an interrupted one goes on. What
breaks its topic's contract goes to the dead letters, with the reason.
"""

import itertools
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.validation import Refusal, refusal_of
from lakehouse.errors import LakeError
from lakehouse.ledger import chain, produced
from lakehouse.locks import hold
from lakehouse.settings import Settings
from streaming.kafka_sender import Delivery, KafkaSender, NotDelivered
from streaming.rate_limit import Pace

if TYPE_CHECKING:
    from storefront.messages import Message

CHUNK_RECORDS = 1000
CHUNKS_IN_FLIGHT = 8
DELIVERY_SECONDS = 120
LARGEST_MESSAGE = 900_000
"""Bytes of a value at most; beyond it the message's refusal goes to the dead letters."""


@dataclass(frozen=True)
class Source:
    """What is sent: `key` names it for ever (a digest and a range), `label` is for people."""

    key: str
    label: str


@dataclass(frozen=True)
class Sent:
    """Result of a send: records sent now, records known from before, records refused and why.

    The refused ones are among the records: they were sent to the dead letters. `warning` says what
    a user should know of a source that was sent all the same.
    """

    session: str | None
    records: int
    skipped: int
    refused: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    warning: str = ""


def produce(
    messages: "Iterable[Message]",
    *,
    source: Source,
    settings: Settings,
    resend: bool = False,
    pace: Pace | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Sent:
    """Send a source's messages to their end, or until the pace is over; a later send goes on.

    Args:
        messages: Always the same ones in the same order for one source.
        source: Identity of the source in the ledger.
        settings: Where the broker and the ledger are.
        resend: Send again what was acknowledged before.
        pace: Send in real time; default: as fast as Kafka takes it.
        on_progress: Called with the number of messages handled so far.

    Raises:
        LakeError: The broker is not there or went away; the same command goes on later.
    """
    with hold(f"produce-{source.key[:40].replace('/', '_')}", settings=settings):
        reached = produced.progress_of(source.key, settings=settings)
        if reached.is_finished and not resend:
            return Sent(None, 0, reached.next_index, 0)
        start = 0 if resend else reached.next_index
        session = uuid.uuid4().hex
        sender = _Sender(session, start, settings=settings, on_progress=on_progress)
        try:
            produced.open_session(
                session, source=source.key, label=source.label, resend=resend, settings=settings
            )
            unsent = itertools.islice(messages, start, None)
            if pace is None:
                records = sender.send_all(_batched(unsent, CHUNK_RECORDS))
            else:
                records = sender.send_all(pace.batches(unsent), in_flight=1)
            if pace is None or not pace.is_over:
                produced.finish(session, records=start + records, settings=settings)
        finally:
            sender.close()
        return Sent(session, records, start, sender.reasons.total(), sender.reasons)


class _Sender:
    """One producer session: numbers its records and keeps a few chunks in flight."""

    def __init__(
        self,
        session: str,
        start: int,
        *,
        settings: Settings,
        on_progress: Callable[[int], None] | None,
    ) -> None:
        self.reasons: Counter[str] = Counter()
        self._session = session
        self._settings = settings
        self._index = start
        self._seq = 0
        self._header = ("producer_session", session.encode())
        self._on_progress = on_progress or (lambda _: None)
        self._open: deque[tuple[produced.Chunk, Delivery]] = deque()
        self._kafka = _connect(settings)

    def send_all(
        self, batches: "Iterable[tuple[Message, ...]]", *, in_flight: int = CHUNKS_IN_FLIGHT
    ) -> int:
        """Send each batch as a chunk of the ledger; returns the number of messages."""
        for number, batch in enumerate(batches):
            while len(self._open) >= in_flight:
                self._settle()
            self._send(number, batch)
        while self._open:
            self._settle()
        return self._seq

    def close(self) -> None:
        """Let go of Kafka; what is unsent is in doubt in the ledger."""
        self._kafka.close(within_seconds=2)

    def _send(self, number: int, batch: "tuple[Message, ...]") -> None:
        chunk, delivery = produced.Chunk(self._session, number, self._seq, self._index), Delivery()
        batch = tuple(self._judged(message) for message in batch)
        for message in batch:
            chunk.add(message.topic, message.event_id, message.amount)
        chain.write(produced.CHAIN, chunk.opened(), settings=self._settings)
        try:
            for message in batch:
                self._send_one(message, delivery)
        except NotDelivered as error:
            raise self._gone(error) from error
        self._index += len(batch)
        self._open.append((chunk, delivery))

    def _judged(self, message: "Message") -> "Message":
        """The message, or the dead letter that tells of it; a dead letter stands for no money."""
        refusal: Refusal | None = Refusal("message_too_large")
        if len(message.value) <= LARGEST_MESSAGE:
            refusal = refusal_of(message.value, message.topic)
        if refusal is None:
            return message
        self.reasons[str(refusal)] += 1
        topic = dead_letter_topic(message.topic)
        return message._replace(topic=topic, value=_dead_letter(message, refusal), amount=None)

    def _send_one(self, message: "Message", delivery: Delivery) -> None:
        self._kafka.send(
            message.topic,
            key=message.key.encode(),
            value=message.value,
            headers=(self._header, ("producer_seq", str(self._seq).encode())),
            delivery=delivery,
        )
        self._seq += 1

    def _settle(self) -> None:
        """Wait for the oldest chunk's acknowledgements and write them down."""
        chunk, delivery = self._open.popleft()
        try:
            self._kafka.await_delivery(delivery)
        except NotDelivered as error:
            raise self._gone(error) from error
        produced.acknowledge(chunk, delivery.positions, settings=self._settings)
        self._on_progress(chunk.first_index + chunk.records)

    def _gone(self, error: NotDelivered) -> LakeError:
        return LakeError(
            f"The Kafka broker at {self._settings.bootstrap} stopped answering "
            f"({error}). Start it with `lake broker start` and run the same command "
            "again: it goes on after the last acknowledged record."
        )


def _connect(settings: Settings) -> KafkaSender:
    try:
        return KafkaSender(
            settings, name="cartlake-producer", linger_ms=20, within_seconds=DELIVERY_SECONDS
        )
    except NotDelivered as error:
        raise LakeError(
            f"No Kafka broker answers at {settings.bootstrap}. Start it with `lake broker start`."
        ) from error


def _dead_letter(message: "Message", refusal: Refusal) -> bytes:
    """What went wrong, and the message itself where it fits: as text, else in base 64."""
    import msgspec

    about = {
        "event_id": message.event_id,
        "topic": message.topic,
        "reason": refusal.reason,
        "field": refusal.field or None,
        "bytes": len(message.value),
    }
    try:
        content: dict[str, object] = {"value": message.value.decode("utf-8")}
    except UnicodeDecodeError:
        content = {"value_base64": message.value}
    whole = msgspec.json.encode({**about, **content})
    return whole if len(whole) <= LARGEST_MESSAGE else msgspec.json.encode(about)


def _batched(messages: "Iterable[Message]", size: int) -> "Iterator[tuple[Message, ...]]":
    iterator = iter(messages)
    while batch := tuple(itertools.islice(iterator, size)):
        yield batch
