"""A decided batch -> silver: each table once, under the batch's app transaction.

In: records with their outcome. Out: duplicates and quarantine first, then the accepted rows, order
lines last. A record that a smaller position beats is replaced in the same commit, and the records
that had lost to it are named anew before.
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
from lakehouse.tables import Transaction, append, merge, read
from pipelines.silver.routing import BatchOutcome
from pipelines.silver.rows import (
    DUPLICATE,
    REFUSED,
    accepted_rows,
    compact,
    duplicate_rows,
    refused_rows,
    topics_of,
)
from pipelines.transforms.deduplication import POSITION

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class SilverWriter:
    """Writes one decided batch; every write carries the batch's transaction."""

    def __init__(
        self,
        spark: "SparkSession",
        settings: Settings,
        transaction: Transaction,
        refined_batch: int,
        facts: Mapping[str, object],
    ) -> None:
        self._spark = spark
        self._refined_batch = refined_batch
        self._settings = settings
        self._transaction = transaction
        self._facts = facts
        self._target: dict[str, Any] = {
            "settings": settings,
            "transaction": transaction,
            "metadata": facts,
        }

    def side_tables(self, decided: "DataFrame", outcome: BatchOutcome) -> None:
        """Write duplicates and refusals whose position the tables do not hold yet."""
        if outcome.count(*DUPLICATE, *(f"flipped_to_{each}" for each in DUPLICATE)):
            rows = duplicate_rows(decided, refined_batch=self._refined_batch)
            self._append_new(rows, DUPLICATES)
        if outcome.count(*REFUSED, "flipped_to_conflict"):
            self._append_new(self._refused(decided, outcome), QUARANTINE)

    def losers(self, redecided: "DataFrame") -> None:
        """Name records anew whose winner lost its place; a record may change the side table.

        Rows arrive in their new table before they leave the old one: after a crash between the
        two, the batch that runs again still finds them.
        """
        outcomes = {row["outcome"] for row in redecided.select("outcome").distinct().collect()}
        rows = duplicate_rows(redecided, refined_batch=self._refined_batch)
        bronze = read(self._spark, BRONZE_EVENTS, settings=self._settings)
        refused = refused_rows(redecided, bronze, refined_batch=self._refined_batch)
        if outcomes.intersection(DUPLICATE):
            self._rename(rows, DUPLICATES, "arrive")
        if outcomes.intersection(REFUSED):
            self._rename(refused, QUARANTINE, "arrive")
            self._rename(refused, DUPLICATES, "leave")
        if outcomes.intersection(DUPLICATE):
            self._rename(rows, QUARANTINE, "leave")

    def _rename(self, rows: "DataFrame", table: Table, act: str) -> None:
        from pyspark.sql import functions as F

        transaction = Transaction(
            f"{self._transaction.app_id}-losers-{act}", self._transaction.version
        )
        target = {**self._target, "transaction": transaction}
        if act == "arrive":
            merge(rows, table, **target)
            return
        held = read(self._spark, table, settings=self._settings)
        if table is QUARANTINE:  # what a replay took keeps its row and its mark
            held = held.filter(F.col("replayed_at").isNull())
        leaving = held.join(rows.select(*POSITION), list(POSITION), "left_semi").withColumn(
            "_leaves", F.lit(True)
        )
        if leaving.isEmpty():
            return  # a merge that changes nothing costs as much as one that does
        merge(leaving, table, delete_when=F.col("new._leaves"), **target)

    def accepted(self, decided: "DataFrame", table: Table, outcome: BatchOutcome) -> None:
        """Write the accepted rows of one table; beaten rows leave in the same commit."""
        topics = topics_of(table)
        rows = accepted_rows(decided, table, refined_batch=self._refined_batch)
        if rows is None or not outcome.count("accepted", topics=topics):
            return
        flips = [f"flipped_to_{each}" for each in (*DUPLICATE, "conflict")]
        if outcome.count(*flips, topics=topics):
            self._merge_flips(rows, decided, table)
        else:
            if table is CUSTOMER_CONTACTS:  # a batch cut short before the last table may be there
                rows = self._without_held(rows, table)
            append(compact(rows, table, settings=self._settings), table, **self._target)

    def _without_held(self, rows: "DataFrame", table: Table) -> "DataFrame":
        place = ["source_topic", "source_partition", "source_offset"]
        held = read(self._spark, table, settings=self._settings).select(*place)
        return rows.join(held, place, "left_anti")

    def _merge_flips(self, rows: "DataFrame", decided: "DataFrame", table: Table) -> None:
        """Put the new winners in the place of rows that a smaller position has beaten."""
        from pyspark.sql import functions as F

        beaten = decided.filter(F.col("is_existing")).select(
            F.col("topic").alias("source_topic"),
            F.col("partition").alias("source_partition"),
            F.col("offset").alias("source_offset"),
        )
        held = read(self._spark, table, settings=self._settings)
        keys = [*table.key, *([table.partition_by] if table.partition_by else [])]
        leaving = held.join(beaten, beaten.columns, "left_semi").join(
            rows.select(*keys), keys, "left_anti"
        )
        source = rows.withColumn("_leaves", F.lit(False)).unionByName(
            leaving.withColumn("_leaves", F.lit(True))
        )
        merge(source, table, delete_when=F.col("new._leaves"), **self._target)

    def _append_new(self, rows: "DataFrame", table: Table) -> None:
        """Append rows whose position the table does not hold yet (a reset reads bronze again)."""
        held = read(self._spark, table, settings=self._settings).select(*POSITION)
        append(rows.join(held, list(POSITION), "left_anti"), table, **self._target)

    def _refused(self, decided: "DataFrame", outcome: BatchOutcome) -> "DataFrame":
        """Rows of the quarantine; bronze is read only for conflicts."""
        bronze = None
        if outcome.count("conflict", "flipped_to_conflict"):
            bronze = read(self._spark, BRONZE_EVENTS, settings=self._settings)
        return refused_rows(decided, bronze, refined_batch=self._refined_batch)
