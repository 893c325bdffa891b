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
    from pyspark.sql import DataFrame

LOCK_WAIT_SECONDS = 120.0


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
    """Say of which table an error of delta-rs or the file system is; its rows are left out.

    Raises: LakeError.
    """
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, OSError) as error:
        reason = str(error).partition("\n")[0].rstrip(".:")
        raise LakeError(
            f"{table.name} can't be written at {location(table, settings=settings)}: {reason}. "
            "Put that right and run the command again."
        ) from (None if isinstance(error, DeltaError) else error)


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


def facts_of(metadata: Mapping[str, object], transaction: Transaction) -> str:
    """What a commit says of its batch, for the ledger."""
    facts = {**metadata, "app_id": transaction.app_id, "batch_id": transaction.version}
    return json.dumps(facts, sort_keys=True)
