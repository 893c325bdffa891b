"""The Bayesian reading beside closed forms, and in the file that a person analyses."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.special import betaln

from experiments.analyse import analyse
from experiments.bayes import believe
from experiments.units import Metric


def shares(ones: int, units: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array([1.0] * ones + [0.0] * (units - ones))


def exactly_better(ones: int, units: int, base_ones: int, base_units: int) -> float:
    """P(p > p0) as a finite sum of Beta functions. Source: Miller (2015), A/B testing formulas."""
    a, b, a0, b0 = 1 + ones, 1 + units - ones, 1 + base_ones, 1 + base_units - base_ones
    return math.fsum(
        math.exp(betaln(a0 + i, b + b0) - math.log(b + i) - betaln(1 + i, b) - betaln(a0, b0))
        for i in range(a)
    )


@pytest.mark.parametrize(
    ("ones", "units", "base_ones", "base_units"),
    [
        *((0, 1, 1, 1), (3, 10, 5, 12), (60, 1000, 40, 1000), (900, 20_000, 940, 21_000)),
        *((0, 50, 0, 9), (4, 10, 350_000, 1_000_000), (1, 400, 0, 4)),
    ],
)
def test_the_chance_of_a_share_is_that_of_the_exact_sum(
    ones: int, units: int, base_ones: int, base_units: int
) -> None:
    found = believe(shares(ones, units), shares(base_ones, base_units), "binary")
    assert found is not None
    exact = exactly_better(ones, units, base_ones, base_units)
    assert found.probability_better == pytest.approx(exact, abs=1e-9)
    other = believe(shares(base_ones, base_units), shares(ones, units), "binary")
    assert other is not None
    gap = (1 + ones) / (2 + units) - (1 + base_ones) / (2 + base_units)
    assert other.expected_loss - found.expected_loss == pytest.approx(gap, abs=1e-9)
    assert found.expected_loss >= 0


def test_money_and_ratios_are_normal_around_the_difference_with_the_error_of_the_test() -> None:
    random = np.random.default_rng(5)
    arm, control = random.normal(11, 4, 80), random.normal(10, 3, 120)
    found = believe(arm, control, "money")
    gap = arm.mean() - control.mean()
    error = math.sqrt(arm.var(ddof=1) / 80 + control.var(ddof=1) / 120)
    assert found is not None
    at = np.linspace(gap - 9 * error, gap + 9 * error, 200_001)
    weight = np.exp(-(((at - gap) / error) ** 2) / 2)
    assert found.probability_better == pytest.approx(weight[at > 0].sum() / weight.sum(), abs=1e-4)
    worse = (weight * np.maximum(-at, 0)).sum() / weight.sum()
    assert found.expected_loss == pytest.approx(worse, rel=1e-4)
    rows = [np.column_stack([each, np.ones(len(each))]) for each in (arm, control)]
    ratio = believe(rows[0], rows[1], "ratio")
    assert ratio is not None
    assert (ratio.probability_better, ratio.expected_loss) == pytest.approx(
        (found.probability_better, found.expected_loss)
    )


@pytest.mark.parametrize("values", [[[2.0, 2.0], [2.0, 2.0]], [[2.0], [1.0, 3.0]]])
def test_where_nothing_varies_there_is_nothing_to_believe(values: list[list[float]]) -> None:
    assert believe(np.array(values[0]), np.array(values[1]), "money") is None


def test_a_file_gets_its_reading_only_when_asked_and_keeps_its_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    rows = [f"u{n},{'AB'[n % 2]},{int(n % 7 < 2 + n % 2)},{n % 5}" for n in range(400)]
    path.write_text("\n".join(["u,arm,bought,spent", *rows]) + "\n", encoding="utf-8")
    metrics = [Metric("bought", "binary"), Metric("spent", "money")]
    plain, both = (
        analyse(path, unit="u", arm="arm", control="A", metrics=metrics, bayes=asked).as_json()
        for asked in (False, True)
    )
    read = both.pop("bayes")
    assert json.dumps(both) == json.dumps(plain)
    assert [(each["arm"], each["metric"]) for each in read] == [("B", "bought"), ("B", "spent")]
    assert read[0]["probability_better"] > 0.95
    assert set(read[1]) == {"arm", "metric", "probability_better", "expected_loss"}
