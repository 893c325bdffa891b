"""A decided batch -> silver: each table once, under the batch's app transaction.

In: the relations of a workspace once its records are decided. Out: duplicates and quarantine first,
then the accepted rows, order lines last. A row that a smaller position supersedes is replaced in
the same commit; the records that had lost to it are reassigned before.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    CUSTOMER_CONTACTS,
    DUPLICATES,
    QUARANTINE,
    Table,
)
from lakehouse.settings import Settings
from lakehouse.tables import Transaction, append_rows, merge_rows
from pipelines.silver.known import rows_by_id, rows_by_place
from pipelines.silver.routing import IS_SUPERSEDED, BatchOutcome, topics_of
from pipelines.silver.rows import (
    DUPLICATE,
    accepted_rows,
    conflict_rows,
    duplicate_rows,
    refused_rows,
)
from pipelines.transforms.deduplication import PLACE

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

BATCH_ROWS = 100_000
"""Rows of one Arrow batch on their way from DuckDB to a table."""


class BatchWriter:
    """Writes one decided batch; every write carries the batch's transaction."""

    def __init__(
        self,
        lake: "DuckDBPyConnection",
        settings: Settings,
        transaction: Transaction,
        refined_batch: int,
        facts: Mapping[str, object],
    ) -> None:
        self._lake = lake
        self._settings = settings
        self._transaction = transaction
        self._refined_batch = refined_batch
        self._target: dict[str, Any] = {"settings": settings, "metadata": facts}

    def side_tables(self, outcome: BatchOutcome) -> None:
        """Write duplicates and refusals whose position the tables do not hold yet."""
        number = self._refined_batch
        names = {each: (each, f"{IS_SUPERSEDED}{each}") for each in (*DUPLICATE, "conflict")}
        if outcome.count(*names["redelivered"], *names["repeated"]):
            rows = duplicate_rows("decided", "sound", refined_batch=number)
            self._append_new(rows, DUPLICATES)
        parts = []
        if outcome.count("quarantined"):
            parts.append(refused_rows("decided", "records", refined_batch=number))
        if outcome.count(*names["conflict"]):
            wanted = "(from decided where outcome = 'conflict')"
            bronze = rows_by_place(self._lake, BRONZE_EVENTS, wanted, settings=self._settings)
            parts.append(conflict_rows("decided", "sound", bronze, refined_batch=number))
        if parts:
            self._append_new(" union all ".join(parts), QUARANTINE)

    def reassign_duplicates(self) -> None:
        """Give the records of the relation `reassigned` their new outcome and winner.

        Rows are inserted in their new table before they are deleted from the old one: after a crash
        between the two, the batch that runs again still finds them.
        """
        number, lake = self._refined_batch, self._lake
        found = lake.execute("select distinct outcome from reassigned").fetchall()
        outcomes = {outcome for (outcome,) in found}
        duplicates = duplicate_rows("reassigned", "reassigned", refined_batch=number)
        conflicts = conflict_rows("reassigned", "reassigned", "reassigned", refined_batch=number)
        refused = refused_rows("reassigned", "reassigned", refined_batch=number)
        if outcomes.intersection(DUPLICATE):
            self._insert(duplicates, DUPLICATES)
        if outcomes.difference(DUPLICATE):
            self._insert(f"{conflicts} union all {refused}", QUARANTINE)
            self._delete("outcome not in ('redelivered', 'repeated')", DUPLICATES)
        if outcomes.intersection(DUPLICATE):
            self._delete("outcome in ('redelivered', 'repeated')", QUARANTINE)

    def accepted(self, table: Table, outcome: BatchOutcome) -> None:
        """Write the accepted rows of one table; superseded rows leave in the same commit."""
        topics = topics_of(table)
        if not outcome.count("accepted", topics=topics):
            return
        rows = accepted_rows(table, refined_batch=self._refined_batch)
        if outcome.superseded(*topics):
            self._supersede(rows, table)
            return
        if table is CUSTOMER_CONTACTS:  # a batch cut short before the last table may be there
            held = rows_by_id(self._lake, table, _ids(rows), settings=self._settings)
            rows = f"from ({rows}) anti join (select {_SOURCE} from {held}) using ({_SOURCE})"
        self._append(rows, table, order="event_id")

    def _supersede(self, rows: str, table: Table) -> None:
        """Put the new winners in the place of the rows that they supersede."""
        wanted = '(select identity from decided join sound using (topic, "partition", "offset") '
        wanted += "where decided.is_existing)"
        held = rows_by_id(self._lake, table, wanted, settings=self._settings)
        month = "strftime(order_date, '%Y-%m') as order_month, " if table.partition_by else ""
        keys = ", ".join([*table.key, *([table.partition_by] if table.partition_by else [])])
        columns = ", ".join(f'"{name}"' for name in table.column_names())
        leaving = f"""
            select {columns}, true as leaves
            from (select {month}* from {held})
            where ({_SOURCE}) in (select ({PLACE}) from decided where is_existing)
                and ({keys}) not in (select ({keys}) from fresh_rows)"""
        self._lake.execute(f"create or replace temp table fresh_rows as {rows}")
        source = f"select {columns}, false as leaves from fresh_rows union all {leaving}"
        merge_rows(
            self._reader(source),
            table,
            transaction=self._transaction,
            delete_when="new.leaves",
            **self._target,
        )

    def _insert(self, rows: str, table: Table) -> None:
        transaction = self._named("insert")
        merge_rows(self._reader(rows), table, transaction=transaction, **self._target)

    def _delete(self, condition: str, table: Table) -> None:
        """Delete the rows at the places of those reassigned records for which a condition holds."""
        wanted = f"(select {PLACE} from reassigned where {condition})"
        held = rows_by_place(self._lake, table, wanted, settings=self._settings)
        # What a replay took keeps its row and its mark.
        kept = "replayed_at is null" if table is QUARANTINE else "true"
        columns = ", ".join(f'"{name}"' for name in table.column_names())
        rows = f"""
            select {columns}, true as leaves from {held}
            where {kept} and ({PLACE}) in (select ({PLACE}) from {wanted})"""
        if self._has_rows(rows):
            transaction = self._named("delete")
            merge_rows(
                self._reader(rows),
                table,
                transaction=transaction,
                delete_when="new.leaves",
                **self._target,
            )

    def _named(self, act: str) -> Transaction:
        app_id = f"{self._transaction.app_id}-reassign-{act}"
        return Transaction(app_id, self._transaction.version)

    def _append_new(self, rows: str, table: Table) -> None:
        """Append rows whose position the table does not hold yet (a reset reads bronze again)."""
        self._lake.execute(f"create or replace temp table side_rows as {rows}")
        held = rows_by_place(self._lake, table, "side_rows", settings=self._settings)
        new = f"from side_rows where ({PLACE}) not in (select ({PLACE}) from {held})"
        self._append(new, table, order=PLACE)

    def _append(self, rows: str, table: Table, *, order: str) -> None:
        """Append rows in an order that lets later look-ups pass over most of them."""
        if self._has_rows(rows):
            reader = self._reader(f"from ({rows}) order by {order}")
            append_rows(reader, table, transaction=self._transaction, **self._target)

    def _has_rows(self, rows: str) -> bool:
        return bool(self._lake.execute(f"from ({rows}) limit 1").fetchall())

    def _reader(self, rows: str) -> "pa.RecordBatchReader":
        return self._lake.execute(rows).to_arrow_reader(BATCH_ROWS)


_SOURCE = "source_topic, source_partition, source_offset"


def _ids(rows: str) -> str:
    return f"(select event_id as identity from ({rows}))"
