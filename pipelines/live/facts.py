"""The facts of the live figures: order lines and visits of today and yesterday, each counted once.

In: records of the source topics, in any batches. Out: an in-memory DuckDB with their accepted rows.
Records become rows by silver's own functions, and which record of a fact counts is decided by
silver's own rule, so a late, doubled or conflicting record does here what it will do in gold.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute

from lakehouse.contracts.tables import ORDER_LINES, WEB_EVENTS
from lakehouse.duck import open_memory
from pipelines.silver.parsing import (
    RECORDS,
    RECORDS_SCHEMA,
    new_rows,
    parsed,
    rows_schema,
)
from pipelines.silver.routing import ROUTES, RecordFunction
from pipelines.transforms.deduplication import KNOWN_COLUMNS, PLACE, decide

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLES = (ORDER_LINES, WEB_EVENTS)
TOPICS = tuple(each.topic.name for each in ROUTES if set(each.tables) & set(TABLES))
"""Source topics whose records move a live figure."""

_SOURCE_PLACE = "(source_topic, source_partition, source_offset)"
_DAY = {ORDER_LINES.name: "order_date", WEB_EVENTS.name: "event_date"}


def live_functions() -> dict[str, RecordFunction]:
    """The record function of each of `TOPICS`."""
    return {each.topic.name: each.refine for each in ROUTES if each.topic.name in TOPICS}


class LiveFacts:
    """Accepted rows since yesterday. Not safe to share between threads."""

    def __init__(self, functions: Mapping[str, RecordFunction] | None = None) -> None:
        self._functions = functions or live_functions()
        self.lake: DuckDBPyConnection = open_memory()
        self.lake.execute("set threads = 1")
        self._read([])
        self.lake.execute(f"create table accepted as select {KNOWN_COLUMNS} from {RECORDS}")
        for table in TABLES:
            self.lake.execute(f"create table {table.flat_name} as from {new_rows(table)}")

    def add(self, records: pa.Table, *, since: date) -> int:
        """Take in a batch of records; those of days before `since` are left out.

        Args:
            records: With the columns that bronze's records are parsed from.
            since: First day that counts.

        Returns: how many records are accepted and new.
        """
        self._read([parsed(each, self._functions) for each in records.to_batches()], since=since)
        self.lake.execute(f"""
            create or replace temp table known as select {KNOWN_COLUMNS} from accepted
            where (topic, identity) in (
                select (topic, identity) from {RECORDS} where reason is null)""")
        contested = self.lake.execute(f"""
            select count(*) <> count(distinct (topic, identity)) from (
                select topic, identity from {RECORDS} where reason is null
                union all select topic, identity from known)""").fetchone()
        if contested == (False,):  # the usual case: every record is a fact of its own
            return self._accept(f"select {PLACE} from {RECORDS} where reason is null")
        decide(self.lake)
        lost = f"select {PLACE} from decided where is_existing"
        for table in TABLES:
            self.lake.execute(f"delete from {table.flat_name} where {_SOURCE_PLACE} in ({lost})")
        self.lake.execute(f"delete from accepted where ({PLACE}) in ({lost})")
        return self._accept(
            f"select {PLACE} from decided where not is_existing and outcome = 'accepted'"
        )

    def forget(self, *, before: date) -> None:
        """Drop what happened before a day."""
        for table in TABLES:
            self.lake.execute(
                f"delete from {table.flat_name} where {_DAY[table.name]} < ?", [before]
            )
        held = " union all ".join(f"select {_SOURCE_PLACE} from {t.flat_name}" for t in TABLES)
        self.lake.execute(f"delete from accepted where ({PLACE}) not in ({held})")

    def close(self) -> None:
        """Free the memory."""
        self.lake.close()

    def _accept(self, places: str) -> int:
        """Put the rows of the records at these places into the tables; returns their number."""
        for table in TABLES:
            self.lake.execute(
                f"insert into {table.flat_name} from {new_rows(table)} "
                f"where {_SOURCE_PLACE} in ({places})"
            )
        found = self.lake.execute(f"""
            insert into accepted select {KNOWN_COLUMNS} from {RECORDS}
            where ({PLACE}) in ({places})""").fetchone()
        return int(found[0]) if found else 0

    def _read(self, batches: Sequence[Mapping[str, pa.Table]], *, since: date = date.min) -> None:
        """Make the relations `records` and `new_...` of what a batch's records become."""
        schemas = {new_rows(table): rows_schema(table) for table in TABLES}
        for name, schema in {RECORDS: RECORDS_SCHEMA, **schemas}.items():
            parts = [each[name] for each in batches if name in each]
            rows = pa.concat_tables(parts) if parts else schema.empty_table()
            if name == RECORDS:
                rows = rows.filter(pa.compute.greater_equal(rows["day"], pa.scalar(since)))
            self.lake.register(name, rows)


def first_day_kept(today: date) -> date:
    """Yesterday counts too: a visit belongs to the day on which it began."""
    return today - timedelta(days=1)
