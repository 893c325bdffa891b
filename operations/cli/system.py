"""`lake doctor`, `status`, `lag`, `dashboard`, `reset`: the machine and the state."""

from typing import Annotated

import typer

from lakehouse.settings import Settings
from operations.cli import app


@app.command("doctor")
def doctor() -> None:
    """What is missing on this machine, each with the fix."""
    from rich.console import Console

    from operations.doctor import diagnose, render

    findings = diagnose(Settings())
    Console().print(render(findings))
    if not all(finding.ok or finding.optional for finding in findings):
        raise typer.Exit(2)


@app.command("status")
def status() -> None:
    """What runs, versions, row counts, last publish, lag."""
    from rich.console import Console

    from operations.status import describe

    Console().print(describe(Settings()), highlight=False, markup=False)


@app.command("lag")
def lag() -> None:
    """Fail when too much waits in Kafka, or gold is too far behind the lake; for schedulers."""
    from operations.lag import require_fresh

    print(require_fresh(Settings()))


@app.command("dashboard")
def dashboard() -> None:
    """Serve the screens of the gold in service until Ctrl-C."""
    from dashboards.app import serve
    from lakehouse.settings import address

    settings = Settings()
    print(f"Cartlake: {address(settings)} (Ctrl-C stops it)", flush=True)
    serve(settings)


@app.command("reset")
def reset(
    query: Annotated[str, typer.Argument(help="ingest or refine")],
    accept_loss: Annotated[
        str | None,
        typer.Option(
            help="Why records that Kafka lost before ingest read them are given up; "
            "kept in the ledger."
        ),
    ] = None,
) -> None:
    """Give a query a new checkpoint; nothing is lost or doubled.

    Example: lake reset ingest --accept-loss "the broker's disk died on 3 May"
    """
    from operations.recovery.reset import reset_query

    print(reset_query(query, settings=Settings(), accept_loss=accept_loss))
