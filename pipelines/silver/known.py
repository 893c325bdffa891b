"""What silver holds already of a batch's facts, found without reading all of silver.

In: a batch's ids or places. Out: the accepted records of the same facts, rows of side tables at the
same places. A table's files are passed over where Delta's statistics exclude all that is looked
for: ids begin with the business time, so the cost does not grow with history. An id without a time
only excludes less.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.contracts.identity import identity_sql
from lakehouse.contracts.tables import ORDER_LINES, TABLES, Table
from lakehouse.duck import delta_relation, files_relation, open_lake
from lakehouse.settings import Settings
from lakehouse.tables import live_files
from pipelines.silver.routing import SETTLING, topics_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RANGES = 256
"""Ids and offsets are looked for as this many ranges at most."""

SOURCE_PLACE = 'source_topic as topic, source_partition as "partition", source_offset as "offset"'


def last_refined_batch(settings: Settings, *, versions: Mapping[str, int] | None = None) -> int:
    """Highest refined_batch of any silver table, now or as pinned; 0 when silver is empty."""
    pinned = versions or {}
    parts = [
        "select max(refined_batch) as number from "
        + delta_relation(settings, table.name, version=pinned.get(table.name))
        for table in TABLES
        if "refined_batch" in table.column_names()
    ]
    with open_lake(settings) as lake:
        found = lake.execute(f"select max(number) from ({' union all '.join(parts)})").fetchone()
    return int(found[0] or 0) if found else 0


def find_known(lake: "DuckDBPyConnection", *, settings: Settings) -> None:
    """Make the table `known`: accepted records that share an identity with one of `records`."""
    parts = []
    for table in SETTLING:
        topics = ", ".join(f"'{name}'" for name in topics_of(table))
        wanted = f"(select identity from records where reason is null and topic in ({topics}))"
        rows = rows_by_id(lake, table, wanted, settings=settings)
        amount = "line_amount" if table is ORDER_LINES else "null"
        identity = identity_sql("source_topic", "event_id")
        parts.append(f"""
            select {SOURCE_PLACE}, event_id, {identity} as identity, content_hash,
                sum({amount})::decimal(18, 4) as amount
            from {rows} group by all""")
    lake.execute(f"""
        create or replace temp table known as
        from ({" union all ".join(parts)})
        where (topic, identity) in (select (topic, identity) from records where reason is null)""")


def rows_by_id(lake: "DuckDBPyConnection", table: Table, wanted: str, *, settings: Settings) -> str:
    """SQL of the rows of a table's files that may hold one of the wanted ids.

    Args:
        lake: The batch's connection.
        table: It has the column event_id.
        wanted: SQL of a relation with a column `identity`; an event_id begins with its identity.
        settings: Where the state lies.
    """
    lake.execute(f"""
        create or replace temp table wanted_ranges as
        select min(identity) as least, max(identity || '~') as most
        from (select identity, ntile({RANGES}) over (order by identity) as part from {wanted})
        group by part""")
    condition = """(f."max.event_id" is null or r.least <= f."max.event_id")
        and (f."min.event_id" is null or r.most >= f."min.event_id")"""
    return _rows_of_files(lake, table, condition, settings=settings)


def rows_by_place(
    lake: "DuckDBPyConnection", table: Table, wanted: str, *, settings: Settings
) -> str:
    """SQL of the rows of a table's files that may hold one of the wanted places.

    Args:
        lake: The batch's connection.
        table: It has the columns of a place.
        wanted: SQL of a relation with the columns topic and offset.
        settings: Where the state lies.
    """
    lake.execute(f"""
        create or replace temp table wanted_ranges as
        select topic, min("offset") as first, max("offset") as last
        from (select topic, "offset", ntile({RANGES}) over (order by topic, "offset") as part
              from {wanted})
        group by topic, part""")
    condition = """(f."min.topic" is null or r.topic between f."min.topic" and f."max.topic")
        and (f."min.offset" is null or (r.last >= f."min.offset" and r.first <= f."max.offset"))"""
    return _rows_of_files(lake, table, condition, settings=settings)


def _rows_of_files(
    lake: "DuckDBPyConnection", table: Table, condition: str, *, settings: Settings
) -> str:
    """SQL of the rows of those files `f` for which one of `wanted_ranges` `r` fits."""
    lake.register("files_now", live_files(table, settings=settings))
    paths = lake.execute(f"""
        select path from files_now as f
        where exists (select 1 from wanted_ranges as r where {condition})""").fetchall()
    lake.unregister("files_now")
    return files_relation([Path(path) for (path,) in paths], table)
