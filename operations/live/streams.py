"""The streams that follow their sources in one Spark, each started again when it fails.

In: how each query starts. Out: all of them at work until the process is stopped. A failed one says
why and is started again after a pause that doubles up to half a minute; the others go on meanwhile.
Run standalone: `lake streams --live`.
"""

import contextlib
import functools
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lakehouse.errors import LakeError
from operations.live.pauses import Pauses
from streaming.progress import write_progress

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery

    from lakehouse.settings import Settings

Start = Callable[[], "StreamingQuery"]
Say = Callable[[str], None]
LAKE_TRIGGER = "10 seconds"
"""How often bronze and silver look for news beside the live figures, which go first."""
FURTHER_SLOTS = 2
_LOOK_SECONDS = 0.5


class Stream:
    """One query, its failures and when it is tried again."""

    def __init__(self, name: str, start: Start, say: Say) -> None:
        self.name = name
        self._start = start
        self._say = say
        self.failures = 0
        self.last = {"seconds": 0.0, "records": 0.0}
        self._query: StreamingQuery | None = None
        self._pauses = Pauses()
        self._due = 0.0

    def look(self) -> None:
        """Start it when it is due; note its failure. Raises: LakeError when Spark is gone."""
        from py4j.protocol import Py4JError

        from streaming.queries import query_error

        try:
            if self._query is None:
                if time.monotonic() >= self._due:
                    self._pauses.begin()
                    self._query = self._start()
            elif self._query.isActive:
                self._note(self._query)
            else:
                failure = self._query.exception()
                self._query = None
                self._fail(query_error(self.name, str(failure)))
        except LakeError as error:
            self._fail(error)
        except (Py4JError, OSError) as error:
            raise LakeError(
                f"Spark's Java process ended ({type(error).__name__}), most often for want of "
                "memory: `lake doctor` says what it needs. Nothing is lost."
            ) from error

    def _note(self, query: "StreamingQuery") -> None:
        """Keep the length of its last batch with records."""
        progress = query.lastProgress
        if progress is not None and progress["numInputRows"]:
            seconds = progress["durationMs"].get("triggerExecution", 0) / 1000
            self.last = {"seconds": seconds, "records": progress["numInputRows"]}

    def stop(self) -> None:
        """End the query between two batches."""
        if self._query is not None:
            with contextlib.suppress(Exception):  # it has ended
                self._query.stop()

    def _fail(self, error: LakeError) -> None:
        pause, self.failures = self._pauses.failed(), self.failures + 1
        self._due = time.monotonic() + pause
        self._say(f"{self.name} stopped: {error} It is started again in {pause:g} s.")


def with_room(settings: "Settings") -> "Settings":
    """Settings of a local Spark with more task slots than cores.

    A task of the live figures is short, and would else wait for long ones of bronze and silver.
    """
    if settings.spark_master != "local[*]":
        return settings
    slots = (os.cpu_count() or 1) + FURTHER_SLOTS
    return settings.model_copy(update={"spark_master": f"local[{slots}]"})


def live_starts(settings: "Settings", spark: Callable[[], object]) -> dict[str, Start]:
    """How ingest, refine and the live figures start, the live figures first."""
    from streaming import ingest, live_kpis, live_topic, refine

    starts: dict[str, Callable[..., StreamingQuery]] = {
        live_topic.QUERY: live_kpis.start_live_kpis,
        ingest.QUERY: functools.partial(ingest.start_ingest, follow=True, every=LAKE_TRIGGER),
        refine.QUERY: functools.partial(refine.start_refine, follow=True, every=LAKE_TRIGGER),
    }
    return {
        name: functools.partial(lambda start: start(spark(), settings=settings), start)
        for name, start in starts.items()
    }


def keep_following(starts: Mapping[str, Start], *, settings: "Settings", say: Say) -> None:
    """Keep all queries at work until interrupted. Raises: LakeError when Spark itself is gone."""
    streams = [Stream(name, start, say) for name, start in starts.items()]
    try:
        while True:
            for stream in streams:
                stream.look()
            write_progress(
                {each.name: {**each.last, "failures": each.failures} for each in streams},
                settings=settings,
            )
            time.sleep(_LOOK_SECONDS)
    finally:
        for stream in streams:
            stream.stop()
