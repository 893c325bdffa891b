"""What is measured: a live shop that runs already, or one that is opened for the measurement.

In: a rate and a duration. Out: the live shop, its figures moving, and what its processes cost.
"""

import contextlib
import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psutil

from lakehouse.errors import LakeError
from lakehouse.http import DIRECT
from lakehouse.processes.programs import is_free, listener, run_tied
from lakehouse.settings import PROJECT_ROOT, Settings, address
from operations.live.parts import lake

START_SECONDS = 240.0
_LOOK_SECONDS = 0.5
_NO_PUBLISH = 3600.0


@dataclass(frozen=True)
class Subject:
    """The live shop under measurement; `root` is the process whose tree it is, where known."""

    settings: Settings
    root: psutil.Process | None

    def cost(self) -> tuple[float, int]:
        """CPU seconds so far and memory (PSS, bytes) of the whole tree."""
        cpu, memory = 0.0, 0
        if self.root is not None:
            with contextlib.suppress(psutil.Error):
                for process in (self.root, *self.root.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        times = process.cpu_times()
                        cpu += times.user + times.system
                        memory += getattr(process.memory_full_info(), "pss", 0)
        return cpu, memory


@contextlib.contextmanager
def live_shop(settings: Settings, *, rate: float, publish_every: float | None) -> Iterator[Subject]:
    """A live shop whose figures move, without a publish meanwhile where `publish_every` is None.

    Raises: LakeError when they don't in time.
    """
    if not is_free(settings.dashboard_port):
        yield Subject(settings, _root(settings))
        return
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    log = settings.logs_dir / "bench.log"
    every = _NO_PUBLISH if publish_every is None else publish_every
    words = ["live", "--rate", f"{rate:g}", "--publish-every", f"{every:g}s"]
    tied = run_tied(
        lake(*words), folder=PROJECT_ROOT, output=log, environment=settings.environment()
    )
    try:
        await_figures(settings, deadline=time.monotonic() + START_SECONDS, log=str(log))
        yield Subject(settings, psutil.Process(tied.pid))
    finally:
        tied.close()


def _root(settings: Settings) -> psutil.Process | None:
    """The first of the processes that the dashboard descends from which is a command of ours."""
    found = listener(settings.dashboard_port)
    if found is None:
        return None
    parents = [each for each in found.parents() if "live" in each.cmdline()]
    return parents[-1] if parents else found


def await_figures(settings: Settings, *, deadline: float, log: str) -> None:
    """Wait until `/readyz` tells a second time of the shop: then its figures move."""
    seen: set[str] = set()
    while len(seen) < 2:
        if time.monotonic() > deadline:
            raise LakeError(
                f"The live shop told nothing within {START_SECONDS:g} s; {log} says why."
            )
        with contextlib.suppress(OSError, ValueError):
            answer = _answer(f"{address(settings)}readyz")
            if answer["live"]["at"]:
                seen.add(answer["live"]["at"])
        time.sleep(_LOOK_SECONDS)


def _answer(url: str) -> Any:
    from urllib.error import HTTPError

    try:
        with DIRECT.open(url, timeout=5) as found:
            return json.load(found)
    except HTTPError as error:  # not ready, which is an answer too
        return json.load(error)


def percentiles(seconds: Sequence[float]) -> dict[str, float | None]:
    """p50, p95 and p99 of durations, nearest rank; none without any."""
    ordered = sorted(seconds)
    return {
        f"p{part}_seconds": round(ordered[-(-len(ordered) * part // 100) - 1], 4)
        if ordered
        else None
        for part in (50, 95, 99)
    }


def machine() -> dict[str, Any]:
    """Where and when: what a figure is worth nothing without."""
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
