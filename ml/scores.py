"""Writes and reads the tables `scores.*`: one Delta version a run, whole or not there.

In: a frame with the columns of a contract. Out: the table, and its rows as a frame.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from lakehouse.contracts.arrow import arrow_schema
from lakehouse.contracts.tables import Table
from lakehouse.duck import delta_relation, open_lake, quoted
from lakehouse.settings import Settings
from lakehouse.tables import (
    Transaction,
    append_rows,
    create_table,
    current_version,
    replace_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def replace(
    table: Table,
    frame: "pd.DataFrame",
    *,
    settings: Settings,
    metadata: Mapping[str, object],
    where: str = "true",
) -> None:
    """Put rows in the place of those that `where` selects, each of which it must select.

    Raises:
        LakeError: The table can't be written, or rows don't fit its contract.
    """
    create_table(table, settings=settings)
    rows = _arrow(table, frame).to_reader()
    replace_rows(rows, table, settings=settings, where=where, metadata=metadata)


def append(
    table: Table,
    frame: "pd.DataFrame",
    *,
    settings: Settings,
    at: datetime,
    metadata: Mapping[str, object],
) -> None:
    """Add rows of a moment to a table that keeps its past.

    Raises:
        LakeError: The table can't be written, or rows don't fit its contract.
    """
    create_table(table, settings=settings)
    append_rows(
        _arrow(table, frame).to_reader(),
        table,
        settings=settings,
        transaction=Transaction(table.name, int(at.timestamp() * 1e6)),
        metadata=metadata,
    )


def read(table: Table, *, settings: Settings, where: str = "true") -> "pd.DataFrame":
    """Rows in the order of the table's key; none where nothing was scored yet."""
    import pandas as pd

    if current_version(table, settings=settings) is None:
        return pd.DataFrame(columns=list(table.column_names()))
    key = ", ".join(map(quoted, table.key))
    with open_lake(settings) as lake:
        relation = delta_relation(settings, table)
        return lake.execute(f"select * from {relation} where {where} order by {key}").df()


def _arrow(table: Table, frame: "pd.DataFrame") -> "pa.Table":
    import pyarrow as pa

    names = list(table.column_names())
    return pa.Table.from_pandas(frame[names], schema=arrow_schema(table), preserve_index=False)
