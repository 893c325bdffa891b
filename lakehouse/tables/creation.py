"""Creates the tables of the contracts, empty, with the properties that all of them have.

In: a session. Out: every table of the contracts exists.
"""

from typing import TYPE_CHECKING

from lakehouse.contracts.tables import TABLES
from lakehouse.settings import Settings
from lakehouse.tables.log import current_version, location
from lakehouse.tables.writing import writer_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    # Commit facts die with log cleanup, and the ledger is derived from them: keep them 10 years.
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 168 hours",
}
_WITHOUT_STATISTICS = ("boolean", "binary")


def create_tables(spark: "SparkSession", *, settings: Settings) -> None:
    """Create every table of the contracts that does not exist yet, empty."""
    from delta.tables import DeltaTable

    for table in TABLES:
        if current_version(table, settings=settings) is not None:
            continue
        builder = DeltaTable.createIfNotExists(spark).location(location(table, settings=settings))
        for column in table.columns:
            builder = builder.addColumn(column.name, column.type, nullable=column.nullable)
        if table.partition_by:
            builder = builder.partitionedBy(table.partition_by)
        indexed = [
            column.name
            for column in table.columns
            if not column.personal
            and column.name != table.partition_by
            and column.type not in _WITHOUT_STATISTICS
        ]
        properties = {**_PROPERTIES, "delta.dataSkippingStatsColumns": ",".join(indexed)}
        for name, value in properties.items():
            builder = builder.property(name, value)
        with writer_of(table, settings=settings):
            builder.execute()
