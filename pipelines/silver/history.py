"""All of bronze decided at once: what silver must hold, whatever streams did before.

In: bronze at one version. Out: every record of the asked days with its outcome, computed, winners
decided over all of bronze. The parsers and the rules of winners are those of the stream.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.settings import Settings
from lakehouse.tables import read
from pipelines.silver.days import Days, day_of
from pipelines.silver.refine import computed, dead_letters
from pipelines.silver.routing import Refined, identity_of, payload_column
from pipelines.transforms.deduplication import POSITION, decide

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def decide_history(
    spark: "SparkSession",
    *,
    settings: Settings,
    wanted: Sequence[Refined],
    days: Days,
    bronze_version: int,
) -> "DataFrame":
    """Outcome of each record that concerns these days.

    These are the records whose day is one of them, those that silver holds on one of them, and all
    others that share an identity with one of these. Refused records of no readable day and dead
    letters come along only when everything is asked for. Columns as `decide` gives them, and `day`
    and `fact`, the identity before refusals were told apart.
    """
    from pyspark.sql import functions as F

    bronze = read(spark, BRONZE_EVENTS, settings=settings, version=bronze_version)
    present = {row["topic"] for row in bronze.select("topic").distinct().collect()}
    parts = [dead_letters(bronze.filter(F.col("topic").isin(_dead_topics(wanted, days))))]
    for refined in [each for each in wanted if each.topic.name in present] or wanted[:1]:
        parsed = refined.parse(bronze.filter(F.col("topic") == refined.topic.name)).withColumn(
            "fact", F.col("identity")
        )
        if not days.is_everything:
            parsed = computed(parsed)  # read several times: for the identities, and for the rows
            parsed = _concerned(parsed, _accepted(spark, refined, settings=settings), days=days)
        payload = payload_column(refined.tables[0])
        parts.append(decide(parsed, None).withColumnRenamed("payload", payload))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part, allowMissingColumns=True)
    return computed(whole)


def changes_elsewhere(
    decided: "DataFrame", *, settings: Settings, wanted: Sequence[Refined], days: Days
) -> tuple[int, Days]:
    """Records that enter or leave silver on other days than those asked for.

    It happens when a rule changed since: a record that is accepted now, or not any more, gives its
    place to one of another day. To write these days alone would double or lose a fact.

    Returns:
        How many, and days that hold all of them.
    """
    from pyspark.sql import functions as F

    if days.is_everything:
        return 0, days
    place = [*POSITION, "day"]
    moved: DataFrame | None = None
    for refined in wanted:
        mine = decided.filter(F.col("topic") == refined.topic.name)
        held = _accepted(decided.sparkSession, refined, settings=settings)
        before = held.join(
            mine.select(F.col("fact").alias("identity")).distinct(), "identity", "left_semi"
        ).select(*place)
        after = mine.filter(F.col("outcome") == "accepted").select(*place)
        apart = before.subtract(after).unionByName(after.subtract(before))
        apart = apart.filter(~days.hold(F.col("day")))
        moved = apart if moved is None else moved.unionByName(apart)
    if moved is None:
        return 0, days
    found = moved.agg(F.count("*"), F.min("day"), F.max("day")).collect()[0]
    return int(found[0]), Days(found[1], found[2])


def _dead_topics(wanted: Sequence[Refined], days: Days) -> list[str]:
    """Topics of dead letters that come along: those have no day."""
    return [dead_letter_topic(each.topic.name) for each in wanted if days.is_everything]


def _accepted(spark: "SparkSession", refined: Refined, *, settings: Settings) -> "DataFrame":
    """Position, identity and day of each record of a topic that silver has accepted."""
    from pyspark.sql import functions as F

    table = refined.tables[-1]
    return (
        read(spark, table, settings=settings)
        .filter(F.col("source_topic") == refined.topic.name)
        .select(
            F.col("source_topic").alias("topic"),
            F.col("source_partition").alias("partition"),
            F.col("source_offset").alias("offset"),
            identity_of("source_topic").alias("identity"),
            day_of(table).alias("day"),
        )
        .distinct()
    )


def _concerned(parsed: "DataFrame", held: "DataFrame", *, days: Days) -> "DataFrame":
    """Records of these days, records that silver holds on them, and all of the same identity."""
    from pyspark.sql import functions as F

    here = held.filter(days.hold(F.col("day")))
    facts = (
        parsed.filter(days.hold(F.col("day")))
        .select("fact")
        .unionByName(here.select(F.col("identity").alias("fact")))
        .distinct()
    )
    unreadable = parsed.filter(F.col("fact").isNull())
    return parsed.join(facts, "fact", "left_semi").unionByName(
        unreadable.join(here.select(*POSITION), list(POSITION), "left_semi")
    )
