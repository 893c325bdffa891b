"""The proof of the gate: every rule that blocks has a defect, and only its own check sees it."""

from collections import Counter

import pytest

from quality.gate.suites import RULES
from quality.proof.defects import DEFECTS, WIDE_DEFECTS
from quality.proof.prove import alarms, prove_defect, prove_defects
from quality.proof.sample_shop import Shop

OF_NAME = {rule.name: rule for rule in RULES}


def test_every_rule_has_a_planted_defect() -> None:
    assert {each.check for each in DEFECTS} == set(OF_NAME)


def test_every_defect_has_a_name_of_its_own() -> None:
    assert [name for name, n in Counter(each.name for each in DEFECTS).items() if n > 1] == []


@pytest.mark.slow
def test_every_defect_is_seen_by_its_check_and_missed_when_that_is_deleted(shop: Shop) -> None:
    wrong = []
    for defect in DEFECTS:
        own = OF_NAME[defect.check]
        seen = prove_defect(shop, defect, rules=[own])
        others = [rule for rule in RULES if rule.frame == own.frame and rule is not own][:1]
        unseen = prove_defect(shop, defect, rules=others)
        if not seen.caught or unseen.caught or unseen.found or not seen.saw:
            wrong.append((defect.name, seen, unseen))
    assert wrong == []


@pytest.mark.slow
def test_a_planted_defect_leaves_no_trace(shop: Shop) -> None:
    for defect in WIDE_DEFECTS:
        prove_defect(shop, defect, rules=[OF_NAME[defect.check]])
    assert [row["rule"] for row in shop.judge().results if not row["success"]] == []


def test_a_check_that_breaks_has_caught_nothing(shop: Shop) -> None:
    defect = next(each for each in DEFECTS if each.check == "order_lines.columns.as_contract")
    lost = "alter table order_lines drop column unit_price"
    row = prove_defect(
        shop,
        type(defect)("a lost column", defect.table, "order_lines.line_amount.exact", lost),
        rules=[OF_NAME["order_lines.line_amount.exact"]],
    )
    assert row.found == ("order_lines.line_amount.exact (broken)",)
    assert not row.caught


@pytest.mark.slow
def test_every_defect_is_caught_by_its_check_alone_among_all_rules() -> None:
    assert [row for row in prove_defects() if not row.caught] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_sound_shop_alarms_none(seed: int) -> None:
    assert alarms(seed) == ()
