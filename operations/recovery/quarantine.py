"""Refused records: shown one by one, and refined again after a rule was fixed.

In: the quarantine and bronze. Out: what is accepted now is in silver, and its row in quarantine
says when; what is still refused stays as it is.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, QUARANTINE
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.ledger import chain
from lakehouse.settings import Settings
from lakehouse.tables import Transaction, current_version, merge_rows, read
from operations.context import Context
from pipelines.silver.batch_writer import BATCH_ROWS
from pipelines.silver.known import SOURCE_PLACE, last_refined_batch
from pipelines.silver.refine import refine_records
from pipelines.silver.routing import SETTLING
from pipelines.transforms.deduplication import PLACE

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
    settings, number = context.settings, last_refined_batch(context.settings) + 1
    facts = {"operation": "replay", "reason": reason, "id": context.outcome.run_id}
    app = f"replay-{context.outcome.run_id}"
    with context.log.stage("replay") as stage:
        stage.rows_in = _count(settings, _refused(settings, reason))
        chain.write("operations", {"kind": "intent", **facts}, settings=settings)
        refine_records(
            _refused_in_bronze(context, reason),
            settings=settings,
            transaction=Transaction(app, 0),
            refined_batch=number,
            metadata={"query": "replay", "refined_batch": number, "reason": reason},
        )
        # Not what was taken now: an earlier replay may have been cut short before its mark.
        healed = f"""(from {_refused(settings, reason)}
            where ({PLACE}) in (select ({PLACE}) from ({_placed(settings)})))"""
        taken = _count(settings, healed)
        if taken:
            _mark(settings, healed, number=number, transaction=Transaction(f"{app}-mark", 0))
        chain.write("operations", {"kind": "done", **facts, "taken": taken}, settings=settings)
        stage.rows_out = taken
        stage.note = "records"
    return taken, stage.rows_in - taken


def _refused(settings: Settings, reason: str | None) -> str:
    """SQL of the rows of the quarantine that no replay took yet, of one reason or of all."""
    chosen = "true" if reason is None else "reason = '" + reason.replace("'", "''") + "'"
    relation = delta_relation(settings, QUARANTINE.name)
    return f"(from {relation} where replayed_at is null and {chosen})"


def _refused_in_bronze(context: Context, reason: str | None) -> "DataFrame":
    """The refused records as bronze holds them."""
    from pyspark.sql import functions as F

    settings, spark = context.settings, context.spark()
    place = ["topic", "partition", "offset"]
    refused = read(spark, QUARANTINE, settings=settings).filter(F.col("replayed_at").isNull())
    if reason is not None:
        refused = refused.filter(F.col("reason") == reason)
    bronze = read(spark, BRONZE_EVENTS, settings=settings)
    return bronze.join(refused.select(*place), place, "left_semi")


def _placed(settings: Settings) -> str:
    """SQL of the places of records that are accepted or duplicates."""
    parts = [f"select {PLACE} from {delta_relation(settings, DUPLICATES.name)}"]
    parts += [
        f"select {SOURCE_PLACE} from {delta_relation(settings, table.name)}" for table in SETTLING
    ]
    return " union ".join(parts)


def _mark(settings: Settings, healed: str, *, number: int, transaction: Transaction) -> None:
    """Say in the quarantine that these rows were taken."""
    with open_lake(settings) as lake:
        rows = lake.execute(f"""
            select * replace (now() as replayed_at, {number}::bigint as refined_batch)
            from {healed}""")
        merge_rows(
            rows.to_arrow_reader(BATCH_ROWS),
            QUARANTINE,
            settings=settings,
            transaction=transaction,
            metadata={"query": "replay", "refined_batch": number},
        )


def _count(settings: Settings, rows: str) -> int:
    with open_lake(settings) as lake:
        return int(lake.execute(f"select count(*) from {rows}").fetchall()[0][0])
