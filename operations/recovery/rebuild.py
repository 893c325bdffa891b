"""Silver computed again from bronze: which tables and records, what differs, and writing it.

Shared by backfill and repair.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lakehouse.contracts.tables import BRONZE_EVENTS, DUPLICATES, ORDER_LINES, QUARANTINE, Table
from lakehouse.duck import delta_relation, first_line, open_lake
from lakehouse.errors import LakeError
from lakehouse.ledger import chain, commits
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from lakehouse.tables import current_version, engine_errors
from operations.context import Context
from pipelines.silver.days import Days
from pipelines.silver.history import decided_history
from pipelines.silver.refine import outcome_of
from pipelines.silver.rewriter import Comparison, SilverRewriter
from pipelines.silver.routing import ROUTES, TopicRoute, tables_in_order

SIDE_TABLES = (DUPLICATES, QUARANTINE)


@dataclass(frozen=True)
class Scope:
    """What a rewriting covers: topics are read again, their tables written, side tables first."""

    topics: tuple[TopicRoute, ...]
    tables: tuple[Table, ...]


def scope_of(name: str | None) -> Scope:
    """Everything, or one table with all that comes from the same records.

    A side table takes rows from every topic, so its scope is all of silver.

    Raises:
        LakeError: Silver has no table of this name.
    """
    entities = tables_in_order()
    if name is None or name in {table.name for table in SIDE_TABLES}:
        return Scope(ROUTES, (*SIDE_TABLES, *entities))
    if name not in {table.name for table in entities}:
        known = ", ".join(sorted(table.name for table in (*SIDE_TABLES, *entities)))
        raise LakeError(f"Silver has no table '{name}'. Tables: {known}.")
    topics = tuple(each for each in ROUTES if name in {table.name for table in each.tables})
    own = {table for each in topics for table in each.tables}
    return Scope(topics, (*SIDE_TABLES, *(table for table in entities if table in own)))


@contextlib.contextmanager
def decided(context: Context, *, days: Days, scope: Scope, query: str) -> Iterator[SilverRewriter]:
    """Decide what silver must hold; nothing is written yet."""
    settings, spark = context.settings, context.spark()
    version = current_version(BRONZE_EVENTS, settings=settings) or 0
    with contextlib.ExitStack() as stack:
        with context.log.stage("decide") as stage, readable("The lake"):
            number = next_refined_batch(settings)
            lake = stack.enter_context(
                decided_history(
                    spark,
                    settings=settings,
                    routes=scope.topics,
                    days=days,
                    bronze_version=version,
                )
            )
            outcome = outcome_of(lake)
            stage.rows_out = sum(sum(counts.values()) for counts in outcome.records.values())
            stage.note = f"records, {days}"
        facts = {
            "query": query,
            "run_id": context.outcome.run_id,
            "refined_batch": number,
            "records": outcome.records,
            "amounts": outcome.amounts,
        }
        yield SilverRewriter(
            lake=lake,
            settings=settings,
            days=days,
            topics=tuple(each.topic.name for each in scope.topics),
            bronze_version=version,
            refined_batch=number,
            facts=facts,
        )


def compare(context: Context, rewriter: SilverRewriter, scope: Scope) -> list[Comparison]:
    """Compare every table of the scope with the decided history, a stage for each."""
    found = []
    for table in scope.tables:
        with context.log.stage(table.name.partition(".")[2]) as stage, readable(table.name):
            made = rewriter.compare(table)
            differing = made.result.differing
            stage.rows_in, stage.rows_out = made.result.rows_before, made.result.rows_after
            stage.note = f"{counted(differing)} rows differ" if differing else "as it must be"
            found.append(made)
    return found


def write(
    context: Context, rewriter: SilverRewriter, found: Sequence[Comparison]
) -> dict[str, Any]:
    """Write every table that differs; returns what the ledger keeps of it."""
    settings = context.settings
    tables = [each.table for each in found]
    with context.log.stage("write") as stage:
        before = _totals(settings, tables)
        for each in found:
            with readable(each.table.name):
                rewriter.write(each)
        after = _totals(settings, tables)
        written = [each for each in found if each.result.differing]
        stage.rows_out = sum(each.result.rows_after for each in written)
        stage.note = f"{len(written)} tables" if written else "nothing differs"
    return {
        "refined_batch": rewriter.refined_batch,
        "bronze_version": rewriter.bronze_version,
        "rows_before": before["rows"],
        "rows_after": after["rows"],
        "amount_before": before.get("amount"),
        "amount_after": after.get("amount"),
        "differing": {each.table.name: each.result.differing for each in found},
    }


def next_refined_batch(settings: Settings) -> int:
    """Above every number that silver or the ledger knows, also where a table was lost."""
    from pipelines.silver.known import last_refined_batch

    lines = chain.lines(commits.CHAIN, settings=settings)
    known = max((line.get("refined_batch") or 0 for line in lines), default=0)
    return max(known, last_refined_batch(settings)) + 1


def _totals(settings: Settings, tables: Sequence[Table]) -> dict[str, Any]:
    """Rows of each table, and the money of order lines."""
    found: dict[str, Any] = {"rows": {}}
    with open_lake(settings) as lake:
        for table in tables:
            amount = "sum(line_amount)" if table is ORDER_LINES else "null"
            with readable(table.name):
                rows, total = lake.execute(
                    f"select count(*), {amount} from {delta_relation(settings, table.name)}"
                ).fetchall()[0]
            found["rows"][table.name] = rows
            if table is ORDER_LINES:
                found["amount"] = f"{total if total is not None else Decimal(0):f}"
    return found


@contextlib.contextmanager
def readable(name: str) -> Iterator[None]:
    """Say which table can't be read, and what rebuilds it, where an engine fails."""
    try:
        yield
    except engine_errors() as error:
        raise LakeError(
            f"{name} can't be read or written: {first_line(error)[:300]}. `lake audit --full` "
            "names damaged files. `lake repair TABLE` rebuilds a table of silver from bronze; "
            "bronze comes from a backup."
        ) from error
