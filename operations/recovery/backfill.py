"""bronze -> silver again: silver of some days, or all of it, made equal to what bronze says.

In: days and a table. Out: silver rewritten where it differed, and what differed. The transforms are
those of the stream and winners are decided over all of bronze, so a sound silver stays as it is.
A row that was right keeps its `refined_batch`; new and changed rows get the next number.
Run standalone: `lake backfill`.
"""

from lakehouse.errors import LakeError
from lakehouse.shop_format import counted
from operations.context import Context, alone
from operations.recovery.intents import Request, recorded
from operations.recovery.rebuild import compare, decided, scope_of, write
from pipelines.silver.days import days_between
from pipelines.silver.history import changes_elsewhere
from pipelines.silver.rewriter import Rewritten

OPERATION = "backfill"


def covers(request: Request, other: Request) -> bool:
    """Whether a backfill does all that another one would do."""
    mine, theirs = scope_of(request["table"]), scope_of(other["table"])
    return set(theirs.tables) <= set(mine.tables) and days_between(
        request["from"], request["to"]
    ).covers(days_between(other["from"], other["to"]))


def run(context: Context, request: Request) -> list[Rewritten]:
    """One backfill from its intent to its end, the ends of those it covers included."""
    settings = context.settings
    days, scope = days_between(request["from"], request["to"]), scope_of(request["table"])
    with (
        alone("refine", context),
        decided(context, days=days, scope=scope, query=OPERATION) as rewriter,
    ):
        moved, elsewhere = changes_elsewhere(
            rewriter.lake, settings=settings, routes=scope.topics, days=days
        )
        if moved:
            raise LakeError(
                f"{counted(moved)} records would enter or leave silver on other days than the "
                f"asked ones, because rules changed: {elsewhere}. Nothing was written: give a "
                "range with these "
                "days, too, or none."
            )
        found = compare(context, rewriter, scope)
        with recorded(context, request, covers=covers) as done:
            done.update(write(context, rewriter, found))
    return [each.result for each in found]
