"""`lake publish`: the lake's state into service; the versions kept, and back to one of them."""

from typing import Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.shop_format import number
from operations.cli import app
from operations.cli.run import run_and_show

publish_app = typer.Typer(invoke_without_command=True)
app.add_typer(publish_app, name="publish")


@publish_app.callback()
def publish(
    context: typer.Context,
    accept: Annotated[str | None, typer.Option(help="Run that a refusal spike blocked.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why it is accepted; kept in the ledger.")
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option(help="Build all of gold, not only what changed.")
    ] = False,
) -> None:
    """Judge silver, build and audit gold, bring it into service.

    Examples: lake publish, lake publish --full-refresh, lake publish list
    """
    if context.invoked_subcommand is not None:
        if accept is not None or reason is not None or full_refresh:
            raise LakeError(
                f"Put the options after the command: `lake publish {context.invoked_subcommand}`."
            )
        return
    if (accept is None) != (reason is None):
        raise LakeError("Use --accept RUN and --reason together, or neither.")
    options = {"full_refresh": "yes"} if full_refresh else {}
    if accept is not None and reason is not None:
        from quality.gate.refusal_spike import accept_run

        accept_run(accept, reason=reason, settings=Settings())
        options["accept_reason"] = reason
    run_and_show(["publish"], command="lake publish", options=options)


@publish_app.command("list")
def list_versions() -> None:
    """The versions that are kept, newest first, and which one is in service.

    Example: lake publish list
    """
    from rich.table import Table

    from operations.cli.display import wide_console
    from pipelines.publishing.rollback import kept

    found = kept(Settings())
    if not found:
        print("Nothing has been published yet: run ./lake demo.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("Run", "Published", "MB", "State", "Reason"):
        table.add_column(name, justify="right" if name == "MB" else "left", overflow="fold")
    for each in found:
        back = " since a rollback" if each.reason else ""
        state = f"in service{back}" if each.is_in_service else "kept"
        reason = f"{each.serving_since}: {each.reason}" if each.reason else ""
        size = number(each.size / 1024**2, places=1)
        table.add_row(each.run_id, each.published_at, size, state, reason)
    wide_console().print(table, highlight=False)


@publish_app.command("rollback")
def rollback(
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger.")],
    to: Annotated[
        str | None, typer.Option(help="Run of `lake publish list`; else the one before.")
    ] = None,
) -> None:
    """Bring an earlier version back into service, at once and on the record.

    Silver stays as it is: the next publish builds gold from it again, so fix the cause first.
    Example: lake publish rollback --reason "prices of 3 May are in cents"
    """
    from pipelines.publishing.rollback import roll_back

    found = roll_back(Settings(), reason=reason, to=to)
    print(f"In service again: run {found.run_id}, published {found.published_at} ({found.file}).")
    print("The next publish builds gold from silver as it then is: fix the cause before it runs.")
