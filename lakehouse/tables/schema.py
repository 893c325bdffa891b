"""Columns that a Delta table holds by its log, and what its contract has beyond them; no Spark.

In: a table contract and settings. Out: columns with their types, columns still to be added.
"""

import json
from collections.abc import Iterator
from typing import Any

from lakehouse.contracts.tables import TABLES, Column, Table
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables.log import log_files, log_folder, version_of

_DDL = {"long": "bigint", "integer": "int"}


def held_columns(table: Table, *, settings: Settings) -> dict[str, str] | None:
    """Columns of a table with their types in DDL; None where its log can't be read.

    The log says it where a column last changed: in a commit after the newest checkpoint, or in that
    checkpoint, so that a long history costs no more than a short one.
    """
    for metadata in _metadata(table, settings=settings):
        try:
            fields = json.loads(metadata["schemaString"])["fields"]
            return {each["name"]: _DDL.get(each["type"], each["type"]) for each in fields}
        except (ValueError, KeyError, TypeError):
            return None
    return None


def columns_due(table: Table, *, settings: Settings) -> tuple[Column, ...]:
    """Columns of the contract that an existing table does not hold yet.

    A table that can't be read is not judged here: the audit names what is wrong with it.

    Raises:
        LakeError: The table can't be brought to its contract by adding nullable columns.
    """
    held = held_columns(table, settings=settings)
    if held is None:
        return ()
    for column in table.columns:
        found = held.get(column.name)
        if (found or column.type) != column.type or (found is None and not column.nullable):
            raise LakeError(
                f"{table.name} of this state has {column.name} as {found or 'no column'}, its "
                f"contract as {column.type}. That is no additive change: use the version that "
                "made this state, or another LAKE_HOME."
            )
    return tuple(column for column in table.columns if column.name not in held)


def tables_due(settings: Settings) -> tuple[Table, ...]:
    """Existing tables that have columns to be added. Raises: LakeError as `columns_due`."""
    return tuple(table for table in TABLES if columns_due(table, settings=settings))


def _metadata(table: Table, *, settings: Settings) -> Iterator[dict[str, Any]]:
    """The table's metadata actions, newest first, down to the newest checkpoint's."""
    from pyarrow import ArrowException, parquet

    system, root = log_folder(table, settings=settings)
    try:
        with system.open_input_stream(f"{root}/_last_checkpoint") as stream:
            checkpoint = int(json.loads(stream.read())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        checkpoint = -1  # there is none, and the first commit has the metadata
    names = sorted(log_files(table, settings=settings), key=version_of, reverse=True)
    for name in names:
        if version_of(name) <= checkpoint:
            break
        try:
            with system.open_input_stream(f"{root}/{name}") as stream:
                lines = stream.read().splitlines()
            yield from (json.loads(line)["metaData"] for line in lines if b'"metaData"' in line)
        except (OSError, ValueError, KeyError, TypeError):
            return
    if checkpoint < 0:
        return
    path = f"{root}/{checkpoint:020}.checkpoint.parquet"
    try:
        rows = parquet.read_table(path, columns=["metaData"], filesystem=system).to_pylist()
    except (OSError, ArrowException):
        return
    yield from (row["metaData"] for row in rows if row["metaData"])
