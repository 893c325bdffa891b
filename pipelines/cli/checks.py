"""`lake audit`: the reconciliation equations over the state in service."""

import typer

from lakehouse.settings import Settings
from pipelines.cli import app


@app.command("audit")
def audit(
    full: bool = typer.Option(False, "--full", help="Read every live data file again."),
) -> None:
    """R1-R8: nothing lost, nothing doubled, not a penny off. Exit code 1 when one fails."""
    from pipelines.auditing import audit_service
    from pipelines.cli.display import show_equations

    equations = audit_service(Settings(), full=full)
    show_equations([each.row() for each in equations])
    if not all(each.holds for each in equations):
        raise typer.Exit(1)
