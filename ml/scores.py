"""Writes and reads the tables `scores.*`: one Delta version a run, whole or not there.

In: a frame with the columns of a contract. Out: the table, and its rows as a frame.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakehouse.contracts.arrow import arrow_schema
from lakehouse.contracts.tables import Table
from lakehouse.duck import delta_relation, open_lake, quoted
from lakehouse.settings import Settings
from lakehouse.tables import create_table, current_version, replace_rows

if TYPE_CHECKING:
    import pandas as pd


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
    import pyarrow as pa

    create_table(table, settings=settings)
    rows = pa.Table.from_pandas(
        frame[list(table.column_names())], schema=arrow_schema(table), preserve_index=False
    )
    replace_rows(rows.to_reader(), table, settings=settings, where=where, metadata=metadata)


def read(table: Table, *, settings: Settings, where: str = "true") -> "pd.DataFrame":
    """Rows in the order of the table's key; none where nothing was scored yet."""
    import pandas as pd

    if current_version(table, settings=settings) is None:
        return pd.DataFrame(columns=list(table.column_names()))
    key = ", ".join(map(quoted, table.key))
    with open_lake(settings) as lake:
        relation = delta_relation(settings, table)
        return lake.execute(f"select * from {relation} where {where} order by {key}").df()
