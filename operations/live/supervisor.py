"""The live shop: broker, streams, screens, the shop itself, and a publish every few minutes.

In: a rate, a duration, a pause between publishes. Out: all of it at work in one process tree until
the time is over or Ctrl-C. What ends is started again after a pause, with a message. At the end of
its time everything that was sent is published, and the live figures are held against gold.
Run standalone: `lake live`.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.jars.fetch import ensure_jars
from lakehouse.settings import Settings, address
from lakehouse.state import prepare
from operations.live.agreement import agreement, await_told
from operations.live.parts import BEHIND, Part, Say, lake
from operations.live.pauses import Pauses
from streaming import broker

LOOK_SECONDS = 0.5
PUBLISH_SECONDS = 600.0
_SETTLE_SECONDS = 600.0


@dataclass(frozen=True)
class LiveOptions:
    """Messages a second, how long (None: until Ctrl-C), whose shop, seconds between publishes."""

    rate: float = 10.0
    seconds: float | None = None
    seed: int | None = None
    file: Path | None = None
    encoding: str = "utf-8"
    date_order: str | None = None
    publish_every: float = PUBLISH_SECONDS
    screens: bool = True

    def shop_words(self) -> list[str]:
        """The command that is the shop."""
        words = ["produce", "live", "--rate", f"{self.rate:g}", "--encoding", self.encoding]
        words += [] if self.seconds is None else ["--for", f"{self.seconds:g}s"]
        words += [] if self.seed is None else ["--seed", str(self.seed)]
        words += [] if self.file is None else ["--file", str(self.file.resolve())]
        return words + ([] if self.date_order is None else ["--date-order", self.date_order])


@dataclass
class _Broker:
    """The local broker, started again when its process is gone."""

    settings: Settings
    say: Say
    pauses: Pauses = field(default_factory=Pauses)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _due: float = 0.0

    def start(self) -> str:
        """Start or join it. Raises: LakeError."""
        self.pauses.begin()
        return self._stack.enter_context(broker.start(self.settings, detached=False)).note

    def look(self) -> None:
        """Start it again when it is gone."""
        if time.monotonic() < self._due:
            return
        try:
            broker.require_alive(self.settings)
        except LakeError:
            self.say("The Kafka broker ended. It is started again.")
            try:
                self.start()
            except LakeError as error:
                pause = self.pauses.failed()
                self._due = time.monotonic() + pause
                self.say(f"{error} It is tried again in {pause:g} s.")

    def stop(self) -> None:
        """Stop it, if this process started it."""
        self._stack.close()


class LiveShop:
    """Everything that runs while the shop is open. Use `run`."""

    def __init__(self, settings: Settings, options: LiveOptions, *, say: Say) -> None:
        self.settings = settings
        self.options = options
        self.say = say
        part = self._part
        self.broker = _Broker(settings, say)
        self.streams = part("streams", lake("streams", "--live"))
        self.screens = part("dashboard", lake("dashboard")) if options.screens else None
        self.shop = part("shop", lake(*options.shop_words()), ends=True)
        self.publish = part("publish", [*BEHIND, *lake("run", "daily")], ends=True)
        self.publish.fails_once = True
        self._next_publish = time.monotonic() + options.publish_every

    def _part(self, name: str, command: list[str], *, ends: bool = False) -> Part:
        return Part(name, command, self.settings, self.say, ends=ends)

    def run(self) -> None:
        """Run until the shop closes.

        Raises:
            CheckFailed: At the end the live figures are not those of gold.
            LakeError: The broker can't be started.
        """
        prepare(self.settings)
        ensure_jars(self.settings)
        try:
            self.say(self.broker.start())
            if self.screens is not None:
                self.say(f"Screens: {address(self.settings)}live-shop  Ctrl-C closes the shop.")
            self._keep(until=lambda: self.shop.has_ended)
            self.say("The shop has closed. What it sent is published now.")
            self._close()
        finally:
            for part in (self.shop, self.publish, self.streams, self.screens):
                if part is not None:
                    part.stop()
            self.broker.stop()

    def _keep(self, *, until: Callable[[], bool], within: float | None = None) -> None:
        """Look after everything until a condition holds. Raises: LakeError when that takes long."""
        deadline = None if within is None else time.monotonic() + within
        while not until():
            if deadline is not None and time.monotonic() > deadline:
                raise LakeError(
                    f"The live shop did not settle within {within:g} s; the logs "
                    f"{self.settings.logs_dir}/live-*.log say why. Nothing is lost."
                )
            self._look()
            time.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        self.broker.look()
        for part in (self.streams, self.screens, self.shop):
            if part is not None:
                part.look()
        if self.publish.is_running:
            self.publish.look()
            if self.publish.has_ended:
                self._next_publish = time.monotonic() + self.options.publish_every
                if not self.shop.has_ended:
                    self.say(f"The next publish is in {_told(self.options.publish_every)}.")
        elif time.monotonic() >= self._next_publish:
            self.publish.has_ended = False
            self.publish.look()

    def _close(self) -> None:
        """Publish all that was sent and hold the live figures against it."""
        told = await_told(self.settings)
        self._keep(until=told, within=_SETTLE_SECONDS)
        self._keep(until=lambda: not self.publish.is_running, within=_SETTLE_SECONDS)
        self.publish.has_ended, self._next_publish = False, 0.0
        self._look()
        self._keep(until=lambda: self.publish.has_ended, within=_SETTLE_SECONDS)
        self.say(agreement(self.settings))


def _told(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"
