"""Plans against published sizes, statsmodels, and the tests that they are made for."""

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower

from experiments.comparing import compare_shares
from experiments.plan import Plan, plan_mean, plan_share, whole_plan
from lakehouse.errors import LakeError


@pytest.mark.parametrize(("effect", "units"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_means_take_the_units_of_cohens_table(effect: float, units: int) -> None:
    found, power = plan_mean(1, effect)
    assert found == units
    expected = TTestIndPower().power(effect, nobs1=units, alpha=0.05)
    assert power == pytest.approx(expected, rel=1e-6)
    assert plan_mean(30, -30 * effect) == (found, pytest.approx(power))


def test_shares_take_the_units_of_the_published_formula() -> None:
    """Fleiss: 10 % against 15 % take 686 units an arm, at a power of 80 %."""
    units, power = plan_share(0.10, 0.05)
    assert units == 686
    assert 0.8 <= power < 0.8005
    assert plan_share(0.10, 0.05, arms=3)[0] > units


@pytest.mark.parametrize(
    ("runs", "within"), [(400, 0.05), pytest.param(2000, 0.03, marks=pytest.mark.slow)]
)
def test_a_plan_finds_as_often_as_it_says(runs: int, within: float) -> None:
    random = np.random.default_rng(4)
    units, power = plan_share(0.10, 0.05)
    hits = 0
    for _ in range(runs):
        a, b = ((random.random(units) < share) * 1.0 for share in (0.10, 0.15))
        p = compare_shares(b, a).p_value
        hits += p is not None and p < 0.05
    assert hits / runs == pytest.approx(power, abs=within)


def test_days_are_those_of_all_arms() -> None:
    assert whole_plan((101, 0.8), arms=3, units_a_day=100) == Plan(101, 303, 4, 0.8)
    assert whole_plan((101, 0.8), arms=3, units_a_day=None) == Plan(101, 303, None, 0.8)


@pytest.mark.parametrize(
    ("baseline", "effect", "options", "message"),
    [
        (0, 0.1, {}, "a share is above 0"),
        (0.9, 0.2, {}, r"make 1\.1"),
        (0.1, 0, {}, "a figure other than 0"),
        (0.1, float("nan"), {}, "make nan"),
        (0.1, 0.1, {"alpha": 0}, "0 < alpha < power < 1"),
        (0.1, 0.1, {"power": 1}, "0 < alpha < power < 1"),
        (0.1, 0.1, {"arms": 1}, "at least two"),
        (0.1, 1e-9, {}, "too small"),
    ],
)
def test_figures_out_of_range_are_refused(
    baseline: float, effect: float, options: dict[str, float], message: str
) -> None:
    with pytest.raises(LakeError, match=message):
        plan_share(baseline, effect, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("sd", [0, -1, float("inf"), float("nan")])
def test_a_deviation_out_of_range_is_refused(sd: float) -> None:
    with pytest.raises(LakeError, match="must be above 0"):
        plan_mean(sd, 1)
    with pytest.raises(LakeError, match="more than 0"):
        whole_plan((1, 0.8), arms=2, units_a_day=sd if sd != 1 else 0)
