"""The whole of one check of this state folder: read, judge, remember, send.

In: settings, a lag that the caller measured. Out: what changed and what was sent. A lock holds one
check at a time: two at once tell a trouble once. Run standalone: `lake alerts check`.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.duck import open_gold
from lakehouse.locks import hold
from lakehouse.pointer import NothingPublished
from lakehouse.settings import Settings
from reports.alerts.check import Change, check
from reports.alerts.contributors import contributors
from reports.alerts.experiments import read_experiments
from reports.alerts.history import History, read_history
from reports.alerts.mail import deliver_alerts
from reports.alerts.models import KPI_FORESEEN, read_drift, read_foreseen
from reports.alerts.readings import read_platform
from reports.alerts.rules import OWN_RULES, RuleBook, read_rules
from reports.alerts.sending import Sent, channels_of, send_due, targets_of
from reports.alerts.store import open_store
from reports.outbox import Entry

if TYPE_CHECKING:
    import duckdb

LOCK = "alerts"
WAIT_SECONDS = 120.0


@dataclass(frozen=True)
class Checked:
    """What one check found and did."""

    changes: tuple[Change, ...]
    open: int
    sent: Sent
    mails: tuple[Entry, ...]


def check_now(
    settings: Settings, *, lag: tuple[int, float] | None = None, now: datetime | None = None
) -> Checked:
    """Judge every rule once, and send what is due.

    Args:
        settings: Whose state, rules and targets.
        lag: Records that wait in Kafka, and hours that gold is behind; None where unknown.
        now: The time; the present one by default.

    Raises:
        LakeError: Rules, gold or store can't be read.
    """
    now = now or datetime.now(UTC)
    book = rules_of(settings)
    kinds = {rule.kind for rule in book.rules.values()}
    with hold(LOCK, settings=settings, wait_seconds=WAIT_SECONDS), open_store(settings) as store:
        with _gold(settings) as gold:
            history = _history(gold, settings, book) if gold is not None else None
            experiments = read_experiments(gold) if gold and "experiment" in kinds else {}
            changes = check(
                store,
                book,
                history=history,
                readings={
                    **read_platform(settings, now=now, lag=lag),
                    "experiment": experiments,
                    "model_drift": read_drift(settings) if "model_drift" in kinds else {},
                },
                now=now,
                targets=targets_of(settings),
                explain=lambda kpi, day, days: contributors(gold, kpi, day, days) if gold else [],
            )
        sent = send_due(store, channels=channels_of(settings, now=now), settings=settings, now=now)
        still_open = len(store.open_incidents())
    return Checked(tuple(changes), still_open, sent, tuple(deliver_alerts(settings)))


def rules_of(settings: Settings) -> RuleBook:
    """The rules that the settings name, or the project's own. Raises: LakeError."""
    return read_rules(settings.alert_rules or OWN_RULES)


def gold_history(settings: Settings, book: RuleBook) -> History:
    """The history of gold in service. Raises: LakeError where nothing is published."""
    with open_gold(settings) as gold:
        return _history(gold, settings, book)


def _history(gold: "duckdb.DuckDBPyConnection", settings: Settings, book: RuleBook) -> History:
    """The course of gold; with forecasts where a rule asks for what they foresee."""
    judged = {rule.kpi for rule in book.rules.values() if rule.kind == "anomaly"}
    foreseen = read_foreseen(settings) if KPI_FORESEEN in judged else {}
    return read_history(gold, closed=book.closed, foreseen=foreseen)


@contextlib.contextmanager
def _gold(settings: Settings) -> "Iterator[duckdb.DuckDBPyConnection | None]":
    """Gold in service, or None before the first publish: the platform is judged then, too."""
    try:
        connection = open_gold(settings)
    except NothingPublished:
        yield None
        return
    with connection:
        yield connection
