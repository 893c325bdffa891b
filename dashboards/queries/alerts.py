"""Alerts as the screens show them: what is open, what has been, what was sent.

In: `ops/alerts.sqlite` and the rules. Out: values; nothing before the first check, and no file is
made by looking.
"""

from dataclasses import dataclass
from datetime import datetime

from lakehouse.settings import Settings
from reports.alerts.rules import Rule
from reports.alerts.store import Incident, Notice, open_store, store_path
from reports.alerts.watch import rules_of

MOST_SHOWN = 200


@dataclass(frozen=True)
class Told:
    """An incident, its messages, and what happened to it: time, kind and text."""

    incident: Incident
    notices: tuple[Notice, ...]
    events: tuple[tuple[datetime, str, str], ...]


@dataclass(frozen=True)
class Alerts:
    """Incidents that are not resolved, then the newest of those that are; the rules by name."""

    open: tuple[Told, ...]
    past: tuple[Told, ...]
    rules: dict[str, Rule]
    fired: dict[str, int]


def read_alerts(settings: Settings) -> Alerts | None:
    """All alerts; None before the first check. Raises: LakeError for a damaged file."""
    if not store_path(settings).is_file():
        return None
    rules = rules_of(settings).rules
    with open_store(settings) as store:
        every = store.incidents()
        shown = [each for each in every if each.state != "resolved"]
        shown += [each for each in every if each.state == "resolved"][:MOST_SHOWN]
        told = [
            Told(each, tuple(store.notices(each.id)), tuple(store.events(each.id)))
            for each in shown
        ]
    fired = {name: sum(each.rule == name for each in every) for name in rules}
    return Alerts(
        tuple(each for each in told if each.incident.state != "resolved"),
        tuple(each for each in told if each.incident.state == "resolved"),
        rules,
        fired,
    )
