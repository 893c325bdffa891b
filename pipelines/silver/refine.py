"""Bronze records -> silver: the one refinement that stream and replay share.

In: bronze rows. Out: accepted rows, duplicates and refusals, each written once. Side tables land
first and order lines last, so that a record is never accepted before its duplicates are recorded.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from lakehouse.contracts.identity import identity_sql
from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, QUARANTINE
from lakehouse.settings import Settings
from lakehouse.tables import Transaction
from pipelines.silver.batch_writer import BATCH_ROWS, BatchWriter
from pipelines.silver.known import find_known, rows_by_id, rows_by_place
from pipelines.silver.parsing import (
    BRONZE_COLUMNS,
    RECORDS,
    RECORDS_SCHEMA,
    parsed,
    record_functions,
)
from pipelines.silver.routing import (
    IS_SUPERSEDED,
    BatchOutcome,
    RecordFunction,
    tables_in_order,
)
from pipelines.silver.workspace import open_workspace
from pipelines.transforms.deduplication import OUTCOME, PLACE, decide

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyspark.sql import DataFrame


def refine_records(
    records: "DataFrame",
    *,
    settings: Settings,
    transaction: Transaction,
    refined_batch: int,
    metadata: Mapping[str, object],
    functions: Mapping[str, RecordFunction] | None = None,
) -> BatchOutcome:
    """Refine bronze rows into silver, exactly once per transaction.

    Args:
        records: Bronze rows; positions already in silver are recognised and change nothing.
        settings: Where the state lies.
        transaction: App id of the checkpoint (or operation) and batch id.
        refined_batch: Rising number stamped on every row.
        metadata: Facts for the commits; records and money are added.
        functions: Record function by topic; default: those of the routes.
    """
    functions = functions or record_functions()
    with open_workspace(records, settings=settings, functions=functions) as lake:
        find_known(lake, settings=settings)
        decide(lake)
        outcome = outcome_of(lake)
        facts = {**metadata, "records": outcome.records, "amounts": outcome.amounts}
        write = BatchWriter(lake, settings, transaction, refined_batch, facts)
        if outcome.superseded():
            find_earlier_duplicates(lake, settings=settings, functions=functions)
            write.reassign_duplicates()
        write.side_tables(outcome)
        for table in tables_in_order():
            write.accepted(table, outcome)
    return outcome


def outcome_of(lake: "DuckDBPyConnection") -> BatchOutcome:
    """Records and money of a decided batch by topic and outcome."""
    outcome = BatchOutcome()
    for topic, label, records, amount in lake.execute(f"""
        select topic, if(is_existing, '{IS_SUPERSEDED}', '') || outcome, count(*), sum(amount)
        from decided group by all order by all""").fetchall():
        outcome.records.setdefault(topic, {})[label] = records
        money = amount if amount is not None else Decimal(0)
        outcome.amounts.setdefault(topic, {})[label] = f"{money:f}"
    return outcome


def find_earlier_duplicates(
    lake: "DuckDBPyConnection", *, settings: Settings, functions: Mapping[str, RecordFunction]
) -> None:
    """Make the relation `reassigned`: records that had lost to a winner that this batch supersedes.

    Each is read again from bronze and decided against the new winner, so that no record ever names
    one that is not accepted. Columns are those that the side tables' rows are made from.
    """
    lake.execute(f"""
        create or replace temp table new_winners as
        select distinct s.topic, s.identity, d.winner_partition, d.winner_offset,
            w.event_id as winner_event, w.content_hash as winner_content
        from (from decided where is_existing) as d
        join sound as s using ({PLACE})
        join sound as w on (w.topic, w."partition", w."offset")
            = (d.topic, d.winner_partition, d.winner_offset)""")
    duplicates = rows_by_id(lake, DUPLICATES, "new_winners", settings=settings)
    lake.execute(f"""
        create or replace temp table earlier as
        select {PLACE} from {duplicates}
        where (topic, identity) in (select (topic, identity) from new_winners)""")
    refused = rows_by_id(lake, QUARANTINE, "new_winners", settings=settings)
    lake.execute(f"""
        insert into earlier select {PLACE} from {refused}
        where reason = 'conflict' and replayed_at is null
            and (topic, {identity_sql("topic", "event_id")})
                in (select (topic, identity) from new_winners)""")
    lake.execute(f"delete from earlier where ({PLACE}) in (select ({PLACE}) from decided)")
    bronze = rows_by_place(lake, BRONZE_EVENTS, "earlier", settings=settings)
    columns = ", ".join(f'"{name}"' for name in BRONZE_COLUMNS)
    lake.execute(f"""
        create or replace temp table earlier_bronze as
        select {columns} from {bronze} where ({PLACE}) in (select ({PLACE}) from earlier)""")
    lake.register("none_yet", RECORDS_SCHEMA.empty_table())
    lake.execute("create or replace temp table reparsed as from none_yet")
    for batch in lake.execute("from earlier_bronze").to_arrow_table().to_batches(BATCH_ROWS):
        lake.register("more", parsed(batch, functions)[RECORDS])
        lake.execute("insert into reparsed select * from more")
    lake.execute(f"""
        create or replace temp table reassigned as
        select r.* exclude (value, kafka_at), b.value, b.kafka_at, winner_partition, winner_offset,
            if(reason is null, {OUTCOME}, 'quarantined') as outcome
        from reparsed as r join earlier_bronze as b using ({PLACE})
        join new_winners using (topic, identity)""")
