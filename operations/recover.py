"""Backfill, repair and replay as runs: under the run lock, with stages, report and ledger.

In: days, the name of a damaged table, or a reason. Out: silver as bronze says, and what differed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.stages import Stage
from lakehouse.tables import current_version
from operations.context import Context
from operations.recovery import backfill, rebuild, repair
from operations.recovery.intents import unfinished
from operations.recovery.quarantine import replay
from operations.recovery.resume import finish_cut_short
from operations.run import reported
from pipelines.silver.days import Days
from pipelines.silver.rewriter import Rewritten


def backfill_days(
    settings: Settings,
    *,
    days: Days,
    table: str | None,
    on_change: Callable[[Stage], None] = lambda _: None,
) -> list[Rewritten]:
    """Recompute silver from bronze under the run lock; twice equals once.

    Args:
        settings: Where the state lies.
        days: Days of the shop that are replaced; no other day changes a row.
        table: One silver table, with those that come from the same records; None for all.
        on_change: Called at each stage.

    Raises:
        LakeError: No such table, another run or `lake refine --follow` is at work, a table can't be
            read, or records would have to enter or leave other days.
    """
    rebuild.scope_of(table)
    _require_bronze(settings)
    found: list[Rewritten] = []

    def work(context: Context) -> None:
        request = {"operation": backfill.OPERATION, **days.facts(), "table": table}
        finish_cut_short(context, request=request)
        found[:] = backfill.run(context, request)

    reported(
        work, settings=settings, command="lake backfill", on_change=on_change, finishes_first=False
    )
    return found


def repair_table(
    settings: Settings, *, name: str, on_change: Callable[[Stage], None] = lambda _: None
) -> tuple[Path, list[Rewritten]]:
    """Put a silver table aside and rebuild it, under the run lock.

    Tables that come from the same records are made equal to bronze, too; where they were right,
    nothing is written. Marks of replayed records are lost with the quarantine that held them: such
    records lie where they are accepted.

    Returns:
        Where the old folder is now, and what was written.

    Raises:
        LakeError: The table is bronze, or no table of silver; bronze or another table can't be
            read; another run or `lake refine --follow` is at work.
    """
    if name == BRONZE_EVENTS.name:
        raise LakeError(
            f"{name} holds the records as Kafka gave them, so nothing here can rebuild it. Restore "
            "the whole state from a backup; or, while Kafka still holds every record, read all of "
            f"it into a new state: `LAKE_HOME=another-folder LAKE_KAFKA_BOOTSTRAP="
            f"{settings.bootstrap} lake run daily`."
        )
    rebuild.scope_of(name)
    _require_bronze(settings)
    found: list[Rewritten] = []
    request: dict[str, Any] = {}

    def work(context: Context) -> None:
        begun = [
            line
            for line in unfinished(settings)
            if line["operation"] == repair.OPERATION and line["table"] == name
        ]
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
        fresh = {"operation": repair.OPERATION, "table": name, "aside": f"damaged/{at}"}
        request.update(begun[0] if begun else fresh)
        found[:] = repair.run(context, request)
        finish_cut_short(context)

    reported(
        work, settings=settings, command="lake repair", on_change=on_change, finishes_first=False
    )
    return repair.aside_of(request, settings), found


def _require_bronze(settings: Settings) -> None:
    if current_version(BRONZE_EVENTS, settings=settings) is None:
        raise LakeError("There is no bronze to compute silver from: run ./lake demo.")


def replay_refused(
    settings: Settings, *, reason: str | None, on_change: Callable[[Stage], None]
) -> tuple[int, int]:
    """Refine refused records again from bronze.

    Returns:
        Records accepted (or recognised as repeats) now, and records that stay refused.
    """
    result = [0, 0]

    def work(context: Context) -> None:
        result[:] = replay(context, reason=reason)

    reported(work, settings=settings, command="lake quarantine replay", on_change=on_change)
    return result[0], result[1]
