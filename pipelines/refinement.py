"""Bronze records -> silver: the one refinement that stream, replay and backfill share.

In: bronze rows. Out: accepted rows, duplicates and refusals, each written once. Side tables land
first and order lines last, so that a record is never accepted before its losers are recorded.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    CUSTOMER_CONTACTS,
    CUSTOMERS,
    DUPLICATES,
    ORDER_LINES,
    PRODUCTS,
    QUARANTINE,
    WEB_EVENTS,
    Table,
)
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ERP_INVOICE_LINES,
    WEB_ORDERS,
    Topic,
)
from lakehouse.contracts.topics import WEB_EVENTS as WEB_EVENTS_TOPIC
from lakehouse.settings import Settings
from lakehouse.tables import Transaction, append, current_version, merge, read
from pipelines.transforms.erp import read_invoice_lines
from pipelines.transforms.sources import (
    read_customers,
    read_products,
    read_web_events,
    read_web_orders,
)
from pipelines.transforms.winners import POSITION, WINNER, decide

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Refined:
    """How one topic becomes silver: its parser and the tables its payload fills."""

    topic: Topic
    parse: "Callable[[DataFrame], DataFrame]"
    tables: tuple[Table, ...]


REFINED = (
    Refined(CATALOG_PRODUCTS, read_products, (PRODUCTS,)),
    Refined(CRM_CUSTOMERS, read_customers, (CUSTOMER_CONTACTS, CUSTOMERS)),
    Refined(WEB_EVENTS_TOPIC, read_web_events, (WEB_EVENTS,)),
    Refined(WEB_ORDERS, read_web_orders, (ORDER_LINES,)),
    Refined(ERP_INVOICE_LINES, read_invoice_lines, (ORDER_LINES,)),
)
"""In the order of writing: order lines last."""


@dataclass
class BatchOutcome:
    """What one batch did: records and money by (topic, outcome)."""

    records: dict[str, dict[str, int]] = field(default_factory=dict)
    amounts: dict[str, dict[str, str]] = field(default_factory=dict)

    def count(self, *outcomes: str, topics: tuple[str, ...] = ()) -> int:
        return sum(
            number
            for topic, found in self.records.items()
            if not topics or topic in topics
            for outcome, number in found.items()
            if outcome in outcomes
        )


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
    with contextlib.ExitStack() as cached:
        decided = _decide_all(records, settings=settings, cached=cached)
        if decided is None:
            return BatchOutcome()
        decided = _cache(decided, cached)
        outcome = _outcome_of(decided)
        facts = {**metadata, "records": outcome.records, "amounts": outcome.amounts}
        write = _Writer(records.sparkSession, settings, transaction, refined_batch, facts)
        write.side_tables(decided, outcome)
        for table in _tables_in_order():
            write.accepted(decided, table, outcome)
        return outcome


def _cache(rows: "DataFrame", stack: contextlib.ExitStack) -> "DataFrame":
    """Compute rows once, however often they are read, until the stack ends."""
    rows = rows.persist()
    stack.callback(rows.unpersist)
    return rows


def existing_winners(spark: "SparkSession", table: Table, *, settings: Settings) -> "DataFrame":
    """Position, identity and money of each record that a silver table has accepted."""
    from pyspark.sql import functions as F

    rows = read(spark, table, settings=settings)
    identity = F.regexp_replace("event_id", r"^([0-9a-f]{64})-[0-9]+\z", "$1")
    amount = F.col("line_amount") if "line_amount" in rows.columns else F.lit(None)
    return rows.select(
        F.col("source_topic").alias("topic"),
        F.col("source_partition").alias("partition"),
        F.col("source_offset").alias("offset"),
        "event_id",
        F.when(F.col("source_topic") == ERP_INVOICE_LINES.name, identity)
        .otherwise(F.col("event_id"))
        .alias("identity"),
        "content_hash",
        amount.cast("decimal(18,4)").alias("amount"),
    )


def _decide_all(
    records: "DataFrame", *, settings: Settings, cached: contextlib.ExitStack
) -> "DataFrame | None":
    from pyspark.sql import functions as F

    present = {row["topic"] for row in records.select("topic").distinct().collect()}
    parts = [
        _decide_topic(records, refined, settings=settings, cached=cached)
        for refined in REFINED
        if refined.topic.name in present
    ]
    dead = [dead_letter_topic(refined.topic.name) for refined in REFINED]
    if present & set(dead):
        parts.append(_dead_letters(records.filter(F.col("topic").isin(dead))))
    if not parts:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part, allowMissingColumns=True)
    return whole


def _decide_topic(
    records: "DataFrame", refined: Refined, *, settings: Settings, cached: contextlib.ExitStack
) -> "DataFrame":
    from pyspark.sql import functions as F

    parsed = refined.parse(records.filter(F.col("topic") == refined.topic.name))
    table = refined.tables[-1]  # written last: a record is settled when it is there
    known = None
    if current_version(table, settings=settings):
        parsed = _cache(parsed, cached)  # read twice: for the identities, and for the rows
        known = existing_winners(records.sparkSession, table, settings=settings).filter(
            F.col("topic") == refined.topic.name
        )
        if refined.topic is WEB_ORDERS:
            known = _one_row_each(known)
    decided = decide(parsed, known)
    return decided.withColumnRenamed("payload", _payload_column(refined.tables[0]))


def _one_row_each(lines: "DataFrame") -> "DataFrame":
    """A record of several lines as one row with the money of all."""
    from pyspark.sql import functions as F

    total = F.sum("amount").cast("decimal(18,4)").alias("amount")
    return lines.groupBy([name for name in lines.columns if name != "amount"]).agg(total)


def _dead_letters(records: "DataFrame") -> "DataFrame":
    from pyspark.sql import functions as F

    text = F.col("value").cast("string")
    return records.select(
        "topic",
        "partition",
        "offset",
        "kafka_at",
        "value",
        F.when(F.is_valid_utf8(text), F.get_json_object(text, "$.event_id")).alias("event_id"),
        F.lit("contract_refused:").alias("refusal"),
        F.lit(False).alias("is_existing"),
        F.lit("quarantined").alias("outcome"),
        F.lit(None).cast("decimal(18,4)").alias("amount"),
        F.lit(None).cast(WINNER).alias("winner"),
    )


def _payload_column(table: Table) -> str:
    return f"payload_{table.name.partition('.')[2]}"


def _tables_in_order() -> tuple[Table, ...]:
    ordered = [table for refined in REFINED for table in refined.tables]
    return tuple(dict.fromkeys(ordered))


def _outcome_of(decided: "DataFrame") -> BatchOutcome:
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


class _Writer:
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
        from pyspark.sql import functions as F

        payload = _payload_column(table)
        if table is CUSTOMERS:
            payload = _payload_column(CUSTOMER_CONTACTS)
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
