"""One run from start to report: opens the context, does the work, writes what happened.

In: what to do. Out: the report, written whether it ended well or not.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.stages import Stage, StageLog, TreeMeter
from operations.context import Context, open_context
from operations.jobs import job
from operations.recovery.resume import finish_cut_short
from operations.report import build_report, new_run_id, write_report


def run_jobs(
    names: list[str],
    *,
    settings: Settings,
    command: str,
    options: Mapping[str, str],
    on_change: Callable[[Stage], None],
) -> dict[str, Any]:
    """Run jobs of the registry one after the other in one context; returns the report."""

    def work(context: Context) -> None:
        context.options.update(options)
        if "publish" in names[1:]:
            context.workers()  # they start beside the jobs before
        for name in names:
            job(name).function()(context)

    return reported(work, settings=settings, command=command, on_change=on_change)


def run_aside(names: list[str], *, settings: Settings, on_change: Callable[[Stage], None]) -> None:
    """Run jobs that change nothing of the pipeline: beside a run under way, without a report."""
    with (
        TreeMeter() as meter,
        open_context(settings, log=StageLog(meter, on_change), run_id=new_run_id()) as context,
    ):
        for name in names:
            job(name).function()(context)


def reported(
    work: Callable[[Context], None],
    *,
    settings: Settings,
    command: str,
    on_change: Callable[[Stage], None] = lambda _: None,
    then: Callable[[Context, dict[str, Any]], None] = lambda _, __: None,
    finishes_first: bool = True,
) -> dict[str, Any]:
    """Do `work` as one run under the run lock and write its report; `then` still has its context.

    A backfill or repair that a crash cut short is finished before, unless `finishes_first` is off.

    Raises:
        LakeError: Another run is under way, or the work failed; the report is written all the same.
    """
    started, began = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    with TreeMeter() as meter:
        log = StageLog(meter, on_change)
        with (
            hold("run", settings=settings),
            open_context(settings, log=log, run_id=new_run_id()) as context,
        ):

            def report(failure: BaseException | None) -> dict[str, Any]:
                found = build_report(
                    context,
                    command=command,
                    started_at=began,
                    failure=failure,
                    wall_seconds=time.monotonic() - started,
                )
                return write_report(found, settings=settings)

            try:
                if finishes_first:
                    finish_cut_short(context)
                work(context)
            except Exception as error:
                with contextlib.suppress(OSError):
                    report(error)
                raise
            found = report(None)
            then(context, found)
            return found
