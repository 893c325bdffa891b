"""`lake lineage`: where a figure comes from, and who reads it, as text or as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.cli import app


@app.command("lineage")
def lineage(
    name: Annotated[
        str, typer.Argument(help="TABLE, TABLE.COLUMN, a KPI or a page.", show_default=False)
    ] = "",
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture", help="Write a Mermaid flowchart instead; without a name, of everything."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare the picture; write nothing.")
    ] = False,
) -> None:
    """From the Kafka topic to the screen: what makes a table, column, KPI or page; who reads it.

    With --check, exit code 1 when the picture is not current. Examples:
    lake lineage net_revenue; lake lineage gold.TABLE.COLUMN --picture column.md
    """
    from rich.console import Console

    if picture is None and (check or not name):
        raise LakeError("Name a table, a column, a KPI or a page, or give --picture FILE.")
    settings = Settings()
    with Console(stderr=True).status("Looking it up ..."):
        if picture is None:
            from governance.lineage.lineage import lineage_of

            text = "\n".join(lineage_of(name, settings=settings))
        else:
            from governance.lineage.picture import picture_of

            text = picture_of(name, settings=settings)
    if picture is None:
        print(text)
    else:
        from operations.cli.generated import keep_current

        keep_current(
            picture,
            text,
            what="picture",
            check=check,
            remedy="Without --check it is rewritten.",
        )
