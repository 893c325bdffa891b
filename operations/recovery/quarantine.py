"""Refused records: shown one by one, and refined again after a rule was fixed.

In: the quarantine and bronze. Out: what is accepted now is in silver, and its row in quarantine
says when; what is still refused stays as it is.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import BRONZE_EVENTS, QUARANTINE
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables import current_version
from operations.context import Context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SHOWN_CHARACTERS = 600


def refused_records(settings: Settings, *, reason: str | None, limit: int) -> Iterator[str]:
    """Refused records as text, newest first: position, reason, raw value with escapes."""
    if current_version(QUARANTINE, settings=settings) is None:
        raise LakeError("There is no quarantine yet: run ./lake demo.")
    relation = delta_relation(settings, QUARANTINE.name)
    with open_lake(settings) as lake:
        rows = lake.execute(
            f'select topic, "partition", "offset", reason, detail, raw_value from {relation} '
            "where replayed_at is null and (reason = ? or ? is null) "
            'order by first_seen_at desc, topic, "partition", "offset" desc limit ?',
            [reason, reason, limit],
        ).fetchall()
    for topic, partition, offset, code, detail, value in rows:
        raw = bytes(value or b"").decode("utf-8", errors="backslashreplace")
        shown = raw.encode("unicode_escape").decode()[:SHOWN_CHARACTERS]
        yield f"{topic}/{partition}/{offset}  {code}{f' ({detail})' if detail else ''}\n  {shown}"


def replay(context: Context, *, reason: str | None) -> tuple[int, int]:
    """Refine refused records again; how many are accepted now, and how many stay refused."""
    from pyspark.sql import functions as F

    from lakehouse.ledger import chain
    from lakehouse.tables import Transaction, merge, read
    from pipelines.silver.refine import refine_records
    from pipelines.silver.routing import last_refined_batch
    from pipelines.transforms.deduplication import POSITION

    settings, spark = context.settings, context.spark()
    facts = {"operation": "replay", "reason": reason, "id": context.outcome.run_id}
    with context.log.stage("replay") as stage:
        refused = read(spark, QUARANTINE, settings=settings).filter(F.col("replayed_at").isNull())
        if reason is not None:
            refused = refused.filter(F.col("reason") == reason)
        stage.rows_in = refused.count()
        chain.write("operations", {"kind": "intent", **facts}, settings=settings)
        records = read(spark, BRONZE_EVENTS, settings=settings).join(
            refused.select(*POSITION), list(POSITION), "left_semi"
        )
        number = last_refined_batch(settings) + 1
        app = f"replay-{context.outcome.run_id}"
        refine_records(
            records,
            settings=settings,
            transaction=Transaction(app, 0),
            refined_batch=number,
            metadata={"query": "replay", "refined_batch": number, "reason": reason},
        )
        # Not what was taken now: an earlier replay may have been cut short before its mark.
        healed = refused.join(_placed_positions(context), list(POSITION), "left_semi")
        taken = healed.count()
        if taken:
            healed = healed.withColumns(
                {
                    "replayed_at": F.current_timestamp(),
                    "refined_batch": F.lit(number).cast("bigint"),
                }
            )
            merge(
                healed,
                QUARANTINE,
                settings=settings,
                transaction=Transaction(f"{app}-mark", 0),
                metadata={"query": "replay", "refined_batch": number},
            )
        chain.write("operations", {"kind": "done", **facts, "taken": taken}, settings=settings)
        stage.rows_out = taken
        stage.note = "records"
    return taken, stage.rows_in - taken


def _placed_positions(context: Context) -> "DataFrame":
    from lakehouse.contracts.tables import CUSTOMERS, DUPLICATES, ORDER_LINES, PRODUCTS, WEB_EVENTS
    from lakehouse.tables import read
    from pipelines.transforms.deduplication import POSITION

    settings, spark = context.settings, context.spark()
    placed = read(spark, DUPLICATES, settings=settings).select(*POSITION)
    for table in (ORDER_LINES, WEB_EVENTS, CUSTOMERS, PRODUCTS):
        accepted = read(spark, table, settings=settings).selectExpr(
            "source_topic as topic", "source_partition as `partition`", "source_offset as `offset`"
        )
        placed = placed.unionByName(accepted)
    return placed.distinct()
