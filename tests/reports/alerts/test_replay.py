"""Replays: each day as on its evening, nothing kept, planted faults found once."""

from reports.alerts.replay import replay, with_outage
from tests.reports.alerts.shop import book, course, day, rule


def test_a_replay_counts_what_each_rule_did_and_a_planted_fault_fires_and_ends_once() -> None:
    rules = book(
        fell=rule(fire_below=-0.5, clear_above=-0.2),
        stale=rule(kind="gold_age", kpi="", fire_above=1),
    )
    history = course(120)
    [calm] = replay(history, rules)
    assert (calm.rule, calm.fired, calm.resolved, calm.days) == ("fell", (), (), 103)
    hit = [day(98), day(99), day(100)]
    [found] = replay(with_outage(history, hit, left=0.1), rules)
    assert [each for each, _ in found.fired] == [day(98)]
    assert found.resolved == (day(101),)
    assert found.per_thirty_days == 30 / 103
    [part] = replay(history, rules, first=day(112), last=day(115))
    assert part.days == 4


def test_an_outage_of_everything_is_an_empty_day_and_a_silent_source() -> None:
    rules = book(
        stopped=rule(kind="threshold", fire_below=1),
        silent=rule(kind="source_silent", kpi="", fire_above=1),
    )
    hit = [day(98), day(99)]
    stopped, silent = replay(with_outage(course(120), hit, left=0), rules)
    assert [each for each, _ in stopped.fired] == [day(98)]
    assert [each for each, _ in silent.fired] == [day(99)]
    assert (stopped.resolved, silent.resolved) == ((day(100),), (day(100),))
