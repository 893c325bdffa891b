"""`lake ingest`, `refine`, `run`, `job`, `list`: the registry's jobs and the streams."""

from typing import Annotated

import typer

from lakehouse.settings import Settings
from operations.cli import app
from operations.jobs import in_order, job, scheduled


@app.command("list")
def list_jobs() -> None:
    """The jobs, each with those before it."""
    for each in in_order():
        after = f"  after {', '.join(each.after)}" if each.after else ""
        print(f"{each.name:<10} {each.schedule:<7} {each.description}{after}")


@app.command("run")
def run(name: Annotated[str, typer.Argument(help="daily or weekly")]) -> None:
    """Run all jobs of a schedule in order. Example: lake run daily"""
    run_and_show([each.name for each in scheduled(name)], command=f"lake run {name}")


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
    _follow(QUERY, start_ingest)


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

    _follow(QUERY, start_refine)


def _follow(name: str, start: object) -> None:
    from lakehouse.locks import hold
    from lakehouse.stages import StageLog, TreeMeter
    from operations.context import open_context
    from operations.report import new_run_id
    from streaming.queries import await_end

    assert callable(start)  # noqa: S101 - the two callers above
    settings = Settings()
    with (
        TreeMeter() as meter,
        hold(f"query-{name}", settings=settings),
        open_context(settings, log=StageLog(meter), run_id=new_run_id()) as context,
    ):
        query = start(context.spark(), settings=settings, follow=True)
        print(f"{name} follows its source; Ctrl-C stops it between two batches.")
        try:
            await_end(query, name=name)
        finally:
            query.stop()


def run_and_show(names: list[str], *, command: str, options: dict[str, str] | None = None) -> None:
    """Run jobs in this order, with their stages and their summary on the terminal."""
    from operations.cli.display import show_summary, stage_display
    from operations.run import run_jobs

    settings = Settings()
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
