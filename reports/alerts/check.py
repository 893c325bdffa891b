"""One check: every rule judged, incidents opened and closed, notices put on their way.

In: rules, history, readings, the time. Out: what changed, written as one transaction. Sending is
another step (`reports.alerts.sending`), so that a dead mail server keeps nothing from being seen.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lakehouse.shop import shop
from reports.alerts.contributors import Contributor
from reports.alerts.history import History
from reports.alerts.judging import Judgement, judge_days, judge_now
from reports.alerts.readings import Readings
from reports.alerts.rules import Rule, RuleBook
from reports.alerts.store import Incident, Store
from reports.alerts.words import summary_of

MOST_DAYS = 14
"""How many days a check catches up at most."""

Explain = Callable[[str, date, Sequence[date]], Sequence[Contributor]]


@dataclass(frozen=True)
class Targets:
    """Channel and address of whom to tell, and of whom where nobody acknowledges in time."""

    first: tuple[tuple[str, str], ...] = ()
    escalation: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Change:
    """What a check did to an incident: fired, escalated or resolved."""

    kind: str
    incident: int
    rule: str
    severity: str
    summary: str


def check(
    store: Store,
    book: RuleBook,
    *,
    history: History | None,
    readings: Readings,
    now: datetime,
    targets: Targets = Targets(),
    explain: Explain | None = None,
) -> list[Change]:
    """Judge all rules once; safe to run again at any time, and by two processes at once."""
    with store.transaction():
        run = _Run(store, book, history, now, targets, explain, store.open_incidents(), [])
        for name, rule in book.rules.items():
            if rule.is_daily:
                run.judge_days(name, rule)
            else:
                run.judge_now(name, rule, readings)
        run.forget_rules()
        run.escalate()
        return run.changes


@dataclass
class _Run:
    store: Store
    book: RuleBook
    history: History | None
    now: datetime
    targets: Targets
    explain: Explain | None
    open: dict[tuple[str, str], Incident]
    changes: list[Change]

    def judge_days(self, name: str, rule: Rule) -> None:
        """Judge the days that are over and not judged yet, and the last one again, as restated."""
        if self.history is None:
            return
        days = self.history.days if self.book.judge_newest_day else self.history.days[:-1]
        judged = self.store.judged_to(name)
        if judged is not None:
            days = [day for day in days if day >= judged][-MOST_DAYS:]
        else:
            days = days[-1:]
        for day in days:
            for found in judge_days(rule, self.history, day):
                self._apply(name, rule, found)
            self.store.set_judged(name, day)

    def judge_now(self, name: str, rule: Rule, readings: Readings) -> None:
        for found in judge_now(rule, readings):
            if found.verdict == "bad":
                since = self.store.bad_since(name, found.subject, now=self.now)
                if self.now - since < timedelta(minutes=rule.for_minutes):
                    continue
            elif found.verdict != "unknown":
                self.store.not_bad(name, found.subject)
            self._apply(name, rule, found)

    def forget_rules(self) -> None:
        """Close incidents of rules that are no longer in the file."""
        for (rule, _), incident in list(self.open.items()):
            if rule not in self.book.rules:
                self._resolve(incident, "the rule was taken out")

    def escalate(self) -> None:
        """Tell the next ones of incidents that nobody acknowledged in time, once."""
        for incident in self.open.values():
            rule = self.book.rules.get(incident.rule)
            minutes = rule.escalate_after_minutes if rule else None
            if minutes is None or incident.state != "open" or incident.escalated_at is not None:
                continue
            if self.now - incident.fired_at >= timedelta(minutes=minutes):
                text = f"nobody acknowledged it within {minutes} minutes"
                self.store.escalate(incident.id, text=text, now=self.now)
                self._notify(incident.id, "escalated", incident.severity, self.targets.escalation)
                self._changed("escalated", incident.id, incident.rule, incident.severity, text)

    def _apply(self, name: str, rule: Rule, found: Judgement) -> None:
        key = (name, found.subject)
        incident = self.open.get(key)
        if incident is None and found.verdict == "bad":
            self._fire(name, rule, found)
        elif incident is not None and found.verdict == "calm":
            self._resolve(incident, summary_of(rule, found), is_daily=rule.is_daily)

    def _fire(self, name: str, rule: Rule, found: Judgement) -> None:
        summary = summary_of(rule, found)
        number = self.store.fire(
            rule=name,
            subject=found.subject,
            severity=rule.severity,
            owners=rule.group,
            summary=summary,
            facts=self._facts(rule, found),
            now=self.now,
        )
        self._notify(number, "fired", rule.severity, self.targets.first)
        self._changed("fired", number, name, rule.severity, summary)
        incident = self.store.incident(number)
        if incident is not None:
            self.open[name, found.subject] = incident

    def _resolve(self, incident: Incident, resolution: str, *, is_daily: bool = False) -> None:
        self.store.resolve(incident.id, resolution=resolution, now=self.now)
        # A trouble of the platform that came and went in the quiet hours needs no mail at dawn.
        if not is_daily:
            self.store.withdraw_held(incident.id, now=self.now)
        told = self.store.targets_told(incident.id)
        self._notify(incident.id, "resolved", incident.severity, told)
        self._changed("resolved", incident.id, incident.rule, incident.severity, resolution)
        del self.open[incident.rule, incident.subject]

    def _notify(
        self, incident: int, kind: str, severity: str, targets: Sequence[tuple[str, str]]
    ) -> None:
        due = self.now if severity == "critical" else after_quiet(self.now, self.book)
        for channel, target in targets:
            self.store.add_notice(
                uuid.uuid4().hex,
                incident=incident,
                kind=kind,
                channel=channel,
                target=target,
                due=due,
            )

    def _changed(self, kind: str, incident: int, rule: str, severity: str, text: str) -> None:
        self.changes.append(Change(kind, incident, rule, severity, text))

    def _facts(self, rule: Rule, found: Judgement) -> Mapping[str, Any]:
        compared = (
            self.history.compared(found.day) if self.history is not None and found.day else []
        )
        named: Sequence[Contributor] = ()
        if self.explain is not None and rule.kpi and found.day is not None:
            named = self.explain(rule.kpi, found.day, compared)
        return {
            "rule_kind": rule.kind,
            "day": found.day.isoformat() if found.day else None,
            "value": found.value,
            "measure": found.measure,
            "expected": found.expected,
            "low": found.low,
            "high": found.high,
            "unit": found.unit,
            "detail": found.detail,
            "meaning": rule.meaning,
            "remedy": rule.remedy,
            "compared": [day.isoformat() for day in compared],
            "contributors": [
                {
                    "dimension": each.dimension,
                    "name": each.name,
                    "value": str(each.value),
                    "before": str(each.before),
                }
                for each in named
            ],
        }


def after_quiet(now: datetime, book: RuleBook) -> datetime:
    """The time itself, or the end of the quiet hours that it falls into, on the shop's clock."""
    if book.quiet is None:
        return now
    begins, ends = book.quiet
    local = now.astimezone(shop().zone)
    clock = local.time().replace(tzinfo=None)
    is_over_midnight = begins > ends
    is_quiet = (clock >= begins or clock < ends) if is_over_midnight else begins <= clock < ends
    if not is_quiet:
        return now
    day = local.date() + timedelta(days=int(is_over_midnight and clock >= begins))
    return datetime.combine(day, ends, shop().zone).astimezone(now.tzinfo)
