"""What each stage of a run took: rows in and out, seconds, CPU; and the run's peak memory.

In: `with run.stage(...)`. Out: stage rows for the terminal, the report and the screens. CPU and
memory are those of the whole process tree, children that have ended included.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil

SAMPLE_SECONDS = 0.5
NEW_HEIGHT = 1.02
"""Resident memory has risen by so much since the peak was last read."""


@dataclass
class Stage:
    """One stage of a run. Rows are Kafka records, table rows or files, as the note says."""

    name: str
    rows_in: int | None = None
    rows_out: int | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    status: str = "running"
    note: str = ""
    _freeze: Callable[[], None] = field(default=lambda: None, repr=False)

    def freeze(self) -> None:
        """Take the time now, where a stage ends before the block that it shares with another."""
        self._freeze()

    def row(self) -> dict[str, object]:
        """As the report keeps it."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}


class TreeMeter:
    """Samples this process and its descendants: CPU seconds in all, peak of memory (PSS)."""

    def __init__(self) -> None:
        self._known: dict[int, float] = {}
        self._peak = self._peak_rss = 0
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="tree-meter", daemon=True)

    def __enter__(self) -> "TreeMeter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    @property
    def peak_pss_bytes(self) -> int:
        return self._peak

    def cpu_seconds(self, only: int | None = None) -> float:
        """CPU of the tree so far, or of one process by its id."""
        self._sample(memory=False)
        with self._lock:
            return sum(self._known.values()) if only is None else self._known.get(only, 0.0)

    def _watch(self) -> None:
        while not self._end.wait(SAMPLE_SECONDS):
            self._sample(memory=True)

    def _sample(self, *, memory: bool) -> None:
        me = psutil.Process()
        tree = (me, *me.children(recursive=True))
        resident = 0
        for process in tree:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                with self._lock:
                    self._known[process.pid] = times.user + times.system
                resident += process.memory_info().rss
        # The kernel walks every page for a PSS, a third of a core here: asked at new heights only.
        if memory and resident > self._peak_rss * NEW_HEIGHT:
            self._peak_rss = resident
            self._peak = max(self._peak, sum(map(_pss, tree)))


def _pss(process: psutil.Process) -> int:
    """Bytes of a process, shared pages in parts; 0 of one that has ended."""
    with contextlib.suppress(psutil.Error):
        return int(getattr(process.memory_full_info(), "pss", process.memory_info().rss))
    return 0


@dataclass
class StageLog:
    """Stages of one run in the order of their start."""

    meter: TreeMeter
    on_change: Callable[[Stage], None] = lambda _: None
    stages: list[Stage] = field(default_factory=list)

    @contextlib.contextmanager
    def stage(self, name: str, *, pid: int | None = None) -> Iterator[Stage]:
        """Time a stage.

        Args:
            name: As shown.
            pid: The one process whose CPU is the stage's; default: the whole tree's.
        """
        entry = Stage(name)
        self.stages.append(entry)
        self.on_change(entry)
        started, cpu = time.monotonic(), self.meter.cpu_seconds(pid)

        def measure() -> None:
            if entry.status == "running":
                entry.seconds = round(time.monotonic() - started, 2)
                entry.cpu_seconds = round(max(0.0, self.meter.cpu_seconds(pid) - cpu), 2)

        is_frozen = False

        def freeze() -> None:
            nonlocal is_frozen
            measure()
            entry.status, is_frozen = "done", True
            self.on_change(entry)

        entry._freeze = freeze
        try:
            yield entry
        except BaseException:
            measure()
            entry.status = "failed"
            raise
        else:
            if entry.status != "running":  # frozen, or skipped
                return
            measure()
            entry.status = "done"
        finally:
            if not is_frozen:
                self.on_change(entry)
