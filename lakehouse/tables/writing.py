"""Writes to Delta tables, each one commit, exactly once.

In: DataFrames and a table contract. Out: one commit per write, carrying the rows, the app
transaction (so that a replay is skipped) and the facts that the ledger derives its lines from.
Every writer of a table goes through `writer_of`: on a local disk two could both win one commit.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import Table
from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.tables.log import location

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

LOCK_WAIT_SECONDS = 120.0
_TXN_APP = "spark.databricks.delta.write.txnAppId"
_TXN_VERSION = "spark.databricks.delta.write.txnVersion"
USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


@dataclass(frozen=True)
class Transaction:
    """Identity of one batch of one checkpoint: a write that carries it twice lands once."""

    app_id: str
    version: int

    def for_table(self, table: Table) -> str:
        return f"{self.app_id}:{table.name}"


@contextlib.contextmanager
def writer_of(table: Table, *, settings: Settings) -> Iterator[None]:
    """Be the one writer of a table. Raises: LakeError after two minutes of another's writing."""
    lock = f"table-{table.name}"
    with hold(lock, settings=settings, wait_seconds=LOCK_WAIT_SECONDS):
        yield


@contextlib.contextmanager
def naming_errors(table: Table, *, settings: Settings) -> Iterator[None]:
    """Say of which table an error of delta-rs or the file system is. Raises: LakeError."""
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, OSError) as error:
        raise LakeError(
            f"{table.name} can't be written at {location(table, settings=settings)}: {error}. "
            "Put that right and run the command again."
        ) from error


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
    with writer_of(table, settings=settings):
        (
            rows.select(*table.column_names())
            .write.format("delta")
            .mode("append")
            .option("txnAppId", transaction.for_table(table))
            .option("txnVersion", transaction.version)
            .option("userMetadata", facts_of(metadata, transaction))
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
    with writer_of(table, settings=settings):
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
            USER_METADATA: facts_of(metadata, transaction),
        }
        with commit_facts(rows.sparkSession, facts):
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
    with writer_of(table, settings=settings):
        (
            rows.select(*table.column_names())
            .write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", where)
            .option("userMetadata", json.dumps(metadata, sort_keys=True))
            .save(location(table, settings=settings))
        )


def facts_of(metadata: Mapping[str, object], transaction: Transaction) -> str:
    """What a commit says of its batch, for the ledger."""
    facts = {**metadata, "app_id": transaction.app_id, "batch_id": transaction.version}
    return json.dumps(facts, sort_keys=True)


@contextlib.contextmanager
def commit_facts(spark: "SparkSession", values: Mapping[str, str]) -> Iterator[None]:
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
