"""Accepting a storm of refused records on the record: who runs it says why.

In: the blocked run and a reason. Out: a line in the ledger; the next publish goes through.
"""

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from pipelines import pointer
from quality import ledger


def accept_run(run_id: str, *, reason: str, settings: Settings) -> None:
    """Record that what blocked a run is accepted.

    Raises:
        LakeError: No storm blocked that run.
    """
    blocked = [
        line
        for line in ledger.lines(pointer.CHAIN, settings=settings)
        if line["kind"] == "blocked" and line["run_id"] == run_id
    ]
    if not blocked or not any(rule.startswith("storm.") for rule in blocked[-1]["rules"]):
        raise LakeError(
            f"No storm of refused records blocked a run '{run_id}', so there is nothing to accept. "
            "The error of the blocked run names it."
        )
    line = {"kind": "accepted", "run_id": run_id, "reason": reason}
    ledger.write("operations", line, settings=settings)
