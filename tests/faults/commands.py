"""Commands of ours as processes of their own group, with faults planted, watched from outside.

In: the words of a `lake` command, settings and faults. Out: a process that can be awaited at a
point, signalled and killed with its JVM; nothing of it outlives the `with` block.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from lakehouse.settings import PROJECT_ROOT, Settings
from tests.faults.launcher import POINTS, Action

PATIENCE_SECONDS = 240.0


@dataclass(frozen=True)
class Fault:
    """What happens at the nth call of a point; `nth` None: at each of its calls."""

    point: str
    action: Action
    nth: int | None = 1


@dataclass(frozen=True)
class Finished:
    """A command that ended. A `code` below zero is the signal that ended it."""

    code: int
    output: str
    seconds: float


class Command:
    """A `lake` command in a process group of its own. Use it in a `with`.

    Several commands share one process and one JVM where `launcher.TOGETHER` stands between their
    words.
    """

    def __init__(
        self,
        *words: str,
        settings: Settings,
        faults: Sequence[Fault] = (),
        before_start: Callable[[], None] | None = None,
    ) -> None:
        unknown = {fault.point for fault in faults} - POINTS.keys()
        assert not unknown, f"no such point: {unknown}"
        folder = settings.home / "faults"
        folder.mkdir(exist_ok=True)
        self._place = folder / f"{len(list(folder.iterdir())):03}"
        self._place.mkdir()
        self._output = self._place / "output.txt"
        plan = {"folder": str(self._place), "faults": [vars(fault) for fault in faults]}
        self.began = time.time()
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.launcher", json.dumps(plan), *words],
                cwd=PROJECT_ROOT,
                env={**settings.environment(), "COLUMNS": "200"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before_start,  # noqa: PLW1509 - only resource limits
            )

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        """What it has printed so far, errors included."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def notes(self, point: str) -> list[float]:
        """Seconds since 1970 of each time a planted point acted."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._place / "notes.jsonl").read_text(encoding="utf-8").splitlines()
            found = (json.loads(line) for line in lines)
            return [line["at"] for line in found if line["point"] == point]
        return []

    def await_that(
        self, is_so: Callable[[], Any], what: str, *, within: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until something is so. Raises: AssertionError when the command ends before."""
        deadline = time.monotonic() + within
        while not is_so():
            ended = self.process.poll()
            assert ended is None, f"ended with {ended} before {what}:\n{self.output()}"
            assert time.monotonic() < deadline, f"no {what} in time:\n{self.output()}"
            time.sleep(0.02)

    def await_point(self, point: str) -> None:
        """Wait until a planted point has acted, at a barrier or by a note."""
        self.await_that(lambda: self.notes(point), point)

    def go_on(self, point: str) -> None:
        """Open the barrier at a point."""
        (self._place / f"{point}.go").touch()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group: the command and its JVM."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def members(self) -> list[psutil.Process]:
        """Live processes of its group, whoever their parent is by now."""
        found = []
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                is_live = each.status() != psutil.STATUS_ZOMBIE
                if is_live and os.getpgid(each.pid) == self.pid:
                    found.append(each)
        return found

    def java(self) -> psutil.Process:
        """Its JVM."""
        (found,) = (each for each in self.members() if each.name() == "java")
        return found

    def kill(self) -> float:
        """SIGKILL the group and wait until nobody of it is left; fine when it has ended.

        Returns: when it was killed, in seconds since 1970.
        """
        self.signal(signal.SIGKILL)
        at = time.time()
        self.process.wait()
        self.await_gone()
        return at

    def await_gone(self) -> None:
        """Wait until nobody of the group is left."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.members():
            assert time.monotonic() < deadline, f"still there: {self.members()}"
            time.sleep(0.02)

    def end(self, *, within: float = PATIENCE_SECONDS) -> Finished:
        """Wait for its end, by itself or by a planted fault."""
        code = self.process.wait(timeout=within)
        seconds = time.time() - self.began
        self.await_gone()
        return Finished(code, self.output(), seconds)


def run(*words: str, settings: Settings, faults: Sequence[Fault] = ()) -> Finished:
    """Run a command to its end."""
    with Command(*words, settings=settings, faults=faults) as command:
        return command.end()


def succeed(*words: str, settings: Settings) -> Finished:
    """Run a command to its end, which must be a good one."""
    done = run(*words, settings=settings)
    assert done.code == 0, done.output
    return done


def catch_up(*queries: str, settings: Settings) -> None:
    """Run queries once, in batches of the usual size, whatever small ones have left undone."""
    sizes = ("ingest_max_records", "refine_max_bytes")
    usual = {name: Settings.model_fields[name].default for name in sizes}
    for query in queries:
        succeed(query, "--once", settings=settings.model_copy(update=usual))


@contextlib.contextmanager
def all_of(commands: Sequence[Command]) -> Iterator[Sequence[Command]]:
    """Several commands at once, all ended at the end."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(each) for each in commands]
