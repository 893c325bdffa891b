"""Drift: planted drift is found in one look, and calm looks are quiet."""

import numpy as np
import pandas as pd
import pytest

from ml.drift import compare, ks, limits, psi

COLUMNS = 12


def shop(random: np.random.Generator, rows: int = 1500) -> pd.DataFrame:
    """Features of a population that stays as it is: skewed, whole and bounded ones."""
    columns = {f"amount_{at}": random.lognormal(3, 1, rows) for at in range(4)}
    columns |= {f"count_{at}": random.poisson(2, rows).astype(float) for at in range(4)}
    columns |= {f"rate_{at}": random.beta(2, 5, rows) for at in range(3)}
    return pd.DataFrame({**columns, "score": random.random(rows)})


def test_the_stability_index_is_that_of_the_formula() -> None:
    before = np.arange(1000.0)
    now = np.concatenate([np.arange(500.0), np.arange(500.0)])
    # Ten equal tenths; now the lower five hold 200 each, the upper five none.
    old, low, high = 100.5 / 1005, 200.5 / 1005, 0.5 / 1005
    expected = 5 * (low - old) * np.log(low / old) + 5 * (high - old) * np.log(high / old)
    assert psi(before, now) == pytest.approx(expected, rel=0.02)
    assert psi(before, before) == 0
    assert ks(before, now) == pytest.approx(0.5)


def test_a_shift_planted_in_one_feature_is_found_in_one_look_and_nowhere_else() -> None:
    random = np.random.default_rng(1)
    before, now = shop(random), shop(random)
    now["amount_2"] *= 1.6
    found = compare("churn", before, now)
    assert [each.column_name for each in found if each.is_drift] == ["amount_2"]
    assert {each.kind for each in found} == {"feature", "score"}
    assert len(found) == COLUMNS


def test_at_most_one_calm_look_in_twenty_raises_an_alarm() -> None:
    random = np.random.default_rng(2)
    before = shop(random)
    alarms = [
        any(each.is_drift for each in compare("churn", before, shop(random))) for _ in range(50)
    ]
    assert sum(alarms) / len(alarms) <= 0.05


def test_the_limits_hold_what_chance_exceeds_also_for_few_rows() -> None:
    random = np.random.default_rng(3)
    before, exceeded = random.normal(0, 1, 400), 0
    for _ in range(200):
        now = random.normal(0, 1, 60)
        limit_psi, limit_ks = limits(400, 60, 1)
        exceeded += psi(before, now) > limit_psi and ks(before, now) > limit_ks
    assert exceeded / 200 <= 0.05
    few = compare("m", pd.DataFrame({"a": before}), pd.DataFrame({"a": before[:10]}))
    assert few == []


def test_a_feature_that_became_constant_is_drift_and_no_error() -> None:
    random = np.random.default_rng(4)
    before, now = shop(random), shop(random)
    now["amount_0"] = 7.0
    found = compare("churn", before, now)
    assert [each.column_name for each in found if each.is_drift] == ["amount_0"]
    assert all(np.isfinite([each.psi, each.ks]).all() for each in found)
