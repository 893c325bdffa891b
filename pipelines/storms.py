"""Accepting a refusal spike on the record: who runs it says why.

In: the blocked run and a reason. Out: a line in the ledger; the next publish goes through.
"""

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from pipelines import pointer
from quality import ledger
from quality.refusal_spike import RULE


def accept_run(run_id: str, *, reason: str, settings: Settings) -> None:
    """Record that what blocked a run is accepted.

    Raises:
        LakeError: No refusal spike blocked that run.
    """
    blocked = [
        line
        for line in ledger.lines(pointer.CHAIN, settings=settings)
        if line["kind"] == "blocked" and line["run_id"] == run_id
    ]
    if not blocked or RULE not in blocked[-1]["rules"]:
        raise LakeError(
            f"No refusal spike blocked a run '{run_id}', so there is nothing to accept. "
            "The error of the blocked run names it."
        )
    line = {"kind": "accepted", "run_id": run_id, "reason": reason}
    ledger.write("operations", line, settings=settings)
