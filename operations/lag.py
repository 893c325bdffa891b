"""How far readers are behind: records that wait in Kafka, and for how long gold misses what came.

In: settings, a Kafka that answers, the tables' logs, and the pointer. Out: one `Lag`, or a failed
check in one sentence. It changes nothing. Run standalone: `lake lag`.
"""

import time
from dataclasses import dataclass

from lakehouse import pointer
from lakehouse.contracts.tables import TABLES
from lakehouse.errors import CheckFailed
from lakehouse.ledger import commits, losses
from lakehouse.settings import Settings
from lakehouse.shop_format import counted, number
from lakehouse.tables import commit_seconds, current_versions
from operations.audit import broker_ends
from streaming import broker


@dataclass(frozen=True)
class Lag:
    """`records` are in Kafka and not in bronze; gold misses commits of the lake since `hours`."""

    records: int
    hours: float

    def __str__(self) -> str:
        behind = (
            f"misses what came {number(self.hours, places=1)} hours ago"
            if self.hours
            else "has all of it"
        )
        return f"{counted(self.records)} records wait in Kafka, and gold {behind}."


def measure(settings: Settings) -> Lag:
    """The present lag. Raises: LakeError when Kafka does not answer."""
    broker.require_running(settings)
    return Lag(unread_records(settings), _hours_behind(settings))


def require_fresh(settings: Settings) -> Lag:
    """The present lag, within what the settings allow.

    Raises:
        CheckFailed: It is beyond them; the message names the setting and the command that helps.
        LakeError: Kafka does not answer.
    """
    found = measure(settings)
    if found.records > settings.lag_records:
        raise CheckFailed(
            f"{counted(found.records)} records wait in Kafka, more than the "
            f"{counted(settings.lag_records)} of LAKE_LAG_RECORDS: run `lake run daily`, or "
            "`lake ingest --follow`."
        )
    if found.hours > settings.lag_hours:
        raise CheckFailed(
            f"Gold misses what came into the lake {number(found.hours, places=1)} hours ago, "
            f"more than the {settings.lag_hours:g} of LAKE_LAG_HOURS: run `lake run daily`."
        )
    return found


def unread_records(settings: Settings) -> int:
    """Records that Kafka holds beyond bronze's last ones; none where no broker answers."""
    landed = losses.landed_ends(settings)
    ends = broker_ends(settings) or {}
    return sum(max(end - landed.get(place, 0), 0) for place, end in ends.items())


def _hours_behind(settings: Settings) -> float:
    """Age in hours of the oldest commit that the gold in service was not built on; 0 without any.

    A table that was rebuilt since counts from its first commit on.
    """
    serving = pointer.current(settings)
    built_from = (
        commits.comparable(
            serving.part("table_versions"), serving.part("rebuilt"), settings=settings
        )
        if serving
        else {}
    )
    versions = current_versions(settings)
    missed = [
        commit_seconds(table, built_from.get(table.name, -1) + 1, settings=settings)
        for table in TABLES
        if versions.get(table.name, -1) > built_from.get(table.name, -1)
    ]
    return max(time.time() - min(missed), 0) / 3600 if missed else 0.0
