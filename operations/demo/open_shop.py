"""The open shop: one more simulated day at a time through the whole pipeline.

In: a context whose demo has run. Out: per day new orders, new gold, and the open screens follow.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from lakehouse.stages import StageLog
from operations import steps
from operations.context import Context
from operations.demo.demo import DemoOptions
from operations.report import build_report, new_run_id, write_report
from pipelines.publishing.publish import PublishOutcome
from streaming.sources import send_shop_days, shop_days_sent

PAUSE_SECONDS = 15.0


def keep_open(context: Context, options: DemoOptions, *, on_day: Callable[[str], None]) -> None:
    """Play the next days until interrupted; without the web source only the screens stay up."""
    waiting = threading.Event()
    while not waiting.wait(PAUSE_SECONDS):
        if "web" in options.sources:
            on_day(play_next_day(context, options))


def play_next_day(context: Context, options: DemoOptions) -> str:
    """One day: produce, ingest, refine, publish, report; returns one sentence about it."""
    settings = context.settings
    started, began = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    context.log = StageLog(context.log.meter)
    context.outcome = PublishOutcome(new_run_id())
    failure: Exception | None = None
    day = shop_days_sent(settings) + 1
    try:
        with context.log.stage("produce") as stage:
            sent = send_shop_days(
                day, settings=settings, catalog_file=options.file, reading=options.reading
            )
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
