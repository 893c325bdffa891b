"""Creates the tables of the contracts, empty, and gives older ones the columns they lack.

In: a session. Out: every table of the contracts exists with every column of its contract.
"""

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import TABLES, Column, Table
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables.log import current_version, location
from lakehouse.tables.schema import columns_due
from lakehouse.tables.writing import commit_reason, writer_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    # Commit facts die with log cleanup, and the ledger is derived from them: keep them 10 years.
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 168 hours",
}
_STATISTICS = "delta.dataSkippingStatsColumns"
_WITHOUT_STATISTICS = ("boolean", "binary")


def create_tables(spark: "SparkSession", *, settings: Settings) -> None:
    """Create tables that do not exist yet; add new nullable columns to those that do.

    Rows that were there before hold null in an added column. Twice equals once, and a table that
    two commands bring up to date at a time is so once.

    Raises:
        LakeError: An existing table differs from its contract by more than nullable columns.
    """
    for table in TABLES:
        if current_version(table, settings=settings) is None:
            _create(spark, table, settings=settings)
        elif columns_due(table, settings=settings):
            with writer_of(table, settings=settings):
                _extend(spark, table, columns_due(table, settings=settings), settings=settings)


def _create(spark: "SparkSession", table: Table, *, settings: Settings) -> None:
    from delta.tables import DeltaTable

    builder = DeltaTable.createIfNotExists(spark).location(location(table, settings=settings))
    for column in table.columns:
        builder = builder.addColumn(column.name, column.type, nullable=column.nullable)
    if table.partition_by:
        builder = builder.partitionedBy(table.partition_by)
    for name, value in {**_PROPERTIES, _STATISTICS: _indexed(table)}.items():
        builder = builder.property(name, value)
    with writer_of(table, settings=settings):
        builder.execute()


def _extend(
    spark: "SparkSession", table: Table, columns: tuple[Column, ...], *, settings: Settings
) -> None:
    """Add columns in the places that the contract gives them, then their statistics."""
    if not columns:
        return
    target = f"delta.`{location(table, settings=settings).replace('`', '``')}`"
    names = table.column_names()
    parts = []
    for column in columns:
        before = names.index(column.name)
        place = f"after `{names[before - 1]}`" if before else "first"
        parts.append(f"`{column.name}` {column.type} {place}")
    added = ", ".join(column.name for column in columns)
    with commit_reason(spark, f"the contract gained {added}"):
        spark.sql(f"alter table {target} add columns ({', '.join(parts)})")
        spark.sql(f"alter table {target} set tblproperties ('{_STATISTICS}' = '{_indexed(table)}')")


def _indexed(table: Table) -> str:
    """Columns that Delta keeps statistics of: never a personal one."""
    return ",".join(
        column.name
        for column in table.columns
        if not column.personal
        and column.name != table.partition_by
        and column.type not in _WITHOUT_STATISTICS
    )


def put_aside(table: Table, target: Path, *, settings: Settings) -> None:
    """Move a table's folder to `target`; done before, it does nothing.

    Raises:
        LakeError: The table lies in an object store, or the folder can't be moved.
    """
    place = location(table, settings=settings)
    if "://" in place:
        raise LakeError(
            f"{table.name} lies at {place}, and only tables on a file system can be put aside. "
            "Move it away with the store's own tools and run the command again."
        )
    root = Path(place)
    with writer_of(table, settings=settings):
        if target.exists():
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if root.exists():
                root.rename(target)
            else:
                target.mkdir()  # nothing was left of it: a second run must not move the new one
        except OSError as error:
            same = " They must be on one file system." if error.errno == errno.EXDEV else ""
            raise LakeError(
                f"{root} can't be moved to {target} ({error.strerror}).{same} Mend that and run "
                "the command again."
            ) from error


def forget_tables(spark: "SparkSession") -> None:
    """Make a session read every table's log anew, where a folder was replaced under it."""
    jvm = spark._jvm
    assert jvm is not None  # noqa: S101 - a session of ours always has one
    jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
