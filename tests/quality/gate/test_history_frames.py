"""Breaks with the shop's own recent past: each warns by its rule alone; a young shop is silent."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from quality.gate.suites import RULES
from quality.gate.verdicts import GateResult

HISTORY_RULES = [rule for rule in RULES if rule.suite == "order_lines: history"]
OF_DAY = "order_date = '{day}' and source_system = '{source}'"
DEFECTS = (
    (
        "insert into order_lines select order_lines.* replace (event_id || '-' || n as event_id) "
        "from order_lines, range(9) as times(n) where " + OF_DAY,
        ("erp", "2011-03-31"),
        ("order_lines.volume.not_high", "1 of 13 days", "volume_ratio"),
    ),
    (
        (
            f"delete from order_lines where {OF_DAY} and event_id not in "
            f"(select min(event_id) from order_lines where {OF_DAY})"
        ),
        ("erp", "2011-04-01"),
        ("order_lines.volume.not_low", "1 of 13 days", "full_day_volume_ratio"),
    ),
    (
        f"delete from order_lines where {OF_DAY}",
        ("erp", "2011-04-02"),
        ("order_lines.day.not_missing", "days without a line: 1", ""),
    ),
    (
        "update order_lines set unit_price = unit_price * 100, line_amount = line_amount * 100 "
        "where " + OF_DAY,
        ("web", "2011-04-03"),
        ("order_lines.price_level.steady", "1 of 13 days", "price_ratio"),
    ),
    (
        "update order_lines set customer_id = null where " + OF_DAY,
        ("web", "2011-04-04"),
        ("order_lines.unknown_customers.not_rising", "1 of 13 days", "unknown_rate_rise"),
    ),
)


def plant(shop: Any) -> None:
    for damage, (source, day), _ in DEFECTS:
        shop.connection.execute(damage.format(source=source, day=day))


def failures(result: GateResult) -> list[tuple[str, str, str]]:
    return [
        (row["rule"], row["severity"], row["observed"])
        for row in result.results
        if not row["success"]
    ]


def test_every_break_with_the_recent_past_warns_by_its_rule_alone(shop: Any) -> None:
    with shop.changed():
        plant(shop)
        result = shop.judge(rules=HISTORY_RULES)
    assert sorted(failures(result)) == sorted(
        (rule, "warn", observed) for _, _, (rule, observed, _) in DEFECTS
    )
    assert result.passed
    details = {row["rule"]: row["detail"] for row in result.results}
    for _, (source, day), (rule, _, column) in DEFECTS:
        assert details[rule].startswith(column)
        assert f"source_system {source}, " in details[rule]
        assert f"_date {day}" in details[rule]
        assert ";" not in details[rule]


def test_a_mistyped_year_moves_no_day_that_is_compared(
    shop: Any, line_with: Callable[..., dict[str, Any]]
) -> None:
    with shop.changed():
        plant(shop)
        shop.add(
            "order_lines",
            **line_with(
                ordered_at=datetime(2091, 4, 1, 12, tzinfo=UTC),
                order_date=date(2091, 4, 1),
                order_month="2091-04",
            ),
        )
        result = shop.judge(rules=HISTORY_RULES)
    assert sorted(failures(result)) == sorted(
        (rule, "warn", observed) for _, _, (rule, observed, _) in DEFECTS
    )


def test_a_source_that_falls_silent_warns(shop: Any) -> None:
    with shop.changed():
        shop.connection.execute(
            "delete from order_lines where source_system = 'erp' and order_date > '2011-03-22'"
        )
        on_the_edge = shop.judge(rules=HISTORY_RULES)
        shop.connection.execute(
            "delete from order_lines where source_system = 'erp' and order_date > '2011-03-20'"
        )
        late = shop.judge(rules=HISTORY_RULES)
    stale = [row for row in late.results if not row["success"]]
    assert failures(on_the_edge) == []
    assert [(row["rule"], row["observed"], row["detail"]) for row in stale] == [
        (
            "order_lines.source.fresh",
            "1 of 2 sources",
            "allowed_days 14, silent_days 16, source_system erp, last_date 2011-03-20",
        )
    ]


def test_a_shop_of_less_than_thirty_days_has_no_past_to_break_with(shop: Any) -> None:
    with shop.changed():
        shop.connection.execute("delete from order_lines where order_date < '2011-03-07'")
        plant(shop)
        result = shop.judge(rules=HISTORY_RULES)
    assert failures(result) == []


def test_days_that_were_judged_before_are_not_compared_again(shop: Any) -> None:
    compared = [rule for rule in HISTORY_RULES if rule.frame == "recent_days"]
    with shop.changed():
        plant(shop)
        result = shop.judge(rules=compared, since_batch=1000)
    assert failures(result) == []
