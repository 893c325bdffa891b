"""Arrow's types of the contracts' columns.

In: a column or a table contract. Out: the type or schema that its rows have in Arrow.
"""

import pyarrow as pa

from lakehouse.contracts.tables import Column, Table

_TYPES = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "double": pa.float64(),
    "binary": pa.binary(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def arrow_type(column: Column) -> pa.DataType:
    """Arrow's type of a contract's column."""
    if column.type.startswith("decimal("):
        precision, scale = column.type.removeprefix("decimal(").rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return _TYPES[column.type]


def arrow_schema(table: Table, *, without: tuple[str, ...] = ()) -> pa.Schema:
    """Schema of a table's rows."""
    return pa.schema(
        pa.field(column.name, arrow_type(column), column.nullable)
        for column in table.columns
        if column.name not in without
    )
