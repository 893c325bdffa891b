"""A decided batch -> silver: each table once, under the batch's app transaction.

In: records with their outcome. Out: duplicates and quarantine first, then the accepted rows, order
lines last. A record that a smaller position beats is replaced in the same commit.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    DUPLICATES,
    QUARANTINE,
    Table,
)
from lakehouse.settings import Settings
from lakehouse.tables import Transaction, append, merge, read
from pipelines.refined_topics import REFINED, BatchOutcome, payload_column
from pipelines.transforms.winners import POSITION

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
        self._target: dict[str, Any] = {
            "settings": settings,
            "transaction": transaction,
            "metadata": facts,
        }

    def side_tables(self, decided: "DataFrame", outcome: BatchOutcome) -> None:
        """Write duplicates and refusals whose position the tables do not hold yet."""
        from pyspark.sql import functions as F

        lost = ("redelivered", "repeated")
        if outcome.count(*lost, *(f"flipped_to_{each}" for each in lost)):
            rows = decided.filter(F.col("outcome").isin(*lost)).select(
                *POSITION,
                "event_id",
                "identity",
                F.col("outcome").alias("disposition"),
                "amount",
                self._stamp(),
            )
            self._append_new(rows, DUPLICATES)
        refused = ("quarantined", "conflict")
        if outcome.count(*refused, "flipped_to_conflict"):
            rows = self._with_value(decided.filter(F.col("outcome").isin(*refused)), outcome)
            self._append_new(rows.select(*self._quarantine_columns()), QUARANTINE)

    def accepted(self, decided: "DataFrame", table: Table, outcome: BatchOutcome) -> None:
        """Write the accepted rows of one table; beaten rows leave in the same commit."""
        from pyspark.sql import functions as F

        payload = payload_column(table)
        if table is CUSTOMERS:
            payload = payload_column(CUSTOMER_CONTACTS)
        topics = tuple(each.topic.name for each in REFINED if table in each.tables)
        if payload not in decided.columns or not outcome.count("accepted", topics=topics):
            return
        won = decided.filter((F.col("outcome") == "accepted") & F.col("topic").isin(*topics))
        rows = won.select(
            *POSITION, "event_id", "content_hash", F.explode(payload).alias("_row")
        ).select(
            "event_id",
            "content_hash",
            "_row.*",
            self._stamp(),
            F.col("topic").alias("source_topic"),
            F.col("partition").alias("source_partition"),
            F.col("offset").alias("source_offset"),
        )
        flips = [f"flipped_to_{each}" for each in ("redelivered", "repeated", "conflict")]
        if outcome.count(*flips, topics=topics):
            self._merge_flips(rows.select(*table.column_names()), decided, table)
        else:
            if table is CUSTOMER_CONTACTS:  # a batch cut short before the last table may be there
                rows = self._without_held(rows, table)
            append(self._compact(rows, table), table, **self._target)

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

    def _with_value(self, rows: "DataFrame", outcome: BatchOutcome) -> "DataFrame":
        """Raw bytes from bronze for conflicts, which the decision does not carry along."""
        from pyspark.sql import functions as F

        if not outcome.count("conflict", "flipped_to_conflict"):
            return rows
        conflict = F.col("outcome") == "conflict"
        bronze = read(self._spark, BRONZE_EVENTS, settings=self._settings).select(
            *POSITION, "value", "kafka_at"
        )
        found = rows.filter(conflict).drop("value", "kafka_at").join(bronze, list(POSITION))
        return rows.filter(~conflict).unionByName(found)

    def _quarantine_columns(self) -> list[Any]:
        from pyspark.sql import functions as F

        conflict = F.col("outcome") == "conflict"
        winner = F.concat_ws("/", "winner.topic", "winner.partition", "winner.offset")
        return [
            *POSITION,
            "event_id",
            F.when(conflict, "conflict")
            .otherwise(F.substring_index("refusal", ":", 1))
            .alias("reason"),
            F.when(conflict, F.concat(F.lit("lost to "), winner))
            .otherwise(F.nullif(F.regexp_replace("refusal", "^[^:]*:", ""), F.lit("")))
            .alias("detail"),
            F.col("value").alias("raw_value"),
            "amount",
            F.col("kafka_at").alias("first_seen_at"),
            F.lit(None).cast("timestamp").alias("replayed_at"),
            self._stamp(),
        ]

    def _stamp(self) -> Any:
        from pyspark.sql import functions as F

        return F.lit(self._refined_batch).cast("bigint").alias("refined_batch")

    def _compact(self, rows: "DataFrame", table: Table) -> "DataFrame":
        """One file per partition value and batch instead of one per task."""
        if table.partition_by is None:
            return rows.coalesce(1)
        return rows.repartition(self._settings.spark_shuffle_partitions, table.partition_by)
