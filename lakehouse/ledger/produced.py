"""The producers' part of the ledger: what was handed to Kafka, and what Kafka acknowledged.

In: chunks of messages. Out: lines in the chain `produced`, one before a chunk is sent and one when
it is acknowledged; and, at the next start, where an interrupted send goes on.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lakehouse.ledger import chain
from lakehouse.settings import Settings

CHAIN = "produced"


@dataclass(frozen=True)
class Progress:
    """How far a source was sent before: `next_index` is the first message not acknowledged."""

    next_index: int = 0
    is_finished: bool = False


@dataclass
class Chunk:
    """Up to a thousand messages that are acknowledged together."""

    session: str
    number: int
    first_seq: int
    first_index: int
    records: int = 0
    amount: Decimal = Decimal(0)
    digest: int = 0
    by_topic: dict[str, int] = field(default_factory=dict)
    amount_by_topic: dict[str, Decimal] = field(default_factory=dict)

    def add(self, topic: str, event_id: str, amount: Decimal | None) -> None:
        """Count one message."""
        self.records += 1
        self.by_topic[topic] = self.by_topic.get(topic, 0) + 1
        if amount is not None:
            self.amount += amount
            self.amount_by_topic[topic] = self.amount_by_topic.get(topic, Decimal(0)) + amount
        self.digest = (self.digest + record_digest(event_id, amount)) % (1 << 128)

    def opened(self) -> dict[str, Any]:
        """The line written before the chunk is sent."""
        return {
            "kind": "chunk",
            "session": self.session,
            "chunk": self.number,
            "first_seq": self.first_seq,
            "last_seq": self.first_seq + self.records - 1,
            "first_index": self.first_index,
            "records": self.records,
            "amount": text(self.amount),
            "digest": f"{self.digest:032x}",
            "by_topic": self.by_topic,
            "amount_by_topic": {name: text(each) for name, each in self.amount_by_topic.items()},
        }


def text(amount: Decimal) -> str:
    """Money as the ledger keeps it: a plain decimal."""
    return f"{amount.quantize(Decimal('0.0001')):f}"


def record_digest(event_id: str, amount: Decimal | None) -> int:
    """A record's part of an order-free digest: parts add up modulo 2^128."""
    body = f"{event_id}|{'' if amount is None else text(amount)}"
    return int.from_bytes(hashlib.sha256(body.encode()).digest()[:16], "big")


def open_session(
    session: str, *, source: str, label: str, resend: bool, settings: Settings
) -> None:
    """Record that a producer session begins."""
    line = {"kind": "session", "session": session, "source": source, "label": label}
    chain.write(CHAIN, {**line, "resend": resend}, settings=settings)


def acknowledge(
    chunk: Chunk, positions: Mapping[str, Mapping[str, list[int]]], *, settings: Settings
) -> None:
    """Record that Kafka holds a chunk: topic -> partition -> [first, last offset]."""
    line = {"kind": "acknowledged", "session": chunk.session, "chunk": chunk.number}
    chain.write(CHAIN, {**line, "positions": positions}, settings=settings)


def finish(session: str, *, records: int, settings: Settings) -> None:
    """Record that a source was sent to its end."""
    chain.write(
        CHAIN, {"kind": "finished", "session": session, "records": records}, settings=settings
    )


def progress_of(source: str, *, settings: Settings) -> Progress:
    """Where a source's next send goes on: after the last chunk acknowledged without a gap."""
    sessions: set[str] = set()
    chunks: dict[tuple[str, int], tuple[int, int]] = {}
    done: list[tuple[int, int]] = []
    for line in chain.lines(CHAIN, settings=settings):
        session = line["session"]
        if line["kind"] == "session" and line["source"] == source:
            if line.get("resend"):
                done = []
            sessions.add(session)
        elif session not in sessions:
            continue
        elif line["kind"] == "chunk":
            end = line["first_index"] + line["records"]
            chunks[session, line["chunk"]] = (line["first_index"], end)
        elif line["kind"] == "acknowledged" and (session, line["chunk"]) in chunks:
            done.append(chunks[session, line["chunk"]])
        elif line["kind"] == "finished":
            return Progress(line["records"], is_finished=True)
    reached = 0
    for first, end in sorted(done):
        if first <= reached:
            reached = max(reached, end)
    return Progress(reached)
