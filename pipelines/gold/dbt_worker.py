"""The child process that runs dbt, seen from the parent: started early, killed with its parent.

In: the variables of a build. Out: the answer of `pipelines.gold.dbt_child`, or an error that says
how the child died. Alone: `pipelines.gold.build` uses it.
"""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Any, cast

from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings


class GoldWorker:
    """The child process that runs dbt, parsing from the moment it is made. Use it in a `with`.

    It is in a session of its own, so Ctrl-C reaches it only through us, and it ends when our end of
    its stdin closes, even by SIGKILL.
    """

    def __init__(self, settings: Settings) -> None:
        settings.logs_dir.mkdir(parents=True, exist_ok=True)
        self._log = settings.logs_dir / "gold.log"
        folders = {
            "project": str(PROJECT_ROOT / "dbt_project"),
            "target": str(settings.home / "dbt"),
            "logs": str(settings.logs_dir),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pipelines.gold.dbt_child"],
                cwd=PROJECT_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        self._requests = cast(IO[str], self._process.stdin)
        self._answers = cast(IO[str], self._process.stdout)
        self._parsed = False
        self._send(folders)

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def wait_until_parsed(self) -> None:
        """Wait for the child to be ready for a build.

        Raises:
            LakeError: The project does not parse, or the child process died.
        """
        if not self._parsed:
            answer = self._receive()
            if not answer["parsed"]:
                raise LakeError(f"The dbt project does not parse: {answer['message']}.")
            self._parsed = True

    def build(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Run one build and wait for it; the answer of `pipelines.gold.dbt_child.build`.

        Raises:
            LakeError: The project does not parse, or the child process died.
        """
        try:
            self.wait_until_parsed()
            self._send(variables)
            return self._receive()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the child at once; a build in its private file is worth nothing half done."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()

    def __enter__(self) -> "GoldWorker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            self._requests.write(json.dumps(dict(message)) + "\n")
            self._requests.flush()
        except (OSError, ValueError):
            raise self._died() from None

    def _receive(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            raise self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self) -> LakeError:
        code = self._process.wait()
        how = f"with exit code {code}"
        if code < 0:
            how = f"by {signal.Signals(-code).name}, often for want of memory"
        return LakeError(
            f"The process that builds gold was ended {how}; published gold is unchanged. "
            f"See {self._log} and run the command again."
        )
