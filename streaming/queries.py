"""How a streaming query of ours runs: once to the end of its source, or following it.

In: a stream and a batch function. Out: a running query, or one clear error when it failed.
"""

import contextlib
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.settings import Settings
from streaming.checkpoints import checkpoint_dir, require_sound, seal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

FOLLOW_TRIGGER = "1 second"
KAFKA_OPTIONS = {"failOnDataLoss": "true", "kafka.fetch.max.wait.ms": "20"}
"""Of every source that is Kafka. After the last record of a batch Spark's consumer asks for more,
and Kafka keeps that request until there is some, at most this long (500 ms by default). The next
batch waits for its answer, one partition after the other."""
_RAISED_IN_A_BATCH = re.compile(
    r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+([\w.]+)(?:: (.*))?$", re.MULTILINE
)
"""The last line of a Python traceback, which Spark passes on among its own."""
WATCH_SECONDS = 0.5


def start_query(
    stream: "DataFrame",
    batch: "Callable[[DataFrame, int], None]",
    *,
    name: str,
    settings: Settings,
    follow: bool,
    every: str = FOLLOW_TRIGGER,
) -> "StreamingQuery":
    """Start `batch` on each micro-batch; `follow` false ends at the source's present end.

    A following query looks for news `every` so often.

    Raises:
        LakeError: A file of the query's checkpoint is missing or damaged.
    """
    require_sound(name, settings=settings)

    def run(rows: "DataFrame", batch_id: int) -> None:
        seal(name, settings=settings)
        batch(rows, batch_id)

    writer = (
        stream.writeStream.queryName(name)
        .option("checkpointLocation", str(checkpoint_dir(name, settings=settings)))
        .foreachBatch(run)
    )
    if follow:
        return writer.trigger(processingTime=every).start()
    return writer.trigger(availableNow=True).start()


def await_end(
    query: "StreamingQuery", *, name: str, watch: Callable[[], None] = lambda: None
) -> None:
    """Wait for a query's end.

    Args:
        query: A started query.
        name: Its name, for the error.
        watch: Called twice a second; raises when waiting has become useless.

    Raises:
        LakeError: The query failed; the message carries Spark's own first line.
    """
    from pyspark.errors import StreamingQueryException

    try:
        while not query.awaitTermination(WATCH_SECONDS):
            watch()
    except StreamingQueryException as error:
        raise query_error(name, str(error)) from error


def await_all_available(
    query: "StreamingQuery", *, name: str, watch: Callable[[], None] = lambda: None
) -> None:
    """Wait until a following query has written what its source holds now. As `await_end`."""
    from pyspark.errors import StreamingQueryException

    waited: Future[None] = Future()

    def wait() -> None:
        try:
            waited.set_result(query.processAllAvailable())
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            waited.set_exception(error)

    threading.Thread(target=wait, daemon=True).start()
    while not waited.done():
        with contextlib.suppress(TimeoutError):
            waited.exception(timeout=WATCH_SECONDS)
        watch()
    try:
        waited.result()
    except StreamingQueryException as error:
        raise query_error(name, str(error)) from error


def query_error(name: str, text: str) -> LakeError:
    """The one-sentence error of a failed query, with what to do about the known causes."""
    if "No space left on device" in text:
        return LakeError(
            f"The query '{name}' stopped because the disk is full. Free some space and run the "
            "command again: it goes on where it stopped."
        )
    kind, said = (_RAISED_IN_A_BATCH.findall(text) or [("", "")])[-1]
    if kind.rpartition(".")[2] in (LakeError.__name__, CheckFailed.__name__):
        return LakeError(said)
    if "Connection to node" in text or "TimeoutException" in text or "UnknownTopic" in text:
        return LakeError(
            f"The query '{name}' lost the Kafka broker. Start it with `lake broker start` and run "
            "the command again: it goes on where it stopped."
        )
    if "OffsetOutOfRange" in text or "data may have been lost" in text or "is changed from" in text:
        return LakeError(
            f"The query '{name}' stopped because Kafka deleted records while it was about to read "
            "them. Run it again: it then names topic, partition and offsets, and the way on."
        )
    if "Checksum error" in text or "log file in the" in text:
        return LakeError(
            f"The checkpoint of the query '{name}' is damaged: {_first_line(text)} Nothing is "
            f"lost: run `lake reset {name}`, which reads on without losing or doubling a record."
        )
    cause = f"{kind}: {said}" if kind else _first_line(text)
    return LakeError(f"The query '{name}' failed: {cause[:400]}")


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if lines else "no message")[:400]
