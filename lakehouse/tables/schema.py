"""Columns that a Delta table holds by its log, and what its contract has beyond them; no Spark.

In: a table contract and settings. Out: columns with their types, columns still to be added.
"""

import json
from collections.abc import Iterable

from lakehouse.contracts.tables import Column, Table
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables.log import location

_DDL = {"long": "bigint", "integer": "int"}
_DELTA = {ddl: name for name, ddl in _DDL.items()}


def schema_json(columns: Iterable[Column]) -> str:
    """Columns as Delta's log writes a schema."""
    fields = [
        {
            "name": column.name,
            "type": _DELTA.get(column.type, column.type),
            "nullable": column.nullable,
            "metadata": {},
        }
        for column in columns
    ]
    return json.dumps({"type": "struct", "fields": fields})


def held_columns(table: Table, *, settings: Settings) -> dict[str, str] | None:
    """Columns of a table with their types in DDL; None where it has no log that can be read."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        found = DeltaTable(location(table, settings=settings)).schema()
    except (DeltaError, OSError, ValueError):
        return None
    fields = json.loads(found.to_json())["fields"]
    return {each["name"]: _DDL.get(each["type"], each["type"]) for each in fields}


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
