"""bronze.events -> silver.* and silver.quarantine as a stream.

In: new bronze rows. Out: per batch the refined rows under one app transaction. Run standalone:
`lake refine --once`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.tables import Transaction, read_stream
from pipelines.silver.known import last_refined_batch
from pipelines.silver.refine import refine_records
from pipelines.silver.routing import BatchOutcome
from streaming.checkpoints import app_id, require_present, start_file
from streaming.queries import FOLLOW_TRIGGER, start_query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

QUERY = "refine"
BATCH = "refine-batch"
"""Lock that each batch holds: whoever else has it meets silver between two of them."""
_PIN_SECONDS = 60.0


def start_refine(
    spark: "SparkSession",
    *,
    settings: Settings,
    follow: bool,
    on_batch: Callable[[BatchOutcome], None] | None = None,
    every: str = FOLLOW_TRIGGER,
) -> "StreamingQuery":
    """Start the refine query; its checkpoint decides where it goes on.

    Args:
        spark: The session.
        settings: Where the state lies.
        follow: Go on until stopped, else stop at bronze's present end.
        on_batch: Called with each batch's outcome, for progress.
        every: How often it looks for news while it follows.

    Raises:
        LakeError: The checkpoint is gone while silver has rows, or damaged.
    """
    stream = read_stream(
        spark, BRONZE_EVENTS, settings=settings, max_bytes=settings.refine_max_bytes
    )
    last_number = last_refined_batch(settings)
    if last_number:
        require_present(QUERY, layer="silver", settings=settings)

    def refine(batch: "DataFrame", batch_id: int) -> None:
        nonlocal last_number
        last_number += 1
        with hold(BATCH, settings=settings, wait_seconds=_PIN_SECONDS):
            outcome = refine_records(
                batch,
                settings=settings,
                transaction=Transaction(app_id(QUERY, settings=settings), batch_id),
                refined_batch=last_number,
                metadata={"query": QUERY, "batch_id": batch_id, "refined_batch": last_number},
            )
        start_file(QUERY, settings=settings).unlink(missing_ok=True)  # a reset's, and used up
        if on_batch is not None:
            on_batch(outcome)

    return start_query(stream, refine, name=QUERY, settings=settings, follow=follow, every=every)
