"""Records whose winner lost its place: each is decided again, against the record that beat it.

In: a decided batch in which accepted records lose. Out: the earlier losers of the same facts, with
their new outcome and winner, so that no record ever names one that is not accepted.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, QUARANTINE
from lakehouse.settings import Settings
from lakehouse.tables import read
from pipelines.refined_topics import REFINED, identity_of
from pipelines.transforms.winners import POSITION, outcome_against_winner

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def losers_of(decided: "DataFrame", *, topics: Collection[str], settings: Settings) -> "DataFrame":
    """Earlier losers of the facts whose winner changes in this batch.

    Args:
        decided: The batch.
        topics: Topics of the records that lose in it, one at least: each costs a plan of its own.
        settings: Where the state lies.

    Returns:
        One row per record, with the columns that the side tables are written from: position,
        event_id, identity, amount, refusal, value, kafka_at, outcome and winner.
    """
    from pyspark.sql import functions as F

    spark = decided.sparkSession
    beaten = decided.filter(F.col("is_existing")).select("topic", "identity", "winner").distinct()
    duplicates = read(spark, DUPLICATES, settings=settings).select(*POSITION, "identity")
    conflicts = (
        read(spark, QUARANTINE, settings=settings)
        .filter((F.col("reason") == "conflict") & F.col("replayed_at").isNull())
        .select(*POSITION, identity_of("topic").alias("identity"))
    )
    found = (
        duplicates.unionByName(conflicts)
        .join(beaten, ["topic", "identity"], "left_semi")
        .select(*POSITION)
        .distinct()
        .join(decided.select(*POSITION), list(POSITION), "left_anti")
    )
    bronze = read(spark, BRONZE_EVENTS, settings=settings).join(found, list(POSITION), "left_semi")
    parts = [
        refined.parse(bronze.filter(F.col("topic") == refined.topic.name)).drop("payload")
        for refined in REFINED
        if refined.topic.name in topics
    ]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part)
    refused = F.col("refusal").isNotNull()
    return whole.join(beaten, ["topic", "identity"]).withColumn(
        "outcome", F.when(refused, "quarantined").otherwise(outcome_against_winner())
    )
