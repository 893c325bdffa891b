"""One trouble from its beginning to its end: fired once, told once, resolved once, armed again."""

import sqlite3
from datetime import UTC, datetime, time, timedelta

import pytest

from reports.alerts.check import Change, Targets, after_quiet, check
from reports.alerts.history import History
from reports.alerts.judging import Reading
from reports.alerts.rules import RuleBook
from reports.alerts.store import Store, memory_store
from tests.reports.alerts.shop import at, book, course, day, rule

FELL = rule(fire_below=-0.5, clear_above=-0.2)
ONE = Targets((("webhook", "https://chat.example/x"),), (("webhook", "https://boss.example/y"),))


def kinds(changes: list[Change]) -> list[str]:
    return [each.kind for each in changes]


def run(
    store: Store, rules: RuleBook, history: History | None, now: datetime, **readings: object
) -> list[Change]:
    return check(
        store,
        rules,
        history=history,
        readings=readings,  # type: ignore[arg-type]
        now=now,
        targets=ONE,
    )


def test_a_bad_day_fires_within_one_check_and_the_next_calm_one_resolves_it() -> None:
    store, rules = memory_store(), book(fell=FELL)
    history = course(80, changes={70: 20, 71: 22})
    told = []
    for number in range(68, 76):
        found = check(
            store,
            rules,
            history=course(number + 1, changes={70: 20, 71: 22}),
            readings={},
            now=at(number),
            targets=ONE,
        )
        told += [(number, each.kind) for each in found]
        assert run(store, rules, course(number + 1, changes={70: 20, 71: 22}), at(number, 7)) == []
    assert told == [(70, "fired"), (72, "resolved")]
    assert history.usual("order_count", day(70)) == 100
    assert [(each.kind, each.state) for each in store.notices()] == [
        ("fired", "due"),
        ("resolved", "due"),
    ]


def test_after_its_end_a_rule_is_armed_again_and_opens_another_incident() -> None:
    store, rules = memory_store(), book(fell=FELL)
    changes = {70: 10, 73: 10}
    for number in range(69, 75):
        run(store, rules, course(number + 1, changes=changes), at(number))
    assert [(each.id, each.state) for each in store.incidents()] == [
        (2, "resolved"),
        (1, "resolved"),
    ]


def test_between_the_two_limits_nothing_opens_and_nothing_ends() -> None:
    store, rules = memory_store(), book(fell=FELL)
    for number, expected in ((70, []), (71, ["fired"]), (72, []), (73, ["resolved"])):
        changes = {70: 60, 71: 40, 72: 60, 73: 90}
        assert kinds(run(store, rules, course(number + 1, changes=changes), at(number))) == expected


def test_a_rule_of_several_days_waits_for_all_of_them_and_passes_over_closed_ones() -> None:
    store, rules = memory_store(), book(fell=rule(fire_below=-0.5, for_days=2))
    changes = {74: 20, 76: 20}  # a Friday and a Sunday
    told = [
        (number, kinds(run(store, rules, course(number + 1, changes=changes), at(number))))
        for number in range(73, 78)
    ]
    assert told == [(73, []), (74, []), (75, []), (76, ["fired"]), (77, ["resolved"])]


def test_missed_days_are_judged_in_order_and_each_trouble_of_them_is_told() -> None:
    store, rules = memory_store(), book(fell=FELL)
    run(store, rules, course(70), at(69))
    found = run(store, rules, course(75, changes={71: 10}), at(74))
    assert kinds(found) == ["fired", "resolved"]
    assert [each.state for each in store.notices()] == ["due", "due"]


def test_the_first_check_judges_the_newest_day_alone() -> None:
    store = memory_store()
    assert run(store, book(fell=FELL), course(80, changes={70: 1}), at(79)) == []


def test_the_newest_day_waits_until_a_later_one_has_begun() -> None:
    rules = RuleBook(rules={"fell": FELL}, closed=frozenset(), judge_newest_day=False, quiet=None)
    store = memory_store()
    assert run(store, rules, course(71, changes={70: 3}), at(70)) == []
    assert kinds(run(store, rules, course(72, changes={70: 3}), at(71))) == ["fired"]


def test_a_day_that_late_records_mend_ends_its_alert() -> None:
    store, rules = memory_store(), book(fell=FELL)
    assert kinds(run(store, rules, course(71, changes={70: 5}), at(70))) == ["fired"]
    assert kinds(run(store, rules, course(71), at(70, 9))) == ["resolved"]


def test_closed_days_raise_nothing_and_an_empty_open_day_does() -> None:
    stopped = rule(kind="threshold", fire_below=1)
    store, rules = memory_store(), book(stopped=stopped)
    holiday = frozenset({day(71)})
    told = {}
    for number in range(60, 80):
        history = course(number + 1, changes={71: 0, 77: 0}, closed=holiday)
        told[number] = kinds(run(store, rules, history, at(number)))
    assert {number: each for number, each in told.items() if each} == {
        77: ["fired"],
        78: ["resolved"],
    }


