"""Decided records -> the rows of each silver table, the same for stream, replay and backfill.

In: the relations of a workspace once its records are decided. Out: SQL of rows that have every
column of the table's contract, stamped with the number of their batch.
"""

from lakehouse.contracts.tables import DUPLICATES, QUARANTINE, Table
from lakehouse.duck import duck_type
from pipelines.silver.parsing import new_rows
from pipelines.transforms.deduplication import PLACE

DUPLICATE = ("redelivered", "repeated")
LOST_TO = "lost to "
"""How the detail of a conflict begins; the winner's position follows."""

IS_DUPLICATE = "outcome in ('redelivered', 'repeated')"


def accepted_rows(table: Table, *, refined_batch: int) -> str:
    """Rows of the records that are accepted now."""
    return f"""
        select {_columns(table)}
        from (select *, {int(refined_batch)} as refined_batch from {new_rows(table)})
        where (source_topic, source_partition, source_offset) not in (
            select ({PLACE}) from decided where outcome <> 'accepted' and not is_existing
            union all select ({PLACE}) from known)"""


def duplicate_rows(decided: str, sound: str, *, refined_batch: int) -> str:
    """One row per record that repeats an accepted one.

    Args:
        decided: Relation with place, outcome and amount.
        sound: Relation with place, event_id and identity.
        refined_batch: Number of the batch.
    """
    return f"""
        select {_columns(DUPLICATES)}
        from (select {PLACE}, s.event_id, s.identity, d.outcome as disposition, d.amount,
                {int(refined_batch)} as refined_batch
            from (from {decided} where {IS_DUPLICATE}) as d
            join (select {PLACE}, event_id, identity from {sound}) as s using ({PLACE}))"""


def refused_rows(decided: str, refused: str, *, refined_batch: int) -> str:
    """One row per refused record.

    Args:
        decided: Relation with place and outcome.
        refused: Relation with place, event_id, reason, detail, value, amount and kafka_at.
        refined_batch: Number of the batch.
    """
    return f"""
        select {_columns(QUARANTINE)}
        from (select {PLACE}, r.event_id, r.reason, nullif(r.detail, '') as detail,
                r.value as raw_value, r.amount, r.kafka_at as first_seen_at, null as replayed_at,
                {int(refined_batch)} as refined_batch
            from (from {decided} where outcome = 'quarantined') as d
            join {refused} as r using ({PLACE}))"""


def conflict_rows(decided: str, sound: str, bronze: str, *, refined_batch: int) -> str:
    """One row per record that has the identity of its winner and another content.

    Args:
        decided: Relation with place, outcome, amount and the winner's place.
        sound: Relation with place and event_id.
        bronze: Rows of bronze that hold these records; their bytes come from there.
        refined_batch: Number of the batch.
    """
    return f"""
        select {_columns(QUARANTINE)}
        from (select {PLACE}, s.event_id, 'conflict' as reason,
                concat_ws('/', '{LOST_TO}' || topic, d.winner_partition, d.winner_offset) as detail,
                b.value as raw_value, d.amount, b.kafka_at as first_seen_at, null as replayed_at,
                {int(refined_batch)} as refined_batch
            from (from {decided} where outcome = 'conflict') as d
            join (select {PLACE}, event_id from {sound}) as s using ({PLACE})
            join (select {PLACE}, value, kafka_at from {bronze}) as b using ({PLACE}))"""


def _columns(table: Table) -> str:
    """Every column of a contract in its order and type."""
    return ", ".join(
        f'"{column.name}"::{duck_type(column)} as "{column.name}"' for column in table.columns
    )
