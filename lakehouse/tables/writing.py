"""What every write to a Delta table has: one writer at a time, an app transaction, its facts.

In: a table contract. Out: the lock of its one writer, for on a local disk two could both win one
commit; the transaction by which a replay is skipped; the facts that the ledger derives its lines
from; errors that name the table.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lakehouse.contracts.tables import Table
from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.tables.log import location

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


def facts_of(metadata: Mapping[str, object], transaction: Transaction) -> str:
    """What a commit says of its batch, for the ledger."""
    facts = {**metadata, "app_id": transaction.app_id, "batch_id": transaction.version}
    return json.dumps(facts, sort_keys=True)
