"""A pace sends so many messages a second, for so long, over one source or several."""

from dataclasses import dataclass, field

from storefront.messages import Message
from streaming.rate_limit import Pace

MESSAGES = [Message("web.events.v1", "k", f"e-{n}", b"{}", None) for n in range(100)]


@dataclass
class Clock:
    """A clock of the test's own: waiting moves it, and so does each batch's sending."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def pace(clock: Clock, rate: float, seconds: float | None = None) -> Pace:
    return Pace(rate, seconds, clock=lambda: clock.now, wait=clock.wait)


def sent_at(clock: Clock, chosen: Pace, count: int = 100) -> list[tuple[float, int]]:
    return [(clock.now, len(batch)) for batch in chosen.batches(MESSAGES[:count])]


def test_a_second_holds_so_many_messages_until_the_source_ends() -> None:
    clock = Clock()
    chosen = pace(clock, 40)
    assert sent_at(clock, chosen) == [(0, 40), (1, 40), (2, 20)]
    assert (chosen.sent, chosen.is_over) == (100, False)


def test_less_than_one_message_a_second_is_one_now_and_then() -> None:
    clock = Clock()
    assert sent_at(clock, pace(clock, 0.25), 3) == [(0, 1), (4, 1), (8, 1)]


def test_it_is_over_when_its_time_has_passed_and_waits_no_longer() -> None:
    clock = Clock()
    chosen = pace(clock, 10, seconds=2.5)
    assert sent_at(clock, chosen) == [(0, 10), (1, 10), (2, 10)]
    assert (chosen.is_over, clock.now) == (True, 2.5)


def test_it_goes_on_over_the_next_source_without_a_pause_too_many() -> None:
    clock = Clock()
    chosen = pace(clock, 10, seconds=3)
    assert sent_at(clock, chosen, 15) == [(0, 10), (1, 5)]
    assert not chosen.is_over
    assert sent_at(clock, chosen) == [(1.5, 10), (2.5, 10)]
    assert (chosen.is_over, chosen.sent, clock.now) == (True, 35, 3)


def test_a_sender_that_was_held_up_does_not_make_up_for_it_in_a_flood() -> None:
    clock = Clock()
    seen = []
    for batch in pace(clock, 10).batches(MESSAGES[:60]):
        seen.append((clock.now, len(batch)))
        if len(seen) == 2:
            clock.now += 60
    assert seen == [(0, 10), (1, 10), (61, 10), (62, 10), (63, 10), (64, 10)]


def test_customers_who_do_not_wait_for_each_other_are_made_up_for() -> None:
    clock = Clock()
    chosen = Pace(10, clock=lambda: clock.now, wait=clock.wait, tick_seconds=0.5, makes_up=True)
    seen = []
    for number, batch in enumerate(chosen.batches(MESSAGES[:40])):
        seen.append((clock.now, len(batch)))
        if number == 1:
            clock.now += 2.25  # the broker was away
    assert seen == [
        *((0, 5), (0.5, 5)),
        *((2.75, 5), (2.75, 5), (2.75, 5), (2.75, 5)),
        *((3, 5), (3.5, 5)),
    ]
