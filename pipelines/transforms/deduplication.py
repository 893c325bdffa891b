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
    refused = F.col("refusal").isNotNull()
    position = F.concat_ws("/", *POSITION)
    candidates = records.select(
        *[name for name in records.columns if name not in ("identity", *_ONLY_REFUSED)],
        F.when(refused, position).otherwise(F.col("identity")).alias("identity"),
        # Only refusals need these; with every record they would double the shuffle.
        *[F.when(refused, F.col(name)).alias(name) for name in _ONLY_REFUSED],
        F.lit(False).alias("is_existing"),
    )
    if existing is not None:
        known = existing.join(candidates.select("identity").distinct(), "identity", "left_semi")
        fresh = candidates.join(known.select(*POSITION), list(POSITION), "left_anti")
        candidates = fresh.unionByName(
            known.withColumn("is_existing", F.lit(True)), allowMissingColumns=True
        )
    ranked = candidates.withColumn(
        "winner",
        F.first(F.struct(*POSITION, "event_id", "content_hash")).over(
            # Apart from the sound ones: an event_id may have the form of a position.
            Window.partitionBy("identity", refused).orderBy(*POSITION)
        ),
    ).withColumn("outcome", F.when(refused, "quarantined").otherwise(outcome_against_winner()))
    settled = F.col("is_existing") & (F.col("outcome") == "accepted")
    winner = F.when(~refused, F.col("winner")).cast(WINNER)
    return ranked.filter(~settled).withColumn("winner", winner)


_ONLY_REFUSED = ("value", "kafka_at")
WINNER = "struct<topic:string,partition:int,offset:bigint,event_id:string,content_hash:string>"


def outcome_against_winner() -> Column:
    """Outcome of a sound record against `winner`: position, event_id and content_hash decide."""
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
