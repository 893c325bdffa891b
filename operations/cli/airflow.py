"""`lake airflow`: the scheduler on this machine, its DAGs checked, one of them run."""

from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.cli import app

if TYPE_CHECKING:
    from operations.airflow.runs import Change

airflow_app = typer.Typer(
    no_args_is_help=True, help="Airflow on this machine; installed when first used."
)
app.add_typer(airflow_app, name="airflow")


@airflow_app.command("start")
def start_airflow() -> None:
    """Start Airflow; it outlives this shell. Its password is shown this one time."""
    from operations.airflow.embedded import start

    found = start(Settings(), say=_say)
    print(f"Airflow: {found.address} (pid {found.pid})")


@airflow_app.command("stop")
def stop_airflow() -> None:
    """Stop the Airflow of this state folder, and the tasks that it runs."""
    from operations.airflow.embedded import stop

    pid = stop(Settings())
    print(f"Stopped Airflow (pid {pid})." if pid else "No Airflow was running.")


@airflow_app.command("check")
def check_dags() -> None:
    """Parse all DAGs as Airflow does; exit code 1 when one has an error."""
    from operations.airflow.runs import check

    found = check(Settings(), say=_say)
    for name, tasks in sorted(found.dags.items()):
        print(f"{name:<22} {len(tasks)} tasks: {', '.join(tasks)}")
    for name, error in sorted(found.errors.items()):
        typer.secho(f"{name}: {error}", fg="red", err=True)
    count, errors = len(found.dags), len(found.errors)
    print(f"{count} DAGs in {found.seconds:.1f} s, {errors} errors")
    if errors or not count:
        raise typer.Exit(1)


@airflow_app.command("run")
def run_dag(
    name: Annotated[str, typer.Argument(help="A DAG of `lake airflow check`.")],
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter, such as from=2011-01-01.")
    ] = None,
) -> None:
    """Run a DAG once, now, to its end.

    Example: lake airflow run shop_backfill --set from=2011-01-01 --set to=2011-01-31
    """
    from operations.airflow.runs import run

    pairs = [each.partition("=") for each in values or []]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise LakeError(f"--set {wrong[0]} gives no value: write --set {wrong[0]}=VALUE.")
    chosen = {key: value for key, _, value in pairs}
    run_id = run(Settings(), name, values=chosen, say=_say, on_change=_Progress())
    print(f"{name} is done, run {run_id}.")


@airflow_app.command("serve")
def serve_program(
    program: Annotated[str, typer.Argument(help="prepare, api-server, scheduler or dag-processor")],
) -> None:
    """Be one program of Airflow until stopped; containers run this."""
    from operations.airflow.services import serve

    serve(Settings(), program, say=_say)


class _Progress:
    """Prints each task as it begins and ends, with its seconds."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def __call__(self, change: "Change") -> None:
        import time

        if change.state == "running":
            self._began[change.task] = time.monotonic()
            print(f"· {change.task} ...", flush=True)
            return
        mark = {"success": "✓", "failed": "✗"}.get(change.state, "·")
        seconds = time.monotonic() - self._began.get(change.task, time.monotonic())
        print(f"{mark} {change.task} {change.state} {seconds:.1f} s", flush=True)


def _say(text: str) -> None:
    typer.secho(text, err=True)
