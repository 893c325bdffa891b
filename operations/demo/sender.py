"""The demo's sender: history and shop days in a process of its own, so that ingest runs beside it.

In: a request as JSON on the command line. Out: progress as JSON lines on stdout. It ends when its
parent does. Alone: only `operations.demo.demo` starts it.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings


@dataclass(frozen=True)
class Feed:
    """What to send: an extract (default: the embedded one), quick or whole, and shop days."""

    file: str | None
    encoding: str
    quick: bool
    shop_days: int


class Feeder:
    """The child process; use it in a `with`."""

    def __init__(
        self, feed: Feed, *, settings: Settings, on_line: Callable[[dict[str, Any]], None]
    ):
        self._answer: dict[str, Any] = {}
        self._on_line = on_line
        settings.logs_dir.mkdir(parents=True, exist_ok=True)
        self._log = settings.logs_dir / "feeder.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "operations.demo.sender", json.dumps(vars(feed))],
                cwd=PROJECT_ROOT,
                env=settings.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, name="feeder", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> "Feeder":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def is_running(self) -> bool:
        """Whether it still sends."""
        return self._reader.is_alive()

    def result(self, timeout: float) -> dict[str, Any] | None:
        """What was sent, None while it goes on. Raises: LakeError as the child met it."""
        self._reader.join(timeout)
        if self._reader.is_alive():
            return None
        self._process.wait()
        if "error" in self._answer:
            raise LakeError(str(self._answer["error"]))
        if "sent" not in self._answer:
            raise LakeError(f"The sender ended unexpectedly; {self._log} says why. Run it again.")
        return self._answer

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in self._process.stdout:
            found = json.loads(line)
            if "done" in found:
                self._on_line(found)
            else:
                self._answer |= found


def send(feed: Feed, settings: Settings) -> dict[str, int]:
    """Send the feed; prints progress. Returns the records sent, known from before, refused."""
    from streaming.sources import History, quick_until, send_history, send_shop_days

    total: list[int] = []
    path = Path(feed.file) if feed.file else None
    history = History(file=path, encoding=feed.encoding)
    if feed.quick:
        until: date = quick_until(history.path, encoding=feed.encoding)
        history = History(file=path, encoding=feed.encoding, date_until=until)
    sent = send_history(
        history,
        settings=settings,
        on_total=total.append,
        on_progress=lambda done: _say({"done": done, "total": total[0], "what": "history"}),
    )
    records, skipped, refused = sent.records, sent.skipped, sent.refused
    if feed.shop_days:
        shop = send_shop_days(
            feed.shop_days,
            settings=settings,
            catalog_file=path,
            encoding=feed.encoding,
            on_progress=lambda done: _say({"done": done, "total": None, "what": "web shop"}),
        )
        records, skipped = records + shop.records, skipped + shop.skipped
        refused += shop.refused
    return {"sent": records, "known": skipped, "refused": refused}


def main() -> int:
    """Run one feed; the parent reads the answer."""
    _end_with_parent()
    try:
        _say(send(Feed(**json.loads(sys.argv[1])), Settings()))
    except LakeError as error:
        _say({"error": str(error)})
        return error.exit_code
    return 0


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _end_with_parent() -> None:
    """Our stdin is a pipe that the parent holds: when it closes, nobody waits for us any more."""
    import os

    def watch() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
