"""`lake quarantine`: refused records, by reason and one by one."""

from typing import Annotated

import typer

from lakehouse.contracts import REASONS
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from operations.cli import app

quarantine_app = typer.Typer(no_args_is_help=True, help="Refused records: list, show, replay.")
app.add_typer(quarantine_app, name="quarantine")


@quarantine_app.command("list")
def list_reasons() -> None:
    """Refused records by reason, with meaning and remedy."""
    from rich.console import Console
    from rich.table import Table

    from operations.report import quarantine_by_reason

    found = quarantine_by_reason(Settings())
    if not found:
        print("The quarantine is empty.")
        return
    known = {reason.code: reason for reason in REASONS}
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Reason", no_wrap=True)
    table.add_column("Records", justify="right", no_wrap=True)
    table.add_column("Meaning")
    table.add_column("Remedy")
    for row in found:
        reason = known[row["reason"]]
        table.add_row(reason.code, counted(row["records"]), reason.meaning, reason.remedy)
    table.add_row("total", counted(sum(row["records"] for row in found)), "", "")
    Console().print(table)


@quarantine_app.command("show")
def show(
    reason: Annotated[str, typer.Option(help="A reason of the list.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many records.")] = 20,
) -> None:
    """Refused records one by one, with their raw text."""
    from operations.recovery.quarantine import refused_records

    _require_known(reason)
    for record in refused_records(Settings(), reason=reason or None, limit=limit):
        typer.echo(record)


@quarantine_app.command("replay")
def replay(
    reason: Annotated[str, typer.Option(help="Only records refused for this reason.")] = "",
) -> None:
    """Refine refused records again, after a rule or contract was fixed; twice equals once."""
    from operations.cli.display import stage_display
    from operations.recover import replay_refused

    _require_known(reason)
    with stage_display() as on_change:
        taken, left = replay_refused(Settings(), reason=reason or None, on_change=on_change)
    print(
        f"{counted(taken)} records are accepted now, {counted(left)} stay refused. "
        "Publish: `lake run daily`."
    )


def _require_known(reason: str) -> None:
    if reason and reason not in {each.code for each in REASONS}:
        known = ", ".join(each.code for each in REASONS)
        raise LakeError(f"There is no reason '{reason}'. Reasons: {known}.")
