"""Which record of a fact wins: the smallest Kafka position, in stream, replay and backfill.

In: the relations `records` (what each record of a batch says) and `known` (records that silver has
accepted of the same facts). Out: the relation `decided`, one row per record that gets a place now.
Nothing is dropped: a record that does not win is redelivered, repeated or a conflict, and says
which record it lost to.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLACE = 'topic, "partition", "offset"'
KNOWN_COLUMNS = f"{PLACE}, event_id, identity, content_hash, amount"
OUTCOME = """case
    when winner_partition = "partition" and winner_offset = "offset" then 'accepted'
    when winner_content <> content_hash then 'conflict'
    when winner_event = event_id then 'redelivered'
    else 'repeated' end"""
"""Outcome of a sound record against the winner of its identity."""


def decide(lake: "DuckDBPyConnection") -> None:
    """Make the relations `sound` and `decided`.

    `sound` is every sound record in question, old (`is_existing`) or new. `decided` has the place
    of each record, `is_existing`, amount, `outcome` (accepted, redelivered, repeated, conflict or
    quarantined) and the place of its winner. Records that stay accepted have no row: neither those
    of `known` that keep their place, nor those of `records` that are among them.
    """
    lake.execute(f"""
        create or replace temp view unsettled as
        select * from records anti join known using ({PLACE})""")
    lake.execute(f"""
        create or replace temp view sound as
        select {KNOWN_COLUMNS}, false as is_existing from unsettled where reason is null
        union all
        select {KNOWN_COLUMNS}, true from known""")
    # By a short key, since nearly all identities are alone: only the others are looked at closely.
    lake.execute("""
        create or replace temp table contested as
        select topic, md5_number(identity) as key from sound group by all having count(*) > 1""")
    lake.execute(f"""
        create or replace temp table decided as
        with shared as (
            select * from sound where (topic, md5_number(identity)) in (from contested)
        ), ranked as (
            select *,
                first_value("partition") over facts as winner_partition,
                first_value("offset") over facts as winner_offset,
                first_value(event_id) over facts as winner_event,
                first_value(content_hash) over facts as winner_content
            from shared
            window facts as (partition by topic, identity order by "partition", "offset")
        ), judged as (
            select {PLACE}, is_existing, amount, {OUTCOME} as outcome,
                winner_partition, winner_offset
            from ranked
        )
        from judged where not (is_existing and outcome = 'accepted')
        union all
        select {PLACE}, false, amount, 'accepted', "partition", "offset" from sound
        where not is_existing and (topic, md5_number(identity)) not in (from contested)
        union all
        select {PLACE}, false, amount, 'quarantined', null, null from unsettled
        where reason is not null""")
