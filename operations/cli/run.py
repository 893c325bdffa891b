"""`lake ingest`, `refine`, `run`, `job`, `list`: the registry's jobs and the streams."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings, address
from operations.cli import app
from operations.cli.produce import seconds_of
from operations.jobs import in_order, job, scheduled

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery


@app.command("list")
def list_jobs() -> None:
    """The jobs, each with those before it."""
    for each in in_order():
        after = f"  after {', '.join(each.after)}" if each.after else ""
        print(f"{each.name:<13} {each.schedule:<7} {each.description}{after}")


@app.command("run")
def run(
    name: Annotated[str, typer.Argument(help="daily, weekly or alerts")],
    every: Annotated[
        str | None, typer.Option(help="Again after a pause such as 90s, 10m or 2h, until Ctrl-C.")
    ] = None,
) -> None:
    """Run all jobs of a schedule in order. Example: lake run daily"""
    names, command = [each.name for each in scheduled(name)], f"lake run {name}"
    if every is None:
        run_and_show(names, command=command)
        return
    pause = seconds_of(every, option="--every")
    while True:
        try:
            run_and_show(names, command=command)
        except LakeError as error:
            typer.secho(str(error), fg="red", err=True)
        print(f"Screens: {address(Settings())}  The next run begins in {every}.", flush=True)
        time.sleep(pause)


@app.command("job")
def run_job(name: Annotated[str, typer.Argument(help="A name of `lake list`.")]) -> None:
    """Run one job."""
    job(name)
    run_and_show([name], command=f"lake job {name}")


@app.command("ingest")
def ingest(
    once: Annotated[
        bool, typer.Option("--once/--follow", help="To the present end, or go on.")
    ] = True,
) -> None:
    """Kafka to bronze."""
    if once:
        run_and_show(["ingest"], command="lake ingest --once")
        return
    from streaming.broker import require_running
    from streaming.ingest import QUERY, start_ingest

    require_running(Settings())
    _follow({QUERY: start_ingest})


@app.command("refine")
def refine(
    once: Annotated[
        bool, typer.Option("--once/--follow", help="To bronze's present end, or go on.")
    ] = True,
) -> None:
    """bronze to silver and quarantine."""
    if once:
        run_and_show(["refine"], command="lake refine --once")
        return
    from streaming.refine import QUERY, start_refine

    _follow({QUERY: start_refine})


@app.command("streams")
def streams(
    live: Annotated[
        bool,
        typer.Option("--live", help="The live figures too; a query that fails is started again."),
    ] = False,
) -> None:
    """All streams in one Spark, from Kafka to silver, until Ctrl-C; jobs then wait for them."""
    from lakehouse.locks import hold
    from operations.following import STREAMS
    from streaming import ingest, refine
    from streaming.broker import require_running

    settings = Settings()
    require_running(settings)
    with hold(STREAMS, settings=settings, wait_seconds=5.0):
        if live:
            _keep_following()
        else:
            _follow({ingest.QUERY: ingest.start_ingest, refine.QUERY: refine.start_refine})


def _keep_following() -> None:
    from lakehouse.locks import hold
    from lakehouse.processes.ending import end_in_order
    from lakehouse.stages import StageLog, TreeMeter
    from operations.context import open_context
    from operations.live.streams import keep_following, live_starts, with_room
    from operations.report import new_run_id

    end_in_order()
    settings = with_room(Settings())
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(
            open_context(settings, log=StageLog(TreeMeter()), run_id=new_run_id())
        )
        starts = live_starts(settings, context.spark)
        for name in starts:
            stack.enter_context(hold(f"query-{name}", settings=settings, wait_seconds=5.0))
        context.spark()
        print(f"{', '.join(starts)} follow their sources; Ctrl-C stops them.", flush=True)
        keep_following(starts, settings=settings, say=lambda text: print(text, flush=True))


def _follow(starts: "Mapping[str, Callable[..., StreamingQuery]]") -> None:
    from lakehouse.locks import hold
    from lakehouse.stages import StageLog, TreeMeter
    from operations.context import open_context
    from operations.report import new_run_id
    from streaming.queries import await_end, query_error

    settings = Settings()
    running: dict[str, StreamingQuery] = {}

    def watch() -> None:
        for name, query in running.items():
            if (failure := query.exception()) is not None:
                raise query_error(name, str(failure))

    with contextlib.ExitStack() as stack:
        meter = stack.enter_context(TreeMeter())
        for name in starts:
            stack.enter_context(hold(f"query-{name}", settings=settings))
        context = stack.enter_context(
            open_context(settings, log=StageLog(meter), run_id=new_run_id())
        )
        for name, start in starts.items():
            running[name] = start(context.spark(), settings=settings, follow=True)
            stack.callback(running[name].stop)
        names = " and ".join(running)
        verb, what = ("follow", "their sources") if len(running) > 1 else ("follows", "its source")
        print(f"{names} {verb} {what}; Ctrl-C stops between two batches.", flush=True)
        first, query = next(iter(running.items()))
        await_end(query, name=first, watch=watch)


def run_and_show(names: list[str], *, command: str, options: dict[str, str] | None = None) -> None:
    """Run jobs in this order, with their stages and their summary on the terminal."""
    from operations.cli.display import show_summary, stage_display
    from operations.run import run_aside, run_jobs

    settings = Settings()
    if all(job(name).is_aside for name in names):
        with stage_display() as on_change:
            run_aside(names, settings=settings, on_change=on_change)
        return
    if "ingest" in names:
        _warn_of_retention(settings)
    with stage_display() as on_change:
        report = run_jobs(
            names, settings=settings, command=command, options=options or {}, on_change=on_change
        )
    show_summary(report, is_full="publish" in names)


def _warn_of_retention(settings: Settings) -> None:
    """Say which records Kafka may delete before they are read; the run itself goes on."""
    from streaming import retention

    for text in retention.warnings(settings):
        typer.secho(f"Warning: {text}.", fg="yellow", err=True)
