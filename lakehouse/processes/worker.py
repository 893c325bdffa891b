"""A child process of ours that warms up while we go on, and then serves requests one by one.

In: a module of ours and requests as JSON. Out: its answers, its news on the way, its errors with
their type. It ends with us, however we end, and Ctrl-C in the terminal reaches it only through us.
In the child a module calls `serve`; both halves speak one JSON object a line.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any, Self, cast

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.processes.java_output import lines_after
from lakehouse.settings import PROJECT_ROOT, Settings, forget_foreign

Json = Any
Tell = Callable[[Json], None]
Answer = Callable[[Json], Json]


class Worker:
    """The child process, seen from the parent. Use it in a `with`, from one thread."""

    def __init__(
        self,
        program: str,
        *,
        task: str,
        settings: Settings,
        log_name: str,
        on_news: Tell = lambda _: None,
    ) -> None:
        """Start the process and return at once.

        Args:
            program: The module to run; it calls `serve`.
            task: What the process does, for a message: "The process that <task> ended ...".
            settings: Its settings, and where its log goes.
            log_name: Name of the log in the folder of logs; begun again at each start.
            on_news: Called in a thread of its own with what the child says before it answers.
        """
        settings.logs_dir.mkdir(parents=True, exist_ok=True)
        self.log = settings.logs_dir / log_name
        self._task = task
        self._on_news = on_news
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", program],
                cwd=PROJECT_ROOT,
                env=settings.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        self._requests = cast(IO[str], self._process.stdin)
        self._heard = threading.Event()
        self._is_ready = False
        self._answers: queue.Queue[dict[str, Json] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name=program, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, request: Json) -> None:
        """Hand over a request; `answer` gives what comes of it."""
        with contextlib.suppress(OSError, ValueError):  # it has ended: `answer` says how
            print(json.dumps(request), file=self._requests, flush=True)

    def answer(self, *, within: float | None = None) -> Json:
        """The answer to the oldest request without one; None when there is none `within` seconds.

        Raises:
            LakeError: As the child raised it, or the child has ended.
        """
        try:
            message = self._answers.get(timeout=within)
        except queue.Empty:
            return None
        if message is None:
            self._answers.put(None)
            raise self._ended()
        if "error" in message:
            kind = CheckFailed if message["exit_code"] == CheckFailed.exit_code else LakeError
            raise kind(message["error"])
        return message["answer"]

    def ask(self, request: Json) -> Json:
        """Hand over a request and wait for its answer. Raises: as `answer`."""
        self.send(request)
        return self.answer()

    def await_ready(self) -> None:
        """Wait until the child is warm. Raises: LakeError when it can't be."""
        self._heard.wait()
        if not self._is_ready:
            self.answer()

    def close(self) -> None:
        """End the child at once and wait for it; closing twice is harmless."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._requests, self._process.stdout):
            with contextlib.suppress(OSError):
                cast(IO[str], pipe).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        for line in cast(IO[str], self._process.stdout):
            message = json.loads(line)
            if "news" in message:
                self._on_news(message["news"])
                continue
            if "ready" in message:
                self._is_ready = True
            else:
                self._answers.put(message)
            self._heard.set()
        self._answers.put(None)
        self._heard.set()

    def _ended(self) -> LakeError:
        code = self._process.wait()
        said = [line.strip() for line in lines_after(self.log) if line.strip()]
        how = f"with exit code {code}" + (f": {said[-1].rstrip('.')}" if said else "")
        if code < 0:
            how = f"by {signal.Signals(-code).name}, often for want of memory"
        return LakeError(
            f"The process that {self._task} was ended {how}; published gold is unchanged. "
            f"See {self.log} and run the command again."
        )


def serve(prepare: Callable[[Tell], Answer]) -> None:
    """In the child: warm up, then answer requests until the parent is gone.

    Args:
        prepare: Imports what takes long; gives the function that answers a request. A `LakeError`
            of either goes to the parent, and what they print to the log. It gets a function that
            hands news to the parent.
    """
    forget_foreign()
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = os.fdopen(sys.stdout.fileno(), "w", buffering=1, encoding="utf-8", closefd=False)
    requests: queue.Queue[Json] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()

    def say(**message: Json) -> None:
        try:
            print(json.dumps(message), file=channel, flush=True)
        except BrokenPipeError:  # the parent is gone
            os._exit(0)

    answer = None
    while True:
        try:
            if answer is None:
                answer = prepare(lambda news: say(news=news))
                say(ready=True)
            else:
                say(answer=answer(requests.get()))
        except LakeError as error:
            say(error=str(error), exit_code=error.exit_code)
            if answer is None:
                return


def _listen(requests: "queue.Queue[Json]") -> None:
    """Pass requests on; when the parent is gone, end at once, even in the middle of one."""
    for line in sys.stdin:
        requests.put(json.loads(line))
    os._exit(0)
