"""Decided history -> silver: each table made equal to what bronze says, where it differs.

In: the decided records of some days. Out: one commit per table that differs, none for the others.
A row that is in its table already, alike in all columns, keeps its `refined_batch`; new and changed
rows get the rewriting's own number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, QUARANTINE, Table
from lakehouse.settings import Settings
from lakehouse.tables import read, replace
from pipelines.silver.days import Days
from pipelines.silver.refine import computed
from pipelines.silver.rows import (
    DUPLICATE,
    accepted_rows,
    compact,
    duplicate_rows,
    refused_rows,
)
from pipelines.transforms.deduplication import POSITION

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Rewritten:
    """What becomes of one table's rows in question; with `differing` 0 nothing is written."""

    table: str
    rows_before: int
    rows_after: int
    differing: int


@dataclass(frozen=True)
class Comparison:
    """One table beside the decided history: the rows to be there, and how many differ."""

    table: Table
    result: Rewritten
    rows: "DataFrame | None" = None
    where: str = "true"


@dataclass(frozen=True)
class SilverRewriter:
    """Compares silver with one decided history, and writes what differs.

    Attributes:
        decided: Records with their outcome, computed.
        days: The days that are rewritten.
        topics: Topics that were decided; rows of others stay.
        bronze_version: Version of bronze that was decided.
        refined_batch: Number for new and changed rows.
        facts: Facts for the commits.
    """

    decided: "DataFrame"
    settings: Settings
    days: Days
    topics: tuple[str, ...]
    bronze_version: int
    refined_batch: int
    facts: Mapping[str, object]

    def compare(self, table: Table) -> Comparison:
        """The rows that a table must hold, computed; those of other days and topics stay."""
        if table in (DUPLICATES, QUARANTINE):
            return self._side_table(table)
        held = read(self.decided.sparkSession, table, settings=self.settings)
        where = self.days.rows_of(table)
        fresh = accepted_rows(self.decided, table, refined_batch=self.refined_batch)
        if fresh is None:  # no topic of this table was decided
            return Comparison(table, Rewritten(table.name, 0, 0, 0))
        here = held.filter(where)
        return _compared(table, fresh=fresh.filter(where), held=here, stay=None, where=where)

    def write(self, found: Comparison) -> None:
        """Put the compared rows into their table, in one commit; nothing where none differs."""
        if found.rows is None or not found.result.differing:
            return
        replace(
            compact(found.rows, found.table, settings=self.settings),
            found.table,
            settings=self.settings,
            where=found.where,
            metadata=self.facts,
        )

    def _side_table(self, table: Table) -> Comparison:
        """Duplicates and refusals hold no day: those of the decided records are in question."""
        from pyspark.sql import functions as F

        spark, place = self.decided.sparkSession, list(POSITION)
        held = read(spark, table, settings=self.settings)
        if self.days.is_everything:
            mine = F.col("topic").isin(
                *self.topics, *(dead_letter_topic(name) for name in self.topics)
            )
            here, stay = held.filter(mine), held.filter(~mine)
        else:
            decided = self.decided.select(*place)
            here = held.join(decided, place, "left_semi")
            stay = held.join(decided, place, "left_anti")
        if table is DUPLICATES:
            fresh = duplicate_rows(self.decided, refined_batch=self.refined_batch)
        else:
            fresh = self._refusals(here)
        return _compared(table, fresh=fresh, held=here, stay=stay, where="true")

    def _refusals(self, held: "DataFrame") -> "DataFrame":
        """Refused records of now, and rows of records that are placed elsewhere, marked so."""
        from pyspark.sql import functions as F

        spark = self.decided.sparkSession
        bronze = read(spark, BRONZE_EVENTS, settings=self.settings, version=self.bronze_version)
        refused = refused_rows(self.decided, bronze, refined_batch=self.refined_batch)
        placed = self.decided.filter(F.col("outcome").isin("accepted", *DUPLICATE))
        now = F.lit(datetime.now(UTC)).cast("timestamp")
        healed = (
            held.dropDuplicates(list(POSITION))
            .join(placed.select(*POSITION), list(POSITION), "left_semi")
            .withColumn("replayed_at", F.coalesce(F.col("replayed_at"), now))
            .withColumn("refined_batch", F.lit(self.refined_batch).cast("bigint"))
        )
        return refused.unionByName(healed.select(*QUARANTINE.column_names()))


def _compared(
    table: Table, *, fresh: "DataFrame", held: "DataFrame", stay: "DataFrame | None", where: str
) -> Comparison:
    """Rows that must be in place of `held`, beside those that stay, and how many differ."""
    from pyspark.sql import functions as F

    rows = computed(_numbered(fresh, held, table))
    counted = rows.agg(F.count("*"), F.count_if(F.col("_is_held"))).collect()[0]
    after, alike, before = int(counted[0]), int(counted[1]), held.count()
    result = Rewritten(table.name, before, after, max(after, before) - alike)
    whole = rows.select(*table.column_names())
    if stay is not None:
        whole = whole.unionByName(stay.select(*table.column_names()))
    return Comparison(table, result, whole, where)


def _numbered(fresh: "DataFrame", held: "DataFrame", table: Table) -> "DataFrame":
    """Rows with the number of the equal row that the table holds, and whether it holds one."""
    from pyspark.sql import functions as F

    names = [name for name in table.column_names() if name != "refined_batch"]
    key = list(table.key)
    known = held.dropDuplicates(key).select(
        *key,
        F.struct(*names).alias("_held"),
        F.col("refined_batch").alias("_number"),
    )
    joined = fresh.join(known, key, "left")
    alike = reduce(
        lambda left, right: left & right,
        [F.col(name).eqNullSafe(F.col("_held").getField(name)) for name in names],
        F.col("_held").isNotNull(),
    )
    return joined.withColumn("_is_held", F.coalesce(alike, F.lit(False))).withColumn(
        "refined_batch",
        F.when(F.col("_is_held"), F.col("_number")).otherwise(F.col("refined_batch")),
    )
