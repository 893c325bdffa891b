"""Ends the backfills and repairs that a crash cut short; every run does so before its own work.

In: the ledger's intents without an end. Out: silver as these operations were to leave it.
"""

from operations.context import Context
from operations.recovery.intents import Request, unfinished


def finish_cut_short(context: Context, *, request: Request | None = None) -> None:
    """Do every backfill and repair that has no end yet, but those that `request` covers."""
    cut_short = unfinished(context.settings)
    if not cut_short:
        return
    from operations.recovery import backfill, repair  # they load all of refine

    for line in cut_short:
        if line["operation"] == repair.OPERATION:
            repair.run(context, line)
        elif request is None or not backfill.covers(request, line):
            backfill.run(context, line)
