"""What people do to an alert: acknowledge it. In: its number. Out: the incident as it is then."""

from dataclasses import replace
from datetime import UTC, datetime

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from reports.alerts.store import Incident, open_store
from reports.foreign_texts import plain


def acknowledge(
    settings: Settings, number: int, *, by: str, note: str = "", now: datetime | None = None
) -> Incident:
    """Mark an open incident as taken care of.

    Raises:
        LakeError: There is none of that number, or it is not open.
    """
    if not (name := plain(by)):
        raise LakeError("An alert is acknowledged by somebody: give --by a name.")
    with open_store(settings) as store:
        with store.transaction():
            incident = store.incident(number)
            if incident is None:
                raise LakeError(f"There is no alert {number}: `lake alerts list` shows them.")
            if incident.state != "open":
                who = f" by {incident.acknowledged_by}" if incident.acknowledged_by else ""
                raise LakeError(f"Alert {number} is {incident.state}{who} already.")
            at = now or datetime.now(UTC)
            store.acknowledge(number, by=name, note=plain(note), now=at)
        found = store.incident(number)
    return found or replace(incident, state="acknowledged", acknowledged_by=name)
