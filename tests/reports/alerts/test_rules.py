"""The file of rules: what ships is whole, and what does not fit is refused with its name."""

from datetime import date, time
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from reports.alerts.rules import read_rules

RULE = """
[rules.fell]
kind = "change"
kpi = "order_count"
fire_below = -0.5
severity = "critical"
group = "sales"
meaning = "m"
remedy = "r"
"""


def test_the_rules_that_ship_are_whole_and_know_the_shops_days_off() -> None:
    found = read_rules()
    assert {"sales_stopped", "gate_red", "audit_red", "records_wait"} <= set(found.rules)
    assert found.quiet == (time(22), time(7))
    assert {date(2010, 12, 27), date(2011, 4, 25), date(2011, 8, 29)} <= found.closed


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"change"', '"guess"', r"'fell' .* its kind must be one of threshold, "),
        ('"order_count"', '"orders"', r"its kpi must be one of active_customers, "),
        ("fire_below = -0.5", "", "it needs fire_below or fire_above"),
        ("-0.5", "-0.5\nclear_above = -0.6", "calm side of where it fires"),
        ("-0.5", "nan", "limits must be finite"),
        ('"critical"', '"loud"', "severity must be one of critical, warning"),
        ('"m"', '" "', "must not be empty"),
        ("fire_below", "fires_below", "fires_below"),
        ("-0.5", "-0.5\nfor_days = 0", "for_days must be 1 or more"),
        ("[rules.fell]", '[rules."Fe ll"]', "its name must be of a-z"),
        ("[rules.fell]", '[calendar]\nclosed = ["2011-13-01"]\n[rules.fell]', "month must be"),
        ("[rules.fell]", '[calendar]\nclosed = ["2011-02-02/2011-02-01"]\n[rules.fell]', "ends be"),
        ("[rules.fell]", '[notices]\nquiet = "late"\n[rules.fell]', "must be like 22:00/07:00"),
        ("[rules.fell]", "[rules.fell", "don't fit"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULE, encoding="utf-8")
    assert set(read_rules(path).rules) == {"fell"}
    path.write_text(RULE.replace(old, new), encoding="utf-8")
    with pytest.raises(LakeError, match=message):
        read_rules(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"rules\.toml can't be read: No such file"):
        read_rules(tmp_path / "rules.toml")
