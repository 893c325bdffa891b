"""The list of protections fits the code: each line is there once, each test exists."""

import pytest

from lakehouse.settings import PROJECT_ROOT
from tests.faults.protections import PROTECTIONS, Protection, without
from tests.faults.report import numbered_tests


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda each: each.test)
def test_each_protection_is_one_place_of_the_product_and_has_its_test(
    protection: Protection,
) -> None:
    path = PROJECT_ROOT / protection.file
    text = path.read_text(encoding="utf-8")
    changed = without(protection, text)
    assert changed != text
    if path.suffix == ".py":
        compile(changed, protection.file, "exec")
    file, _, name = protection.node.partition("::")
    assert f"def {name or 'test_'}" in (PROJECT_ROOT / file).read_text(encoding="utf-8")


def test_every_fault_test_has_a_protection_to_take_away() -> None:
    named = {number for each in PROTECTIONS for number in each.test.split()}
    assert named >= {number for number, _ in numbered_tests()}
