"""A pace for sending: so many messages a second, for so long.

In: messages. Out: the same messages in batches, each when its time has come.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storefront.messages import Message

LARGEST_BATCH = 1000


@dataclass
class Pace:
    """Messages a second, and seconds at most (None: to the source's end), from the first batch on.

    A batch is of `tick_seconds`. After a stall the pace goes on, or catches up (`makes_up`) as
    customers do who don't wait for each other. One pace may last over several sources, one after
    the other. `sent` counts the messages of all; `on_batch` gets it before each batch. `is_over`
    once the time has passed.
    """

    per_second: float
    seconds: float | None = None
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    on_batch: Callable[[int], None] = lambda _: None
    tick_seconds: float = 1.0
    makes_up: bool = False
    is_over: bool = False
    sent: int = 0
    _began: float | None = field(default=None, init=False)
    _due: float = field(default=0.0, init=False)

    def batches(self, messages: "Iterable[Message]") -> "Iterator[tuple[Message, ...]]":
        """A tick's messages at a time, one at least."""
        iterator = iter(messages)
        size = max(1, min(LARGEST_BATCH, round(self.per_second * self.tick_seconds)))
        while not self._has_ended():
            batch = tuple(itertools.islice(iterator, size))
            if not batch:
                return
            self.sent += len(batch)
            self.on_batch(self.sent)
            yield batch
            least = self._due if self.makes_up else self.clock() - 1
            self._due = max(self._due, least) + len(batch) / self.per_second

    def _has_ended(self) -> bool:
        """Wait until the next batch is due; whether the time is over before."""
        if self._began is None:
            self._began = self._due = self.clock()
        end = self._due if self.seconds is None else self._began + self.seconds
        if (left := min(self._due, end) - self.clock()) > 0:
            self.wait(left)
        self.is_over = self.seconds is not None and max(self._due, self.clock()) >= end
        return self.is_over
