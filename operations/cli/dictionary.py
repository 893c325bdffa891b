"""`lake dictionary`: the page that says what each KPI, table, column and field means."""

from pathlib import Path
from typing import Annotated

import typer

from operations.cli import app


@app.command("dictionary")
def dictionary(
    check: Annotated[bool, typer.Option("--check", help="Only compare; write nothing.")] = False,
    page: Annotated[
        Path | None, typer.Option("--page", help="Another file than docs/dictionary.md.")
    ] = None,
) -> None:
    """Rewrite the data dictionary from the declared KPIs and the contracts.

    With --check, exit code 1 when the page is not current. Example: lake dictionary
    """
    from governance.catalog import dictionary as contents
    from operations.cli.generated import keep_current

    keep_current(
        page or contents.PAGE,
        contents.dictionary(),
        what="dictionary",
        check=check,
        remedy="`lake dictionary` rewrites it.",
    )
