"""Bronze records -> silver: the one refinement that stream, replay and backfill share.

In: bronze rows. Out: accepted rows, duplicates and refusals, each written once. Side tables land
first and order lines last, so that a record is never accepted before its losers are recorded.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, QUARANTINE, Table
from lakehouse.contracts.topics import WEB_ORDERS
from lakehouse.settings import Settings
from lakehouse.tables import Transaction, current_version, read
from pipelines.silver.batch_writer import SilverWriter
from pipelines.silver.routing import (
    REFINED,
    BatchOutcome,
    Refined,
    identity_of,
    payload_column,
    tables_in_order,
)
from pipelines.transforms.deduplication import POSITION, WINNER, decide, outcome_against_winner

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession


def refine_records(
    records: "DataFrame",
    *,
    settings: Settings,
    transaction: Transaction,
    refined_batch: int,
    metadata: Mapping[str, object],
) -> BatchOutcome:
    """Refine bronze rows into silver, exactly once per transaction.

    Args:
        records: Bronze rows; positions already in silver are recognised and change nothing.
        settings: Where the state lies.
        transaction: App id of the checkpoint (or operation) and batch id.
        refined_batch: Rising number stamped on every row.
        metadata: Facts for the commits; records and money are added.
    """
    decided = _decide_all(records, settings=settings)
    if decided is None:
        return BatchOutcome()
    decided = computed(decided)
    outcome = outcome_of(decided)
    facts = {**metadata, "records": outcome.records, "amounts": outcome.amounts}
    write = SilverWriter(records.sparkSession, settings, transaction, refined_batch, facts)
    if flipped := outcome.topics_of_flips():
        write.losers(computed(losers_of(decided, topics=flipped, settings=settings)))
    write.side_tables(decided, outcome)
    for table in tables_in_order():
        write.accepted(decided, table, outcome)
    return outcome


def computed(rows: "DataFrame") -> "DataFrame":
    """Rows computed once, however often they are read.

    A checkpoint in memory, not a cache: it also ends the plan, which would be analysed and compared
    with the cached one again for every further step.
    """
    return rows.localCheckpoint()


def existing_winners(spark: "SparkSession", table: Table, *, settings: Settings) -> "DataFrame":
    """Position, identity and money of each record that a silver table has accepted."""
    from pyspark.sql import functions as F

    rows = read(spark, table, settings=settings)
    amount = F.col("line_amount") if "line_amount" in rows.columns else F.lit(None)
    return rows.select(
        F.col("source_topic").alias("topic"),
        F.col("source_partition").alias("partition"),
        F.col("source_offset").alias("offset"),
        "event_id",
        identity_of("source_topic").alias("identity"),
        "content_hash",
        amount.cast("decimal(18,4)").alias("amount"),
    )


def _decide_all(records: "DataFrame", *, settings: Settings) -> "DataFrame | None":
    from pyspark.sql import functions as F

    present = {row["topic"] for row in records.select("topic").distinct().collect()}
    parts = [
        _decide_topic(records, refined, settings=settings)
        for refined in REFINED
        if refined.topic.name in present
    ]
    dead = [dead_letter_topic(refined.topic.name) for refined in REFINED]
    if present & set(dead):
        parts.append(dead_letters(records.filter(F.col("topic").isin(dead))))
    if not parts:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part, allowMissingColumns=True)
    return whole


def _decide_topic(records: "DataFrame", refined: Refined, *, settings: Settings) -> "DataFrame":
    from pyspark.sql import functions as F

    parsed = refined.parse(records.filter(F.col("topic") == refined.topic.name)).drop("day")
    table = refined.tables[-1]  # written last: a record is settled when it is there
    known = None
    if current_version(table, settings=settings):
        parsed = computed(parsed)  # read twice: for the identities, and for the rows
        known = existing_winners(records.sparkSession, table, settings=settings).filter(
            F.col("topic") == refined.topic.name
        )
        if refined.topic is WEB_ORDERS:
            known = _one_row_each(known)
    decided = decide(parsed, known)
    return decided.withColumnRenamed("payload", payload_column(refined.tables[0]))


def _one_row_each(lines: "DataFrame") -> "DataFrame":
    """A record of several lines as one row with the money of all."""
    from pyspark.sql import functions as F

    total = F.sum("amount").cast("decimal(18,4)").alias("amount")
    return lines.groupBy([name for name in lines.columns if name != "amount"]).agg(total)


def dead_letters(records: "DataFrame") -> "DataFrame":
    """Outcome of records that a producer refused: each is quarantined."""
    from pyspark.sql import functions as F

    text = F.col("value").cast("string")
    return records.select(
        "topic",
        "partition",
        "offset",
        "kafka_at",
        "value",
        F.when(F.is_valid_utf8(text), F.get_json_object(text, "$.event_id")).alias("event_id"),
        F.concat(F.lit("contract_refused:"), F.coalesce(_told(text), F.lit(""))).alias("refusal"),
        F.lit(False).alias("is_existing"),
        F.lit("quarantined").alias("outcome"),
        F.lit(None).cast("decimal(18,4)").alias("amount"),
        F.lit(None).cast(WINNER).alias("winner"),
    )


def _told(text: "Column") -> "Column":
    """Reason and field that a dead letter names; nothing else of it may become a detail."""
    from pyspark.sql import functions as F

    reason, field = (F.get_json_object(text, f"$.{name}") for name in ("reason", "field"))
    names = F.concat_ws(": ", reason, F.when(field.rlike(r"^[\w.\[\]]{1,80}\z"), field))
    return F.when(F.is_valid_utf8(text) & reason.rlike(r"^[a-z0-9_]{1,40}\z"), names)


def outcome_of(decided: "DataFrame") -> BatchOutcome:
    """Records and money of a decided batch by topic and outcome."""
    from pyspark.sql import functions as F

    outcome = BatchOutcome()
    label = F.when(
        F.col("is_existing"), F.concat(F.lit("flipped_to_"), F.col("outcome"))
    ).otherwise(F.col("outcome"))
    counted = decided.groupBy("topic", label.alias("outcome")).agg(
        F.count("*").alias("records"), F.sum("amount").alias("amount")
    )
    for row in counted.collect():
        outcome.records.setdefault(row["topic"], {})[row["outcome"]] = row["records"]
        amount = row["amount"] if row["amount"] is not None else Decimal(0)
        outcome.amounts.setdefault(row["topic"], {})[row["outcome"]] = f"{amount:f}"
    return outcome


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
