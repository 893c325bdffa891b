"""The web shop's sessions: on which day each began, and how far it went (rule 11).

In: messages of web events as JSON. Out: `Visits`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from tests.oracle.lines import shop_day, unrepeated

STEPS = {"page_view": 1, "product_view": 2, "add_to_cart": 3, "checkout": 4, "purchase": 5}
STAGES = {"page_view": 1, "cart": 3, "bought": 5}


@dataclass(frozen=True)
class Visits:
    """`days` with an event at all, and the furthest step of each session by its first day."""

    days: frozenset[date]
    furthest: Mapping[date, tuple[int, ...]]

    def reached(self, day: date, stage: str) -> int:
        """Sessions of a day that came in, had a cart, or bought."""
        return sum(step >= STAGES[stage] for step in self.furthest.get(day, ()))


def visits(messages: Iterable[bytes]) -> Visits:
    """Sessions of these messages; one that comes again counts once."""
    sessions: dict[object, list[dict[str, object]]] = defaultdict(list)
    days = set()
    for event in unrepeated(messages):
        sessions[event["session_id"]].append(event)
        days.add(shop_day(event["occurred_at"]))
    furthest: dict[date, list[int]] = defaultdict(list)
    for events in sessions.values():
        first = min(str(event["occurred_at"]) for event in events)
        step = max(STEPS.get(str(event["event_type"]), 0) for event in events)
        furthest[shop_day(first)].append(step)
    return Visits(frozenset(days), {day: tuple(steps) for day, steps in furthest.items()})
