"""`lake audit`, `lake restatements`: is every figure right, and which were changed later."""

from typing import Annotated

import typer

from lakehouse.settings import Settings
from operations.cli import app


@app.command("audit")
def audit(
    full: Annotated[bool, typer.Option("--full", help="Read Delta's own checkpoints too.")] = False,
) -> None:
    """R1-R8: nothing lost, nothing doubled, not a cent off. Exit code 1 when one fails."""
    from operations.audit import audit_service
    from operations.cli.display import show_equations

    equations = audit_service(Settings(), full=full)
    show_equations([each.row() for each in equations])
    if not all(each.holds for each in equations):
        raise typer.Exit(1)


@app.command("restatements")
def restatements(
    run: Annotated[str | None, typer.Option(help="Only those of this run.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 100,
) -> None:
    """Published KPIs that late records changed: day, KPI, value before and after, run.

    Example: lake restatements --limit 20
    """
    from operations.cli.display import show_restatements
    from pipelines.publishing.restatements import of_published_runs

    found = of_published_runs(Settings())
    chosen = [each for each in found if run in (None, each.run_id)]
    show_restatements([each.row() for each in chosen[-limit:]], total=len(chosen))
