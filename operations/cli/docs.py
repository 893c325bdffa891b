"""`lake docs`: one page about the data that opens without network."""

import os
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from operations.cli import app


@app.command("docs")
def docs(
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The HTML file; default: docs.html in reports/ of LAKE_HOME."),
    ] = None,
) -> None:
    """Write dbt's docs as an offline page: KPIs, models, columns with origins, tests, SQL, graph.

    With row counts of the gold in service, where there is one. Example: lake docs
    """
    from rich.console import Console

    from governance.catalog.docs_page import PAGE, write_docs

    settings = Settings()
    path = out or settings.reports_dir / PAGE
    if path.is_dir():
        raise LakeError(f"{path} is a folder: name a file, for example {path / PAGE}.")
    with Console(stderr=True).status("dbt generates the page ..."):
        try:
            has_rows = write_docs(path, settings=settings)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise LakeError(f"The page {path} can't be written ({reason}).") from error
    if not has_rows:
        print("No gold was published yet, so the page has no row counts.")
    print(f"Open {path} in a browser.")
