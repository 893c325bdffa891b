"""A desk for one batch: its parsed records as relations of an in-memory DuckDB.

In: bronze rows as a Spark DataFrame. Out: a connection with the views `records` and one per silver
table (`new_silver_order_lines` ...), on files that are deleted at the end. DuckDB spills to disk
beyond its memory limit, so that a long history takes no more memory than a batch.
"""

import contextlib
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lakehouse.duck import open_lake, scratch_dir
from lakehouse.settings import Settings
from pipelines.silver.parsing import (
    BRONZE_COLUMNS,
    RECORDS,
    RECORDS_SCHEMA,
    new_rows,
    record_functions,
    rows_schema,
    write_parsed,
)
from pipelines.silver.routing import RecordFunction, tables_in_order

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from pyspark.sql import DataFrame

MEMORY_LIMIT = "1GB"
_PREFIX = "refine-"


@contextlib.contextmanager
def open_workspace(
    records: "DataFrame",
    *,
    settings: Settings,
    functions: Mapping[str, RecordFunction] | None = None,
    reads_delta: bool = False,
) -> "Iterator[DuckDBPyConnection]":
    """Parse bronze rows in Spark and open what came out of it.

    Args:
        records: Bronze rows of topics that have a record function.
        settings: Where the state lies.
        functions: Record function by topic; default: those of the routes.
        reads_delta: Whether queries will read tables of the lake, too.
    """
    with _scratch(settings) as folder:
        task = functools.partial(
            write_parsed, folder=str(folder), functions=functions or record_functions()
        )
        parsed = records.select(*BRONZE_COLUMNS).mapInArrow(task, "path string")
        paths = [Path(row["path"]) for row in parsed.collect()]
        with open_lake(settings, reads_delta=reads_delta) as lake:
            lake.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
            lake.execute("set preserve_insertion_order = false")
            _open(lake, RECORDS, RECORDS_SCHEMA, paths)
            for table in tables_in_order():
                _open(lake, new_rows(table), rows_schema(table), paths)
            yield lake


def limit(lake: "DuckDBPyConnection", condition: str) -> None:
    """Leave only those records, and their rows, for which a condition on `parsed_records` holds."""
    lake.execute(f"""
        create or replace temp table limited as from parsed_records where {condition}""")
    lake.execute("create or replace temp view records as from limited")
    for table in tables_in_order():
        lake.execute(f"""
            create or replace temp view {new_rows(table)} as
            from parsed_{new_rows(table)} where (source_topic, source_partition, source_offset)
                in (select (topic, "partition", "offset") from limited)""")


def _open(lake: "DuckDBPyConnection", view: str, schema: "pa.Schema", paths: list[Path]) -> None:
    mine = [str(path) for path in paths if path.name.rpartition("-")[0] == view]
    if mine:
        lake.read_parquet(mine).create_view(f"parsed_{view}")
    else:
        lake.register(f"parsed_{view}", schema.empty_table())
    lake.execute(f"create or replace temp view {view} as from parsed_{view}")


@contextlib.contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    """A folder for one batch; what a killed process left is deleted, for it holds raw values."""
    root = scratch_dir(settings)
    for left in root.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=root) as name:
        yield Path(name)
