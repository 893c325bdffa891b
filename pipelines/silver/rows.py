"""Decided records -> the rows of each silver table, alike for stream, replay and backfill.

In: records with their outcome. Out: rows of the contracts, stamped with the number of their batch.
"""

from typing import TYPE_CHECKING, Any

from lakehouse.contracts.tables import CUSTOMER_CONTACTS, CUSTOMERS, Table
from lakehouse.settings import Settings
from pipelines.silver.routing import REFINED, payload_column
from pipelines.transforms.deduplication import POSITION

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

DUPLICATE = ("redelivered", "repeated")
REFUSED = ("quarantined", "conflict")


def accepted_rows(decided: "DataFrame", table: Table, *, refined_batch: int) -> "DataFrame | None":
    """Rows of the accepted records of a table; None when no record has the payload for it."""
    from pyspark.sql import functions as F

    payload = payload_column(CUSTOMER_CONTACTS if table is CUSTOMERS else table)
    if payload not in decided.columns:
        return None
    accepted = (F.col("outcome") == "accepted") & F.col("topic").isin(*topics_of(table))
    exploded = decided.filter(accepted).select(
        *POSITION, "event_id", "content_hash", F.explode(payload).alias("_row")
    )
    return exploded.select(
        "event_id",
        "content_hash",
        "_row.*",
        _stamp(refined_batch),
        F.col("topic").alias("source_topic"),
        F.col("partition").alias("source_partition"),
        F.col("offset").alias("source_offset"),
    ).select(*table.column_names())


def duplicate_rows(decided: "DataFrame", *, refined_batch: int) -> "DataFrame":
    """One row per record that repeats an accepted one."""
    from pyspark.sql import functions as F

    return decided.filter(F.col("outcome").isin(*DUPLICATE)).select(
        *POSITION,
        "event_id",
        "identity",
        F.col("outcome").alias("disposition"),
        "amount",
        _stamp(refined_batch),
    )


def refused_rows(
    decided: "DataFrame", bronze: "DataFrame | None", *, refined_batch: int
) -> "DataFrame":
    """One row per refused or conflicting record; a conflict's raw bytes come from bronze.

    Args:
        decided: Records with their outcome; only refused ones carry value and kafka_at along.
        bronze: Rows of bronze that hold the conflicts; None when there is no conflict.
        refined_batch: Number of the batch.
    """
    from pyspark.sql import functions as F

    conflict = F.col("outcome") == "conflict"
    whole = decided.filter(F.col("outcome").isin(*REFUSED))
    if bronze is not None:
        found = (
            whole.filter(conflict)
            .drop("value", "kafka_at")
            .join(bronze.select(*POSITION, "value", "kafka_at"), list(POSITION))
        )
        whole = whole.filter(~conflict).unionByName(found)
    winner = F.concat_ws("/", "winner.topic", "winner.partition", "winner.offset")
    said = F.nullif(F.regexp_replace("refusal", "^[^:]*:", ""), F.lit(""))
    return whole.select(
        *POSITION,
        "event_id",
        F.when(conflict, "conflict")
        .otherwise(F.substring_index("refusal", ":", 1))
        .alias("reason"),
        F.when(conflict, F.concat(F.lit(LOST_TO), winner)).otherwise(said).alias("detail"),
        F.col("value").alias("raw_value"),
        "amount",
        F.col("kafka_at").alias("first_seen_at"),
        F.lit(None).cast("timestamp").alias("replayed_at"),
        _stamp(refined_batch),
    )


LOST_TO = "lost to "
"""How the detail of a conflict begins; the winner's position follows."""


def topics_of(table: Table) -> tuple[str, ...]:
    """Topics whose accepted records fill a table."""
    return tuple(each.topic.name for each in REFINED if table in each.tables)


def compact(rows: "DataFrame", table: Table, *, settings: Settings) -> "DataFrame":
    """One file per partition value and write instead of one per task."""
    if table.partition_by is None:
        return rows.coalesce(1)
    return rows.repartition(settings.spark_shuffle_partitions, table.partition_by)


def _stamp(refined_batch: int) -> Any:
    from pyspark.sql import functions as F

    return F.lit(refined_batch).cast("bigint").alias("refined_batch")
