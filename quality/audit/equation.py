"""What an equation of the audit is, and the pinned state that all of them read.

In: settings, table versions, a gold file. Out: `Equation` rows. Nothing here reads anything that a
publish does not pin.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.contracts import table
from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.duck import delta_relation
from lakehouse.settings import Settings
from lakehouse.shop_format import number
from quality.audit.baseline import Cut

if TYPE_CHECKING:
    import duckdb

NAMED = 5
"""Differences that a verdict names at most."""


@dataclass(frozen=True)
class Equation:
    """One equation's verdict: what was compared, both sides, and every difference by name.

    `facts` are what the next audit needs of this one to read only what came since.
    """

    equation: str
    statement: str
    left: str
    right: str
    differences: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not self.differences

    def row(self) -> dict[str, Any]:
        """As reports and screens show it."""
        shown = list(self.differences[:NAMED])
        if len(self.differences) > NAMED:
            shown.append(f"and {len(self.differences) - NAMED} more")
        return {
            "equation": self.equation,
            "statement": self.statement,
            "left": self.left,
            "right": self.right,
            "difference": "; ".join(shown),
            "verdict": "holds" if self.holds else "fails",
        }


@dataclass(frozen=True)
class Pinned:
    """The state under audit: a lake connection, table versions, and gold where there is one.

    `cut` is what the last audit proved, null where everything is read; `produced_lines` how many
    lines of the chain `produced` count, null for all.
    """

    lake: "duckdb.DuckDBPyConnection"
    settings: Settings
    versions: Mapping[str, int]
    gold: Path | None = None
    run_id: str | None = None
    broker_ends: Mapping[tuple[str, int], int] | None = None
    missing: Mapping[tuple[str, int], tuple[int, int]] | None = None
    rebuilt: frozenset[str] = frozenset()
    cut: Cut | None = None
    produced_lines: int | None = None

    def require_gold(self) -> Path:
        """The gold file under audit. Raises: ValueError when there is none."""
        if self.gold is None:
            raise ValueError("this equation needs a gold file")
        return self.gold

    def relation(self, name: str) -> str:
        """SQL text of a pinned table.

        A table that was rebuilt later has no such version: the rows it has now of the records that
        pinned bronze holds.
        """
        found = delta_relation(self.settings, table(name).name, version=self.versions[name])
        if name not in self.rebuilt:
            return found
        bronze = BRONZE_EVENTS.name
        landed = delta_relation(self.settings, bronze, version=self.versions[bronze])
        own = "source_" if "source_topic" in table(name).column_names() else ""
        return (
            f"(select t.* from {found} as t semi join {landed} as b on t.{own}topic = b.topic "
            f'and t."{own}partition" = b."partition" and t."{own}offset" = b."offset")'
        )

    def recent(self, name: str) -> str:
        """SQL text of a pinned table's rows since the cut; of all without one."""
        if self.cut is None:
            return self.relation(name)
        paths = ", ".join("'" + path.replace("'", "''") + "'" for path in self.cut.added[name])
        if not paths:
            return f"(select * from {self.relation(name)} where false)"
        return f"read_parquet([{paths}], hive_partitioning = false, union_by_name = true)"

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query on the lake."""
        return self.lake.execute(sql, list(parameters)).fetchall()


def money(value: Decimal | str | None) -> str:
    """Money as the audit prints them."""
    return number(Decimal(value or 0), places=4)


def facts_of(equations: "Iterable[Equation]") -> dict[str, Any]:
    """What a publish keeps of its audit."""
    found: dict[str, Any] = {}
    for each in equations:
        found |= each.facts
    return found
