"""The job `alerts`: the lag as the platform measures it, and every rule judged once.

In: settings. Out: what the check changed. Run standalone: `lake alerts check`, `lake job alerts`.
"""

from typing import TYPE_CHECKING

from lakehouse.errors import LakeError
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from operations.context import Context
    from reports.alerts.watch import Checked


def alerts(context: "Context") -> None:
    """Judge every rule once, and send what is due."""
    with context.log.stage("alerts") as stage:
        found = check_settings(context.settings)
        stage.rows_out = len(found.changes)
        stage.note = f"{found.open} open, {found.sent.taken} messages sent"


def check_settings(settings: Settings) -> "Checked":
    """One check of a state folder; without a broker that answers, the lag is not judged."""
    from operations.lag import measure
    from reports.alerts.watch import check_now

    try:
        lag = measure(settings)
    except LakeError:
        return check_now(settings)
    return check_now(settings, lag=(lag.records, lag.hours))
