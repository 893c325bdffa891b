"""Decided history -> silver: each table made equal to what bronze says, where it differs.

In: a workspace with the decided records of some days. Out: one commit per table that differs, none
for the others. A row that its table holds already, equal in all columns, keeps its `refined_batch`;
new and changed rows get the rewriting's own number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, QUARANTINE, Table
from lakehouse.duck import delta_relation
from lakehouse.settings import Settings
from lakehouse.tables import replace_rows
from pipelines.silver.batch_writer import BATCH_ROWS
from pipelines.silver.days import Days
from pipelines.silver.routing import topics_of
from pipelines.silver.rows import accepted_rows, conflict_rows, duplicate_rows, refused_rows
from pipelines.transforms.deduplication import PLACE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Rewritten:
    """What becomes of one table's rows in question; with `differing` 0 nothing is written."""

    table: str
    rows_before: int
    rows_after: int
    differing: int


@dataclass(frozen=True)
class Comparison:
    """One table beside the decided history: SQL of the rows to be there, and how many differ."""

    table: Table
    result: Rewritten
    rows: str = ""
    where: str = "true"


@dataclass(frozen=True)
class SilverRewriter:
    """Compares silver with one decided history, and writes what differs.

    Attributes:
        lake: Workspace with the decided records.
        days: The days that are rewritten.
        topics: Topics that were decided; rows of others stay.
        bronze_version: Version of bronze that was decided.
        refined_batch: Number for new and changed rows.
        facts: Facts for the commits.
    """

    lake: "DuckDBPyConnection"
    settings: Settings
    days: Days
    topics: tuple[str, ...]
    bronze_version: int
    refined_batch: int
    facts: Mapping[str, object]
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def compare(self, table: Table) -> Comparison:
        """The rows that a table must hold; those of other days and topics stay."""
        held = f"(from {delta_relation(self.settings, table.name)})"
        if table in (DUPLICATES, QUARANTINE):
            return self._side_table(table, held)
        where = self.days.rows_of(table)
        if not set(self.topics).intersection(topics_of(table)):
            return Comparison(table, Rewritten(table.name, 0, 0, 0))
        fresh = accepted_rows(table, refined_batch=self.refined_batch)
        fresh, held = (f"(from ({rows}) where {where})" for rows in (fresh, held))
        return self._compared(table, fresh=fresh, held=held, stay=None, where=where)

    def write(self, found: Comparison) -> None:
        """Put the compared rows into their table, in one commit; nothing where none differs."""
        if not found.result.differing:
            return
        order = ", ".join(f'"{name}"' for name in found.table.key)
        rows = self.lake.execute(f"from ({found.rows}) order by {order}")
        replace_rows(
            rows.to_arrow_reader(BATCH_ROWS),
            found.table,
            settings=self.settings,
            where=found.where,
            metadata=self.facts,
        )

    def _side_table(self, table: Table, held: str) -> Comparison:
        """Duplicates and refusals hold no day: those of the decided records are in question."""
        if self.days.is_everything:
            topics = (*self.topics, *(dead_letter_topic(name) for name in self.topics))
            mine = f"topic in ({', '.join(map(repr, topics))})"
        else:
            mine = f"({PLACE}) in (select ({PLACE}) from decided)"
        here, stay = f"(from {held} where {mine})", f"(from {held} where not ({mine}))"
        number = self.refined_batch
        if table is DUPLICATES:
            fresh = duplicate_rows("decided", "sound", refined_batch=number)
        else:
            fresh = self._refusals(here)
        return self._compared(table, fresh=f"({fresh})", held=here, stay=stay, where="true")

    def _refusals(self, held: str) -> str:
        """Refused records of now, and rows of records that are placed elsewhere, marked so."""
        bronze = delta_relation(self.settings, BRONZE_EVENTS.name, version=self.bronze_version)
        number = self.refined_batch
        refused = refused_rows("decided", "records", refined_batch=number)
        conflicts = conflict_rows("decided", "sound", bronze, refined_batch=number)
        columns = ", ".join(f'"{name}"' for name in QUARANTINE.column_names())
        healed = f"""
            select {columns} from (
                select distinct on ({PLACE}) * replace (
                    coalesce(replayed_at, timestamptz '{self.at.isoformat()}') as replayed_at,
                    {number}::bigint as refined_batch)
                from {held})
            where ({PLACE}) in (
                select ({PLACE}) from decided
                where outcome in ('accepted', 'redelivered', 'repeated'))"""
        return f"{refused} union all {conflicts} union all {healed}"

    def _compared(
        self, table: Table, *, fresh: str, held: str, stay: str | None, where: str
    ) -> Comparison:
        """Rows that must be in place of `held`, beside those that stay, and how many differ."""
        numbered = _numbered(fresh, held, table)
        after, same = self.lake.execute(
            f"select count(*), count(*) filter (is_held) from ({numbered})"
        ).fetchall()[0]
        before = self.lake.execute(f"select count(*) from {held}").fetchall()[0][0]
        result = Rewritten(table.name, before, after, max(after, before) - same)
        columns = ", ".join(f'"{name}"' for name in table.column_names())
        rows = f"select {columns} from ({numbered})"
        if stay is not None:
            rows += f" union all select {columns} from {stay}"
        return Comparison(table, result, rows, where)


def _numbered(fresh: str, held: str, table: Table) -> str:
    """SQL of rows with the number of the equal row that the table holds, and `is_held`."""
    names = [name for name in table.column_names() if name != "refined_batch"]
    key = ", ".join(f'"{name}"' for name in table.key)
    match = " and ".join(f'h."{name}" = f."{name}"' for name in table.key)
    equal = " and ".join(f'h."{name}" is not distinct from f."{name}"' for name in names)
    columns = ", ".join(f'f."{name}"' for name in names)
    return f"""
        select {columns}, if(is_held, number, f.refined_batch) as refined_batch, is_held
        from (
            select f.*, h.refined_batch as number,
                h.refined_batch is not null and {equal} as is_held
            from {fresh} as f
            left join (select distinct on ({key}) * from {held}) as h on {match}
        ) as f"""