def test_a_trouble_of_the_platform_must_last_and_a_break_begins_its_time_anew() -> None:
    wait = rule(kind="lag_records", kpi="", fire_above=100, clear_below=50, for_minutes=10)
    store, rules = memory_store(), book(wait=wait)

    def look(minute: int, records: float | None) -> list[str]:
        readings = {"Kafka": Reading(records, "records")}
        return kinds(run(store, rules, None, at(0, 6, minute), lag_records=readings))

    assert [look(0, 150), look(9, 150), look(11, 80), look(12, 150), look(20, 150)] == [[]] * 5
    assert look(22, None) == []
    assert look(23, 150) == ["fired"]
    assert [look(24, 80), look(25, None)] == [[], []]
    assert look(26, 50) == ["resolved"]


def test_the_store_itself_refuses_a_second_open_incident_of_one_trouble() -> None:
    store = memory_store()

    def fire() -> int:
        return store.fire(
            rule="r", subject="s", severity="warning", owners="g", summary="", facts={}, now=at(0)
        )

    first = fire()
    with pytest.raises(sqlite3.IntegrityError):
        fire()
    store.resolve(first, resolution="over", now=at(1))
    assert fire() != first


def test_a_check_that_breaks_leaves_nothing_half() -> None:
    store, rules = memory_store(), book(fell=FELL)

    def explain(*_facts: object) -> list[object]:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        check(
            store,
            rules,
            history=course(71, changes={70: 5}),
            readings={},
            now=at(70),
            targets=ONE,
            explain=explain,  # type: ignore[arg-type]
        )
    assert (store.incidents(), store.notices(), store.judged_to("fell")) == ([], [], None)
    assert kinds(run(store, rules, course(71, changes={70: 5}), at(70))) == ["fired"]


def test_what_nobody_acknowledges_is_told_on_once_and_what_somebody_does_is_not() -> None:
    late = rule(fire_below=-0.5, escalate_after_minutes=60)
    history = course(71, changes={70: 5})
    store, rules = memory_store(), book(fell=late)
    moments = [at(70), at(70, 6, 59), at(70, 7), at(70, 8)]
    assert [kinds(run(store, rules, history, each)) for each in moments] == [
        ["fired"],
        [],
        ["escalated"],
        [],
    ]
    assert [(each.kind, each.target) for each in store.notices()] == [
        ("fired", "https://chat.example/x"),
        ("escalated", "https://boss.example/y"),
    ]
    store = memory_store()
    run(store, rules, history, at(70))
    store.acknowledge(1, by="Jo", note="", now=at(70, 6, 30))
    assert run(store, rules, history, at(70, 8)) == []
    assert kinds(run(store, rules, course(71), at(70, 9))) == ["resolved"]


def test_warnings_wait_for_the_end_of_the_quiet_hours_and_those_that_ended_are_not_told() -> None:
    stale = rule(kind="gold_age", kpi="", fire_above=50, severity="warning")
    rules = book((time(22), time(7)), stale=stale)
    store = memory_store()

    def look(hours: float, now: datetime) -> list[str]:
        return kinds(run(store, rules, None, now, gold_age={"gold": Reading(hours, "hours")}))

    assert look(51, at(0, 23)) == ["fired"]
    assert [each.due_at for each in store.notices()] == [at(1, 7)]
    assert look(1, at(1, 2)) == ["resolved"]
    assert [(each.kind, each.state) for each in store.notices()] == [("fired", "withdrawn")]
    assert look(51, at(1, 8)) == ["fired"]
    assert store.notices()[-1].due_at == at(1, 8)


def test_quiet_hours_end_on_the_shops_clock_when_it_changes() -> None:
    rules = book((time(22), time(7)))
    before = datetime(2012, 3, 24, 23, 0, tzinfo=UTC)  # the clocks go forward in this night
    assert after_quiet(before, rules) == datetime(2012, 3, 25, 6, 0, tzinfo=UTC)
    assert after_quiet(before - timedelta(hours=2), rules) == before - timedelta(hours=2)
    autumn = datetime(2012, 10, 27, 22, 30, tzinfo=UTC)
    assert after_quiet(autumn, rules) == datetime(2012, 10, 28, 7, 0, tzinfo=UTC)


def test_a_rule_that_is_taken_out_closes_its_alerts() -> None:
    store = memory_store()
    run(store, book(fell=FELL), course(71, changes={70: 5}), at(70))
    assert kinds(run(store, book(), course(71, changes={70: 5}), at(70, 7))) == ["resolved"]
    assert store.incidents()[0].resolution == "the rule was taken out"
