"""What a rule says of a day or of the platform: a pure function of figures.

In: a rule and a history or a set of readings. Out: `Judgement`s, one per subject; an unknown one
neither fires nor resolves anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from lakehouse.contracts.kpis import kpi as declared
from reports.alerts.history import History
from reports.alerts.rules import Rule

Verdict = Literal["bad", "calm", "between", "unknown"]


@dataclass(frozen=True)
class Judgement:
    """One rule on one subject: a KPI of a day, a source, or the platform.

    `measure` is what the limits are compared with, `value` the figure as people know it.
    """

    subject: str
    verdict: Verdict
    day: date | None = None
    value: float | None = None
    measure: float | None = None
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Reading:
    """A figure of the platform now; None where it can't be read."""

    value: float | None
    unit: str
    detail: str = ""


def judge_day(rule: Rule, history: History, day: date) -> list[Judgement]:
    """Judge one day by a daily rule, with what the days before it let expect."""
    if rule.kind == "source_silent":
        return [_source(rule, history, day, each) for each in sorted(history.source_days)]
    found = _kpi(rule, history, day)
    if rule.kind != "anomaly":
        return [found]
    # High and low are two troubles: one may end on the day on which the other begins.
    return [
        replace(found, subject=f"{rule.kpi} {side}", verdict=_verdict_of_side(rule, found, sign))
        for side, sign in (("high", 1), ("low", -1))
    ]


def judge_days(rule: Rule, history: History, day: date) -> list[Judgement]:
    """Judge a day; it is bad only with the `for_days` - 1 judged days before it."""
    found = judge_day(rule, history, day)
    if rule.for_days == 1:
        return found
    earlier = _judged_before(rule, history, day)
    return [
        each
        if each.verdict != "bad" or all(earlier.get(each.subject, [False]))
        else replace(each, verdict="between")
        for each in found
    ]


def judge_now(rule: Rule, readings: Mapping[str, Mapping[str, Reading]]) -> list[Judgement]:
    """Judge the platform: one judgement for each subject of the rule's kind."""
    return [
        Judgement(
            subject,
            _verdict(rule, each.value),
            value=each.value,
            measure=each.value,
            expected=rule.clear_below if rule.clear_below is not None else rule.fire_above,
            unit=each.unit,
            detail=each.detail,
        )
        for subject, each in sorted(readings.get(rule.kind, {}).items())
    ]


def _judged_before(rule: Rule, history: History, day: date) -> dict[str, list[bool]]:
    """For each subject, whether the judged days just before were bad; one False if too few."""
    earlier: dict[str, list[bool]] = {}
    for before in reversed([each for each in history.days if each < day][-28:]):
        for each in judge_day(rule, history, before):
            seen = earlier.setdefault(each.subject, [])
            if each.verdict != "unknown" and len(seen) < rule.for_days - 1:
                seen.append(each.verdict == "bad")
    return {
        subject: seen if len(seen) == rule.for_days - 1 else [False]
        for subject, seen in earlier.items()
    }


def _kpi(rule: Rule, history: History, day: date) -> Judgement:
    value, unit = history.value(rule.kpi, day), declared(rule.kpi).unit
    unknown = Judgement(
        rule.kpi, "unknown", day, None if value is None else float(value), unit=unit
    )
    if value is None or not (history.is_expected_open(day) or history.was_open(day)):
        return unknown
    number = float(value)
    if rule.kind == "threshold":
        usual = history.usual(rule.kpi, day)
        return replace(unknown, verdict=_verdict(rule, number), measure=number, expected=usual)
    if not history.was_open(day):
        return unknown  # a day without sales is the matter of a threshold
    if rule.kind == "change":
        usual = history.usual(rule.kpi, day)
        if not usual:
            return unknown
        measure = number / usual - 1
        return replace(unknown, verdict=_verdict(rule, measure), measure=measure, expected=usual)
    return _far(unknown, history, day, number)


def _far(unknown: Judgement, history: History, day: date, number: float) -> Judgement:
    """How far a KPI is from its expectation; the verdict is of one side, not yet given."""
    found = history.expectation(unknown.subject, day)
    if found is None:
        return unknown
    return replace(
        unknown,
        verdict="between",
        measure=found.distance(number),
        expected=found.value,
        low=found.low,
        high=found.high,
        detail=f"expected by: {found.source}",
    )


def _source(rule: Rule, history: History, day: date, source: str) -> Judgement:
    """Days in a row on which the source was expected to have orders and had none."""
    had = history.source_days[source]
    last = max((each for each in had if each <= day), default=None)
    if last is None:
        return Judgement(source, "unknown", day, unit="days")
    silent = [
        each
        for each in history.days
        if last < each <= day and history.is_expected_open(each, source=source)
    ]
    if last != day and (not silent or silent[-1] != day):
        return Judgement(source, "unknown", day, float(len(silent)), unit="days")
    return Judgement(
        source,
        _verdict(rule, float(len(silent))),
        day,
        float(len(silent)),
        float(len(silent)),
        0.0,
        unit="days",
        detail=f"last order on {last.isoformat()}",
    )


def _verdict_of_side(rule: Rule, found: Judgement, sign: int) -> Verdict:
    """An anomaly's verdict upwards (1) or downwards (-1)."""
    if found.measure is None or rule.fire_beyond is None:
        return "unknown"
    far = sign * found.measure
    clear = rule.clear_within if rule.clear_within is not None else rule.fire_beyond
    return "bad" if far > rule.fire_beyond else "calm" if far <= clear else "between"


def _verdict(rule: Rule, measure: float | None) -> Verdict:
    """Bad beyond a limit, calm within the clearing one, between them neither."""
    if measure is None:
        return "unknown"
    if rule.fire_below is not None and measure < rule.fire_below:
        return "bad"
    if rule.fire_above is not None and measure > rule.fire_above:
        return "bad"
    above = rule.clear_above if rule.clear_above is not None else rule.fire_below
    below = rule.clear_below if rule.clear_below is not None else rule.fire_above
    is_calm = (above is None or measure >= above) and (below is None or measure <= below)
    return "calm" if is_calm else "between"
