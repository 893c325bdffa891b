"""A process that has imported Great Expectations before its verdict is needed.

In: one JSON request a line on standard input (settings, table versions, batch). Out: one JSON
answer a line. It is started early, while streams still run, and ends when its parent closes the
pipe or dies; Ctrl-C in the terminal does not reach it. Alone: `python -m quality.gate.worker`.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from quality.gate.verdicts import GateResult

READY = {"ready": True}


class GateWorker:
    """A warm quality gate in a process of its own; use it as a context manager, from one thread."""

    def __init__(self, settings: Settings) -> None:
        """Start the process and return at once; it imports while the caller goes on."""
        self._settings = settings
        settings.logs_dir.mkdir(parents=True, exist_ok=True)
        self.log = settings.logs_dir / "quality-gate.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "quality.gate.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=Path(__file__).resolve().parent.parent,
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )
        self._is_ready = False

    def __enter__(self) -> "GateWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def judge(self, *, table_versions: Mapping[str, int], since_batch: int | None) -> GateResult:
        """As `quality.gate.judge.judge`, without the wait for the import.

        Raises:
            LakeError: The judgement could not be made, or the process has died.
        """
        if not self._is_ready:
            self._receive()
            self._is_ready = True
        request = {
            "settings": self._settings.model_dump(mode="json"),
            "table_versions": dict(table_versions),
            "since_batch": since_batch,
        }
        try:
            print(json.dumps(request), file=self._stdin, flush=True)
        except OSError:
            raise self._death() from None
        answer = self._receive()
        if "error" in answer:
            raise LakeError(str(answer["error"]))
        return GateResult.from_json(answer)

    def close(self) -> None:
        """End the process and wait for it; closing twice is harmless."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    @property
    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None  # noqa: S101 - opened as a pipe above
        return self._process.stdin

    def _receive(self) -> dict[str, Any]:
        stdout = self._process.stdout
        line = stdout.readline() if stdout is not None else ""
        if not line:
            raise self._death()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _death(self) -> LakeError:
        self.close()
        return LakeError(
            f"The quality gate's process ended with code {self._process.returncode}: see "
            f"{self.log}, and run the command again."
        )


def main() -> None:
    """Serve requests until standard input ends."""
    # Only answers may reach the parent: whatever libraries print goes to the log.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    # Great Expectations loads all of PySpark where it finds it; nothing here needs Spark.
    sys.modules["pyspark"] = None  # type: ignore[assignment]
    from quality.gate.expectations import open_frames
    from quality.gate.judge import judge

    open_frames()
    print(json.dumps(READY), file=answers, flush=True)
    while True:
        request = json.loads(requests.get())
        try:
            result = judge(
                Settings(**request["settings"]),
                table_versions=request["table_versions"],
                since_batch=request["since_batch"],
            )
            answer = result.to_json()
        except LakeError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), file=answers, flush=True)


def _listen(requests: "queue.Queue[str]") -> None:
    """Pass requests on; when the parent is gone, end at once, even amid a judgement."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
