"""One `lake` command as a task of a scheduler: its output line by line, its error's own sentence.

In: arguments. Out: how it ended. It runs the project's own program in our environment, so that
nothing of the platform is imported into Airflow's. It needs the standard library and settings only.
"""

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.settings import PROJECT_ROOT, Settings

_GRACE_SECONDS = 20


@dataclass(frozen=True)
class Ended:
    """Exit code of a command, and what it said last on standard error."""

    code: int
    sentence: str

    @property
    def check_failed(self) -> bool:
        """Whether the data are at fault, so that another try would fail as this one did."""
        return self.code == CheckFailed.exit_code


class LakeCommand:
    """A command that can be stopped by another thread or a signal handler."""

    def __init__(self, arguments: Sequence[str]):
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None

    def run(self, on_line: Callable[[str], None]) -> Ended:
        """Run it to its end; each line that it prints goes to `on_line`.

        Raises:
            LakeError: The program of the project is not there.
        """
        errors: list[str] = []
        self._process = subprocess.Popen(
            [program(), *self._arguments],
            cwd=PROJECT_ROOT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

        def take(line: str) -> None:
            errors[:] = [*errors[-9:], line]
            on_line(line)

        assert self._process.stdout and self._process.stderr  # noqa: S101, PT018 - pipes as asked for
        reader = threading.Thread(target=_pass_on, args=(self._process.stderr, take), daemon=True)
        reader.start()
        try:
            _pass_on(self._process.stdout, on_line)
            code = self._process.wait()
            reader.join(_GRACE_SECONDS)
        finally:
            self.stop()
        command = f"lake {' '.join(self._arguments)}"
        return Ended(code, errors[-1] if errors else f"`{command}` ended with exit code {code}.")

    def stop(self) -> None:
        """End it if it still runs: politely, then by force."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
            return
        self._process.kill()
        self._process.wait()


def program() -> str:
    """Full path of `lake`: of this clone's environment, or where that is none, of PATH.

    Raises:
        LakeError: There is none.
    """
    found = shutil.which(PROJECT_ROOT / ".venv" / "bin" / "lake") or shutil.which("lake")
    if found is None:
        raise LakeError(f"There is no `lake` in {PROJECT_ROOT / '.venv'}: run ./lake list once.")
    return found


def _environment() -> dict[str, str]:
    """The environment of a command: without Airflow's, in lines wide enough for a log."""
    return {**Settings().environment(), "COLUMNS": "160", "PYTHONUNBUFFERED": "1"}


def _pass_on(stream: IO[str], on_line: Callable[[str], None]) -> None:
    for line in stream:
        if text := line.rstrip():
            on_line(text)
