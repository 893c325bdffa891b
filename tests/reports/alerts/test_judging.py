"""What rules say of days: expectations from earlier days alone, by hand; silent sources."""

import dataclasses
import math
import statistics
from decimal import Decimal

import pytest

from reports.alerts.history import History
from reports.alerts.judging import Reading, judge_day, judge_now
from tests.reports.alerts.shop import course, day, rule

FAR = rule(kind="anomaly", fire_beyond=4.0, clear_within=2.0)


def wavy(days: int, **changes: int) -> History:
    """Orders that go up and down by the week: 100, 150, 100 …"""
    numbers = {int(name[1:]): value for name, value in changes.items()}
    return course(days, orders=lambda n: 150 if (n // 7) % 2 else 100, changes=numbers)


def restless(number: int) -> int:
    return 60 + (number * number * 7 % 23) * 15


def test_an_anomaly_is_the_distance_of_logarithms_by_the_robust_spread_of_the_last_days() -> None:
    history = course(120, orders=restless, changes={115: 90_000})

    def residual(number: int) -> float | None:
        past = list(range(number - 7, -1, -7))[:8]
        if day(number).weekday() == 5 or len(past) < 6:
            return None
        usual = statistics.median(restless(n) for n in past)
        return math.log(restless(number)) - math.log(usual)

    found = [residual(number) for number in range(114, 0, -1)]
    last = [each for each in found if each is not None][:40]
    middle = statistics.median(last)
    spread = 1.4826 * statistics.median(abs(each - middle) for each in last)
    assert spread > 0.25
    usual = statistics.median(restless(n) for n in range(108, 52, -7))
    high, low = judge_day(FAR, history, day(115))
    assert (high.subject, high.verdict, low.verdict) == ("order_count high", "bad", "calm")
    assert high.expected == usual
    assert high.measure == pytest.approx((math.log(90_000) - math.log(usual)) / spread)
    assert (high.low, high.high) == pytest.approx(
        (usual * math.exp(-1.96 * spread), usual * math.exp(1.96 * spread))
    )


def test_a_day_judged_later_is_judged_by_the_days_before_it_alone() -> None:
    then, later = wavy(101, _100=20), wavy(140, _100=20, _107=9, _120=999)
    assert judge_day(FAR, then, day(100)) == judge_day(FAR, later, day(100))
    cut = dataclasses.replace(later, last=day(100))
    assert cut.days == then.days


def test_what_can_not_be_compared_is_unknown() -> None:
    fell = rule(fire_below=-0.5)
    assert [each.verdict for each in judge_day(fell, course(30), day(29))] == ["unknown"]
    assert [each.verdict for each in judge_day(FAR, course(50), day(49))] == ["unknown"] * 2
    saturday = day(75)
    assert [each.verdict for each in judge_day(fell, course(80), saturday)] == ["unknown"]


def test_a_source_that_says_nothing_on_days_of_its_own_is_counted_in_such_days() -> None:
    silent = rule(kind="source_silent", kpi="", fire_above=1)
    history = course(85)
    erp = frozenset(each for each in history.source_days["erp"] if each <= day(74))
    history = dataclasses.replace(
        history, source_days={"erp": erp, "web": frozenset({day(80), day(84)})}
    )
    told = [
        [(each.subject, each.verdict, each.value) for each in judge_day(silent, history, day(n))]
        for n in (74, 75, 76, 77)
    ]
    assert told == [
        [("erp", "calm", 0), ("web", "unknown", None)],
        [("erp", "unknown", 0), ("web", "unknown", None)],
        [("erp", "calm", 1), ("web", "unknown", None)],
        [("erp", "bad", 2), ("web", "unknown", None)],
    ]


def test_a_rate_without_a_value_is_unknown() -> None:
    history = course(80)
    values = {**history.values, "return_rate": {day(78): Decimal("0.9")}}
    history = dataclasses.replace(history, values=values)
    high = rule(kind="threshold", kpi="return_rate", fire_above=0.7)
    assert [judge_day(high, history, day(n))[0].verdict for n in (77, 78)] == ["unknown", "bad"]


def test_readings_are_judged_by_the_kind_of_the_rule_each_subject_for_itself() -> None:
    red = rule(kind="gate", kpi="", fire_above=0)
    readings = {"gate": {"b": Reading(2, "rules", "x, y"), "a": Reading(None, "rules")}, "run": {}}
    assert [(each.subject, each.verdict) for each in judge_now(red, readings)] == [
        ("a", "unknown"),
        ("b", "bad"),
    ]
