"""`lake backfill` and `lake repair`: silver computed again from bronze."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from operations.cli import app

if TYPE_CHECKING:
    from pipelines.silver.rewriter import Rewritten

DAY = ["%Y-%m-%d"]


@app.command("backfill")
def backfill(
    date_from: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="First day, of the shop.")
    ] = None,
    date_to: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="Last day, inclusive.")
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(help="One silver table, with those that come from the same records."),
    ] = None,
) -> None:
    """Recompute silver from bronze, all of it or some days; twice equals once.

    Example: lake backfill --from 2011-01-01 --to 2011-01-31
    """
    from operations.cli.display import stage_display
    from operations.recover import backfill_days
    from pipelines.silver.days import Days

    days = Days(date_from.date() if date_from else None, date_to.date() if date_to else None)
    with stage_display() as on_change:
        found = backfill_days(Settings(), days=days, table=table, on_change=on_change)
    _say(found)


@app.command("repair")
def repair(
    table: Annotated[str, typer.Argument(help="A silver table, as the audit names it.")],
) -> None:
    """Rebuild a damaged silver table from bronze; its old folder is put aside, not deleted.

    Example: lake repair silver.products
    """
    from operations.cli.display import stage_display
    from operations.recover import repair_table

    with stage_display() as on_change:
        aside, found = repair_table(Settings(), name=table, on_change=on_change)
    print(f"The damaged folder of {table} is kept in {aside}.")
    _say(found)


def _say(found: "list[Rewritten]") -> None:
    changed = [each for each in found if each.differing]
    for each in changed:
        print(
            f"{each.table}: {counted(each.differing)} rows differed, "
            f"{counted(each.rows_after)} rows now."
        )
    if changed:
        print("Publish it: `lake publish`.")
    else:
        print("Silver is what bronze says: nothing differed, nothing was written.")
