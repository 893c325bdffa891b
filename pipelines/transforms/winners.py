"""Which record of a fact wins: the smallest Kafka position, alike in stream, replay and backfill.

In: the records of one topic and what silver already holds of the same facts. Out: the outcome of
every record. Nothing is dropped: a record that loses is named redelivered, repeated or conflict.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

POSITION = ("topic", "partition", "offset")


def decide(records: DataFrame, existing: DataFrame | None) -> DataFrame:
    """Outcome of each record.

    Args:
        records: topic, partition, offset, event_id, identity, content_hash, refusal and whatever
            rides along; one row per record.
        existing: topic, partition, offset, event_id, identity, content_hash, amount of accepted
            records that may share an identity; None when there are none.

    Returns:
        The rows of `records` that are not yet accepted, and the rows of `existing` that now lose
        (`is_existing`, payload null), with `outcome`: accepted, redelivered, repeated, conflict or
        quarantined, and `winner` (struct of position and event_id).
    """
    refused = records.filter(F.col("refusal").isNotNull()).select(
        "*",
        F.lit(False).alias("is_existing"),
        F.lit("quarantined").alias("outcome"),
        F.lit(None).cast(WINNER).alias("winner"),
    )
    sound = (
        records.filter(F.col("refusal").isNull())
        .drop("value", "kafka_at")  # only refusals need them; they would double the shuffle
        .withColumn("is_existing", F.lit(False))
    )
    if existing is not None:
        known = existing.join(sound.select("identity").distinct(), "identity", "left_semi")
        fresh = sound.join(known.select(*POSITION), list(POSITION), "left_anti")
        sound = fresh.unionByName(
            known.withColumn("is_existing", F.lit(True)), allowMissingColumns=True
        )
    ranked = sound.withColumn(
        "winner",
        F.first(F.struct(*POSITION, "event_id", "content_hash")).over(
            Window.partitionBy("identity").orderBy(*POSITION)
        ),
    ).withColumn("outcome", _outcome())
    settled = F.col("is_existing") & (F.col("outcome") == "accepted")
    decided = ranked.filter(~settled).withColumn("winner", F.col("winner").cast(WINNER))
    return decided.unionByName(refused, allowMissingColumns=True)


WINNER = "struct<topic:string,partition:int,offset:bigint,event_id:string,content_hash:string>"


def _outcome() -> Column:
    wins = (
        (F.col("winner.topic") == F.col("topic"))
        & (F.col("winner.partition") == F.col("partition"))
        & (F.col("winner.offset") == F.col("offset"))
    )
    return (
        F.when(wins, "accepted")
        .when(F.col("winner.content_hash") != F.col("content_hash"), "conflict")
        .when(F.col("winner.event_id") == F.col("event_id"), "redelivered")
        .otherwise("repeated")
    )
