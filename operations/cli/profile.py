"""`lake profile`: a page that shows what a table holds."""

from typing import Annotated

import typer

from lakehouse.settings import Settings
from operations.cli import app


@app.command("profile")
def profile(
    table: Annotated[str, typer.Argument(help="A table of silver, bronze or gold.")],
) -> None:
    """Write an offline page: distributions, missing values, outliers, correlations of a table.

    Personal columns are left out. Example: lake profile silver.TABLE
    """
    from governance.catalog.profile import write_profile

    print(f"Open {write_profile(table, settings=Settings())} in a browser.")
