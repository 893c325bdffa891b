"""Kafka -> bronze.events, every record exactly once.

In: all source topics and their dead letters. Out: one Delta commit per batch with the raw bytes,
the app transaction and the batch's offset ranges. Run standalone: `lake ingest --once`.
"""

import json
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.contracts.topics import subscribed_topics
from lakehouse.settings import Settings
from lakehouse.tables import Transaction, append_rows, current_version
from streaming.checkpoints import app_id, kafka_ranges, require_present, start_file
from streaming.kafka_admin import partition_count
from streaming.queries import FOLLOW_TRIGGER, KAFKA_OPTIONS, start_query
from streaming.retention import require_all_held

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

QUERY = "ingest"


def start_ingest(
    spark: "SparkSession",
    *,
    settings: Settings,
    follow: bool,
    every: str = FOLLOW_TRIGGER,
) -> "StreamingQuery":
    """Start the ingest query; its checkpoint decides where it goes on.

    A new checkpoint begins at the earliest record, or where `lake reset ingest` noted.

    Args:
        spark: The session.
        settings: Where the state and the broker are.
        follow: Go on until stopped, else stop at the present end of the topics.
        every: How often it looks for news while it follows.

    Raises:
        LakeError: The checkpoint is gone while bronze has rows: a new one would land them twice;
            or Kafka deleted records before they were read.
    """
    if current_version(BRONZE_EVENTS, settings=settings):
        require_present(QUERY, layer="bronze", settings=settings)
    require_all_held(settings)
    stream = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.bootstrap)
        .option("subscribe", ",".join(subscribed_topics()))
        .option("startingOffsets", _starting_offsets(settings))
        .options(**KAFKA_OPTIONS)
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", settings.ingest_max_records)
        .load()
    )

    def land(batch: "DataFrame", batch_id: int) -> None:
        append_rows(
            bronze_rows(batch, batch_id).toArrow().to_reader(),
            BRONZE_EVENTS,
            settings=settings,
            transaction=Transaction(app_id(QUERY, settings=settings), batch_id),
            metadata={
                "query": QUERY,
                "batch_id": batch_id,
                "ranges": kafka_ranges(QUERY, batch_id, settings=settings),
            },
        )
        # Used up: should this checkpoint get lost, the note would be too old.
        start_file(QUERY, settings=settings).unlink(missing_ok=True)

    return start_query(stream, land, name=QUERY, settings=settings, follow=follow, every=every)


def _starting_offsets(settings: Settings) -> str:
    """Kafka's JSON of offsets, or "earliest"; partitions that a reset did not note start there."""
    path = start_file(QUERY, settings=settings)
    noted = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if not noted:
        return "earliest"
    earliest = -2
    return json.dumps(
        {
            topic: {
                str(partition): noted.get(topic, {}).get(str(partition), earliest)
                for partition in range(partition_count(topic))
            }
            for topic in subscribed_topics()
        }
    )


def bronze_rows(records: "DataFrame", batch_id: int) -> "DataFrame":
    """Kafka records as bronze rows, one per record, bytes untouched."""
    from pyspark.sql import Column
    from pyspark.sql import functions as F

    def header(name: str) -> Column:
        found = F.filter("headers", lambda each: each["key"] == name)
        return F.get(found, 0)["value"].cast("string")

    return records.select(
        "topic",
        "partition",
        "offset",
        "key",
        "value",
        header("producer_session").alias("producer_session"),
        header("producer_seq").try_cast("bigint").alias("producer_seq"),
        F.col("timestamp").alias("kafka_at"),
        F.current_timestamp().alias("ingested_at"),
        F.lit(batch_id).cast("bigint").alias("batch_id"),
    )
