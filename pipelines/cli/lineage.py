"""`lake lineage`: where a figure comes from, and who reads it."""

from typing import Annotated

import typer

from lakehouse.settings import Settings
from pipelines.cli import app


@app.command("lineage")
def lineage(
    name: Annotated[str, typer.Argument(help="TABLE, TABLE.COLUMN, a KPI or a page.")],
) -> None:
    """From the Kafka topic to the screen: what makes a table, column, KPI or page; who reads it.

    Example: lake lineage net_revenue
    """
    from pipelines.lineage import lineage_of

    print("\n".join(lineage_of(name, settings=Settings())))
