"""The only module that names Delta: creates, reads and writes the lake's tables exactly once.

In: DataFrames and a table contract. Out: one Delta commit per write, carrying the rows, the app
transaction (so that a replay is skipped) and the facts that the ledger derives its lines from.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import TABLES, Table
from lakehouse.locks import hold
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

LOCK_WAIT_SECONDS = 120.0
_PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    # Commit facts die with log cleanup, and the ledger is derived from them: keep them 10 years.
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.deletedFileRetentionDuration": "interval 168 hours",
}
_WITHOUT_STATISTICS = ("boolean", "binary")
_TXN_APP = "spark.databricks.delta.write.txnAppId"
_TXN_VERSION = "spark.databricks.delta.write.txnVersion"
_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


@dataclass(frozen=True)
class Transaction:
    """Identity of one batch of one checkpoint: a write that carries it twice lands once."""

    app_id: str
    version: int

    def for_table(self, table: Table) -> str:
        return f"{self.app_id}:{table.name}"


def location(table: Table, *, settings: Settings) -> str:
    """Where a table lies: a path or URI below the table storage."""
    return f"{settings.tables_uri}/{table.name.replace('.', '/')}"


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
        with hold(_lock_name(table), settings=settings, wait_seconds=LOCK_WAIT_SECONDS):
            builder.execute()


def read(
    spark: "SparkSession", table: Table, *, settings: Settings, version: int | None = None
) -> "DataFrame":
    """A table's rows, now or at a version."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(location(table, settings=settings))


def read_stream(
    spark: "SparkSession", table: Table, *, settings: Settings, max_bytes: str
) -> "DataFrame":
    """A table's appended rows as a stream; commits that only rearrange or erase are passed over."""
    return (
        spark.readStream.format("delta")
        .option("skipChangeCommits", "true")
        .option("maxBytesPerTrigger", max_bytes)
        .load(location(table, settings=settings))
    )


def append(
    rows: "DataFrame",
    table: Table,
    *,
    settings: Settings,
    transaction: Transaction,
    metadata: Mapping[str, object],
) -> None:
    """Append rows in one commit; the same transaction again is skipped by Delta.

    Args:
        rows: Has every column of the contract.
        table: Where to.
        settings: Where the state lies.
        transaction: App id of the checkpoint and batch id.
        metadata: Facts for the ledger: offset ranges, rows, money.
    """
    with hold(_lock_name(table), settings=settings, wait_seconds=LOCK_WAIT_SECONDS):
        (
            rows.select(*table.column_names())
            .write.format("delta")
            .mode("append")
            .option("txnAppId", transaction.for_table(table))
            .option("txnVersion", transaction.version)
            .option("userMetadata", _facts(metadata, transaction))
            .save(location(table, settings=settings))
        )


def merge(
    rows: "DataFrame",
    table: Table,
    *,
    settings: Settings,
    transaction: Transaction,
    metadata: Mapping[str, object],
    delete_when: "Column | None" = None,
) -> None:
    """Update rows of equal key, insert the others, in one commit.

    Args:
        rows: Every column of the contract, at most one row per key, plus what `delete_when` reads.
        table: Where to; its partition column is part of the match.
        settings: Where the state lies.
        transaction: App id of the checkpoint and batch id.
        metadata: Facts for the ledger.
        delete_when: Condition on `new.*` of rows whose match is deleted instead.
    """
    from delta.tables import DeltaTable
    from pyspark.sql import functions as F

    keys = [*table.key, *([table.partition_by] if table.partition_by else [])]
    condition = " and ".join(f"old.`{key}` = new.`{key}`" for key in keys)
    values = {name: f"new.`{name}`" for name in table.column_names()}
    with hold(_lock_name(table), settings=settings, wait_seconds=LOCK_WAIT_SECONDS):
        target = DeltaTable.forPath(rows.sparkSession, location(table, settings=settings))
        plan = target.alias("old").merge(rows.alias("new"), condition)
        if delete_when is None:
            plan = plan.whenMatchedUpdate(set=values).whenNotMatchedInsert(values=values)
        else:
            plan = (
                plan.whenMatchedDelete(delete_when)
                .whenMatchedUpdate(set=values)
                .whenNotMatchedInsert(
                    condition=~F.coalesce(delete_when, F.lit(False)), values=values
                )
            )
        facts = {
            _TXN_APP: transaction.for_table(table),
            _TXN_VERSION: str(transaction.version),
            _USER_METADATA: _facts(metadata, transaction),
        }
        with _commit_facts(rows.sparkSession, facts):
            plan.execute()


def replace(
    rows: "DataFrame",
    table: Table,
    *,
    settings: Settings,
    where: str,
    metadata: Mapping[str, object],
) -> None:
    """Replace the rows that `where` selects by `rows`, all of which it must select."""
    with hold(_lock_name(table), settings=settings, wait_seconds=LOCK_WAIT_SECONDS):
        (
            rows.select(*table.column_names())
            .write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", where)
            .option("userMetadata", json.dumps(metadata, sort_keys=True))
            .save(location(table, settings=settings))
        )


def current_version(table: Table, *, settings: Settings) -> int | None:
    """Newest version of a table; None when it does not exist."""
    return max(map(version_of, log_files(table, settings=settings)), default=None)


def current_versions(settings: Settings) -> dict[str, int]:
    """Newest version of every existing table by its name: what a publish pins once."""
    found = {table.name: current_version(table, settings=settings) for table in TABLES}
    return {name: version for name, version in found.items() if version is not None}


def log_files(table: Table, *, settings: Settings) -> list[str]:
    """Names of a table's commit files, in any order."""
    from pyarrow import fs

    system, root = fs.FileSystem.from_uri(_log_uri(table, settings=settings))
    found = system.get_file_info(fs.FileSelector(root, allow_not_found=True))
    return [
        info.base_name
        for info in found
        if info.base_name.endswith(".json") and info.base_name[:20].isdigit()
    ]


def version_of(name: str) -> int:
    """Version that a commit file's name says."""
    return int(name[:20])


def _log_uri(table: Table, *, settings: Settings) -> str:
    place = location(table, settings=settings)
    base = place if "://" in place else Path(place).absolute().as_uri()
    return f"{base}/_delta_log"


def _facts(metadata: Mapping[str, object], transaction: Transaction) -> str:
    facts = {**metadata, "app_id": transaction.app_id, "batch_id": transaction.version}
    return json.dumps(facts, sort_keys=True)


def _lock_name(table: Table) -> str:
    return f"table-{table.name}"


@contextlib.contextmanager
def _commit_facts(spark: "SparkSession", values: Mapping[str, str]) -> Iterator[None]:
    """Session settings that a MERGE's commit takes, unset at the end whatever happens.

    A transaction id left behind would make Delta skip other writes without a word.
    """
    try:
        for name, value in values.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name in values:
            spark.conf.unset(name)
