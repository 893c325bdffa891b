"""The proof of dbt's tests: a defect of gold fails its one test, sound gold fails none."""

import pytest

from pipelines.gold.prove import GoldProof, gold_defects, prove_gold


@pytest.fixture(scope="module")
def proof() -> GoldProof:
    """Every defect planted in the gold of one shop, judged by all tests."""
    return prove_gold((0,))


@pytest.mark.slow
def test_every_planted_defect_of_gold_fails_its_test_alone(proof: GoldProof) -> None:
    assert [row for row in proof.rows if not row.caught] == []
    assert [row.check for row in proof.rows] == [each["check"] for each in gold_defects()]
    assert all("failing rows: " in row.saw for row in proof.rows)


@pytest.mark.slow
def test_sound_gold_fails_no_test(proof: GoldProof) -> None:
    assert proof.alarms == {0: ()}


@pytest.mark.slow
def test_without_its_test_a_defect_of_gold_goes_unseen() -> None:
    without = [each["check"] for each in gold_defects()]
    found = prove_gold((1,), without=without)
    assert [(row.found, row.saw, row.caught) for row in found.rows] == [((), "", False)] * len(
        without
    )


@pytest.mark.slow
def test_sound_gold_of_twenty_seeds_fails_no_test() -> None:
    found = prove_gold(range(20), defects=())
    assert found.alarms == dict.fromkeys(range(20), ())
