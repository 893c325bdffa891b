"""What the ledger knows of a source: where its next send goes on, and an order-free digest."""

from decimal import Decimal
from pathlib import Path

import pytest

from lakehouse.ledger import chain, produced
from lakehouse.ledger.produced import Chunk, Progress, progress_of
from lakehouse.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def begin(settings: Settings, session: str, source: str = "s", *, resend: bool = False) -> None:
    produced.open_session(session, source=source, label=source, resend=resend, settings=settings)


def chunk(settings: Settings, session: str, number: int, first: int, *, acked: bool) -> None:
    found = Chunk(session, number, first, first)
    for n in range(10):
        found.add("t", f"{first + n}", Decimal("1.5"))
    chain.write(produced.CHAIN, found.opened(), settings=settings)
    if acked:
        produced.acknowledge(found, {"t": {"0": [first, first + 9]}}, settings=settings)


def test_a_source_goes_on_after_the_last_chunk_acknowledged_without_a_gap(
    settings: Settings,
) -> None:
    assert progress_of("s", settings=settings) == Progress(0)
    begin(settings, "one")
    begin(settings, "other", source="another")
    chunk(settings, "other", 0, 90, acked=True)
    chunk(settings, "one", 0, 0, acked=True)
    chunk(settings, "one", 1, 10, acked=False)
    chunk(settings, "one", 2, 20, acked=True)
    assert progress_of("s", settings=settings) == Progress(10)
    begin(settings, "two")
    chunk(settings, "two", 0, 10, acked=True)
    assert progress_of("s", settings=settings) == Progress(30)
    produced.finish("two", records=30, settings=settings)
    assert progress_of("s", settings=settings) == Progress(30, is_finished=True)
    assert progress_of("another", settings=settings) == Progress(0)


def test_an_interrupted_resend_does_not_make_a_source_unfinished(settings: Settings) -> None:
    begin(settings, "one")
    chunk(settings, "one", 0, 0, acked=True)
    produced.finish("one", records=10, settings=settings)
    begin(settings, "two", resend=True)
    assert progress_of("s", settings=settings) == Progress(10, is_finished=True)


def test_a_chunks_line_holds_money_as_text_and_a_digest_free_of_order() -> None:
    facts = [("a", Decimal("0.1")), ("b", None), ("c", Decimal("-2.5550"))]
    forward, backward = Chunk("s", 3, 7, 9), Chunk("s", 3, 7, 9)
    for event_id, amount in facts:
        forward.add("t", event_id, amount)
    for event_id, amount in reversed(facts):
        backward.add("t", event_id, amount)
    assert (
        forward.opened()
        == backward.opened()
        == {
            "kind": "chunk",
            "session": "s",
            "chunk": 3,
            "first_seq": 7,
            "last_seq": 9,
            "first_index": 9,
            "records": 3,
            "amount": "-2.4550",
            "digest": forward.opened()["digest"],
            "by_topic": {"t": 3},
            "amount_by_topic": {"t": "-2.4550"},
        }
    )
    other = Chunk("s", 3, 7, 9)
    for event_id, _ in facts:
        other.add("t", event_id, Decimal(0))
    assert other.opened()["digest"] != forward.opened()["digest"]
