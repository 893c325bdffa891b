"""The open shop: one more simulated day at a time through the whole pipeline.

In: a context whose demo has run. Out: per day new orders, new gold, and the open screens follow.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from lakehouse.stages import StageLog
from operations import steps
from operations.context import Context
from operations.report import build_report, new_run_id, write_report
from pipelines.publishing.publish import PublishOutcome
from storefront.erp.extract import Reading
from streaming.web_shop import send_shop_days, shop_days_sent

PAUSE_SECONDS = 15.0


def play_on(
    context: Context, file: Path | None, reading: Reading, *, on_day: Callable[[str], None]
) -> None:
    """Play one day after the other until interrupted, each after a pause."""
    while True:
        time.sleep(PAUSE_SECONDS)
        on_day(play_next_day(context, file, reading))


def play_next_day(context: Context, file: Path | None, reading: Reading) -> str:
    """One day: produce, ingest, refine, publish, report; returns one sentence about it."""
    settings = context.settings
    started, began = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    context.log = StageLog(context.log.meter)
    context.outcome = PublishOutcome(new_run_id())
    failure: Exception | None = None
    day = shop_days_sent(settings) + 1
    try:
        with context.log.stage("produce") as stage:
            sent = send_shop_days(day, settings=settings, catalog_file=file, reading=reading)
            stage.rows_out = sent.records
        steps.ingest(context)
        steps.refine(context)
        steps.publish(context)
    except Exception as error:
        failure = error
        raise
    finally:
        report = build_report(
            context,
            command="lake demo (open shop)",
            started_at=began,
            failure=failure,
            wall_seconds=time.monotonic() - started,
        )
        write_report(report, settings=settings)
    seconds = time.monotonic() - started
    equations = len(context.outcome.equations)
    return (
        f"Day {day} of the web shop: {sent.records:,} records on the screens after "
        f"{seconds:.0f} s, all {equations} equations hold."
    )
