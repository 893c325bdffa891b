"""`lake query`: read-only SQL on published gold."""

import csv
import json
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.settings import Settings
from operations.cli import app

if TYPE_CHECKING:
    import duckdb


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command("query")
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement.")],
    style: Annotated[Format, typer.Option("--format", help="table, csv or json.")] = Format.TABLE,
) -> None:
    """Read-only SQL on the gold in service (schema gold)."""
    import duckdb

    from lakehouse.duck import first_line, open_gold
    from lakehouse.errors import LakeError

    with open_gold(Settings()) as gold, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(_fetch, gold, sql)
        try:
            names, rows = answer.result()
        except KeyboardInterrupt:  # DuckDB itself would notice only between two of its tasks
            while not answer.done():  # nor of an interrupt that came before the statement began
                gold.interrupt()
                wait([answer], timeout=0.1)
            raise
        except duckdb.Error as error:
            raise LakeError(f"The query failed: {first_line(error)}") from error
    if style is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    elif style is Format.JSON:
        print(
            json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str, indent=1)
        )
    else:
        _print_table(names, rows)


def _fetch(
    gold: "duckdb.DuckDBPyConnection", sql: str
) -> tuple[list[str], list[tuple[object, ...]]]:
    result = gold.execute(sql)
    return [column[0] for column in result.description or ()], result.fetchall()


def _print_table(names: list[str], rows: list[tuple[object, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*["" if value is None else str(value) for value in row])
    Console(markup=False).print(table)
