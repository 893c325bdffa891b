"""The programs of the live shop: each a command of ours as a child, started again when it ends.

In: a command and where its output goes. Out: a part that is looked at twice a second, and that
stops with this process, however this process ends.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.processes.programs import Tied, run_tied
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.live.pauses import Pauses

Say = Callable[[str], None]
BEHIND = ("nice", "-n", "10")
"""Before a command that shall leave the processor to those who are watched."""


def lake(*words: str) -> list[str]:
    """The command line of one of our commands."""
    return [sys.executable, "-c", "from operations.cli import main; main()", *words]


@dataclass
class Part:
    """A program that shall run.

    `ends` says that it may end by itself, with exit code 0; one that `fails_once` is not started
    again after another code either.
    """

    name: str
    command: Sequence[str]
    settings: Settings
    say: Say
    ends: bool = False
    fails_once: bool = False
    has_ended: bool = False
    pauses: Pauses = field(default_factory=Pauses)
    _tied: Tied | None = None
    _due: float = 0.0

    @property
    def log(self) -> Path:
        """Where its output goes; begun again at each start."""
        return self.settings.logs_dir / f"live-{self.name}.log"

    @property
    def is_running(self) -> bool:
        return self._tied is not None

    def look(self) -> None:
        """Start it when it is due, and note its end."""
        if self._tied is None:
            if not self.has_ended and time.monotonic() >= self._due:
                self._start()
        elif (code := self._tied.supervisor.poll()) is not None:
            self._tied.close()
            self._tied = None
            if self.ends and code == 0:
                self.has_ended = True
            elif self.fails_once:
                self.has_ended = True
                self.say(f"The {self.name} ended with exit code {code}{self.last_words()}")
            else:
                self._again(f"ended with exit code {code}{self.last_words()}")

    def stop(self) -> None:
        """End it in good order, and wait until it is gone."""
        if self._tied is not None:
            self._tied.close()
            self._tied = None

    def last_words(self) -> str:
        """What it said last, for a message."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return f": {lines[-1].strip()[:300]}" if lines else ""

    def _start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.pauses.begin()
        try:
            self._tied = run_tied(
                self.command,
                folder=PROJECT_ROOT,
                output=self.log,
                environment=self.settings.environment(),
            )
        except (OSError, LakeError) as error:
            self._again(f"can't be started: {error}")

    def _again(self, what: str) -> None:
        pause = self.pauses.failed()
        self._due = time.monotonic() + pause
        self.say(f"The {self.name} {what.rstrip('.')}. It is started again in {pause:g} s.")
