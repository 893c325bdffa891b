"""How long to wait before something that failed is started again.

In: when it began and when it failed. Out: 1, 2, 4 ... seconds up to half a minute, and 1 again
after it has been well for a minute.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_PAUSE = 30.0
HEALTHY_SECONDS = 60.0


@dataclass
class Pauses:
    """The pauses of one thing that may fail again and again."""

    clock: Callable[[], float] = time.monotonic
    _next: float = 1.0
    _began: float = 0.0

    def begin(self) -> None:
        """It has been started."""
        self._began = self.clock()

    def failed(self) -> float:
        """It has failed; returns the seconds to wait."""
        if self.clock() - self._began >= HEALTHY_SECONDS:
            self._next = 1.0
        pause, self._next = self._next, min(self._next * 2, LONGEST_PAUSE)
        return pause
