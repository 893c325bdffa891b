"""Creates the tables of the contracts, empty, and gives older ones the columns they lack; no Spark.

In: settings. Out: every table of the contracts exists with every column of its contract.
"""

import errno
import json
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import TABLES, Column, Table
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables.log import current_version, location
from lakehouse.tables.schema import columns_due, schema_json
from lakehouse.tables.writing import naming_errors, writer_of

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


def create_tables(settings: Settings) -> None:
    """Create tables that do not exist yet; add new nullable columns to those that do.

    Twice equals once, and a table that two commands bring up to date at a time is so once.

    Raises:
        LakeError: A table can't be written, or differs by more than nullable columns.
    """
    for table in TABLES:
        if current_version(table, settings=settings) is None:
            _create(table, settings=settings)
    extend_tables(settings)


def create_table(table: Table, *, settings: Settings) -> None:
    """Create one table that does not exist yet, such as one of scores; add columns it lacks.

    Raises:
        LakeError: It can't be written, or differs by more than nullable columns.
    """
    if current_version(table, settings=settings) is None:
        _create(table, settings=settings)
    elif due := columns_due(table, settings=settings):
        with writer_of(table, settings=settings):
            _extend(table, due, settings=settings)


def extend_tables(settings: Settings) -> None:
    """Add the columns that contracts gained to the tables that exist; old rows hold null there.

    A column stands at the end of an older table: everything reads columns by their names.

    Raises:
        LakeError: A table can't be written, or differs by more than nullable columns.
    """
    for table in TABLES:
        if columns_due(table, settings=settings):
            with writer_of(table, settings=settings):
                _extend(table, columns_due(table, settings=settings), settings=settings)


def _create(table: Table, *, settings: Settings) -> None:
    from deltalake import DeltaTable, Schema

    with writer_of(table, settings=settings), naming_errors(table, settings=settings):
        DeltaTable.create(
            location(table, settings=settings),
            Schema.from_json(schema_json(table.columns)),
            mode="ignore",
            partition_by=table.partition_by,
            configuration={**_PROPERTIES, _STATISTICS: _indexed(table)},
        )


def _extend(table: Table, columns: tuple[Column, ...], *, settings: Settings) -> None:
    if not columns:
        return
    from deltalake import CommitProperties, DeltaTable, Schema

    reason = f"the contract gained {', '.join(column.name for column in columns)}"
    why = CommitProperties(custom_metadata={"userMetadata": json.dumps({"reason": reason})})
    with naming_errors(table, settings=settings):
        alter = DeltaTable(location(table, settings=settings)).alter
        alter.add_columns(Schema.from_json(schema_json(columns)).fields, commit_properties=why)
        alter.set_table_properties({_STATISTICS: _indexed(table)}, commit_properties=why)


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
                f"{root} can't be moved to {target} ({error.strerror}).{same} Fix that and run "
                "the command again."
            ) from error


def forget_tables(spark: "SparkSession") -> None:
    """Make a session read every table's log again, where a folder was replaced under it."""
    jvm = spark._jvm
    assert jvm is not None  # noqa: S101 - a session of ours always has one
    jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
