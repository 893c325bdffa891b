"""A spike of refused records: when it blocks, and how it is accepted on the record."""

from lakehouse.errors import LakeError
from lakehouse.ledger import chain, publishes
from lakehouse.settings import Settings
from quality.gate.verdicts import QualityRow

STORM_RECORDS = 100
"""Refused records up to which nothing blocks, however few were accepted."""


STORM_SHARE = 20
"""One refused record in so many (5 %) is the most that may be published."""


def storm(quarantined: int, records: int) -> bool:
    """Whether so many records were refused since the last publish that gold must wait.

    Args:
        quarantined: Records refused since the last publish and not replayed.
        records: All records since the last publish, these included.
    """
    return quarantined > STORM_RECORDS and quarantined * STORM_SHARE > records


def storm_row(*, quarantined: int, records: int, table: str, run_id: str = "RUN") -> QualityRow:
    """The storm rule's verdict, with the ways out when it fails.

    Args:
        quarantined: As for `storm`.
        records: As for `storm`.
        table: The table that holds what was refused.
        run_id: Run that could be accepted as it is.
    """
    raging = storm(quarantined, records)
    ways_out = (
        "See the reasons with `lake quarantine list`; then mend the rule or the source and run "
        "`lake quarantine replay`, or take it as it is with "
        f"`lake publish --accept {run_id} --reason …`."
    )
    return {
        "rule": "storm.few_refused",
        "suite": "storm",
        "table": table,
        "expectation": "storm",
        "column": "",
        "severity": "block",
        "status": "failed" if raging else "passed",
        "success": not raging,
        "observed": f"{quarantined:,} of {records:,} records refused since the last publish",
        "detail": ways_out if raging else "",
        "meaning": "At most 5 % or 100 of the new records are refused.",
    }


def accept_run(run_id: str, *, reason: str, settings: Settings) -> None:
    """Record that what blocked a run is accepted.

    Raises:
        LakeError: No storm blocked that run.
    """
    blocked = [
        line
        for line in chain.lines(publishes.CHAIN, settings=settings)
        if line["kind"] == "blocked" and line["run_id"] == run_id
    ]
    if not blocked or not any(rule.startswith("storm.") for rule in blocked[-1]["rules"]):
        raise LakeError(
            f"No storm of refused records blocked a run '{run_id}', so there is nothing to accept. "
            "The error of the blocked run names it."
        )
    line = {"kind": "accepted", "run_id": run_id, "reason": reason}
    chain.write("operations", line, settings=settings)
