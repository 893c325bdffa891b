"""A damaged silver table -> the same table, rebuilt from bronze.

In: the table's name. Out: the old folder under `damaged/`, a new table with every row that bronze
says, and a mark in the ledger that makes the old table's commits void. Run again after a crash, it
finishes. Run standalone: `lake repair TABLE`.
"""

from pathlib import Path

from lakehouse.contracts import table
from lakehouse.ledger import commits
from lakehouse.settings import Settings
from lakehouse.tables import create_tables, forget_tables, put_aside
from operations.context import Context, alone
from operations.recovery.intents import Request, recorded
from operations.recovery.rebuild import compare, decided, scope_of, write
from pipelines.silver.days import Days
from pipelines.silver.rewriter import Rewritten

OPERATION = "repair"


def run(context: Context, request: Request) -> list[Rewritten]:
    """One repair from its intent to its end; each step is passed over where it was done before."""
    settings, damaged = context.settings, table(request["table"])
    scope = scope_of(damaged.name)
    with alone("refine", context), recorded(context, request, covers=_same) as done:
        identity = request.get("id", context.outcome.run_id)
        with context.log.stage("put aside") as stage:
            commits.derive(settings)  # what leaves is known: its batch numbers are not given again
            put_aside(damaged, aside_of(request, settings), settings=settings)
            commits.mark_rebuilt(damaged, identity=identity, settings=settings)
            stage.note = request["aside"]
        spark = context.spark()
        forget_tables(spark)
        create_tables(settings)
        with decided(context, days=Days(), scope=scope, query=OPERATION) as rewriter:
            found = compare(context, rewriter, scope)
            done.update(write(context, rewriter, found))
    return [each.result for each in found]


def _same(request: Request, other: Request) -> bool:
    return bool(request.get("id") == other["id"])


def aside_of(request: Request, settings: Settings) -> Path:
    """Where a repair puts the damaged folder."""
    base = Path(settings.storage) if settings.storage else settings.home
    return base / str(request["aside"]) / str(request["table"]).replace(".", "/")
