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
    from governance.catalog.profile import profile_table, write_profile

    settings = Settings()
    path = write_profile(profile_table(table, settings=settings), settings.reports_dir)
    print(f"Open {path} in a browser.")
