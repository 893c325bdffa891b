"""The statistics against formulas written out, published examples, statsmodels, and chance."""

import math
from dataclasses import astuple
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from experiments.comparing import (
    MIXTURE,
    Figures,
    SampleRatio,
    always_valid,
    compare_means,
    compare_shares,
    holm,
    mean_error,
    sample_ratio,
    without_covariate,
)

LOOKS = (100, 150, 200, 300, 450, 700, 1000)


def shares(ones: int, units: int) -> np.ndarray:
    return np.repeat([1.0, 0.0], [ones, units - ones])


def test_shares_by_the_formula_written_out() -> None:
    found = compare_shares(shares(120, 1000), shares(90, 900))
    pooled = 210 / 1900
    z = 0.02 / math.sqrt(pooled * (1 - pooled) * (1 / 1000 + 1 / 900))
    half = 1.959963984540054 * math.sqrt(0.12 * 0.88 / 1000 + 0.1 * 0.9 / 900)
    p = 2 * NormalDist().cdf(-z)
    expected = Figures(0.02, 0.2, 0.02 - half, 0.02 + half, p, z, None)
    assert astuple(found)[:-1] == pytest.approx(astuple(expected)[:-1], rel=1e-12)
    assert found.df is None


@given(
    *(st.tuples(st.integers(1, 400), st.integers(1, 400)) for _ in range(2)),
)
@settings(max_examples=60, deadline=None)
def test_shares_as_statsmodels_has_them(arm: tuple[int, int], base: tuple[int, int]) -> None:
    (ones, rest), (base_ones, base_rest) = arm, base
    units, base_units = ones + rest, base_ones + base_rest
    found = compare_shares(shares(ones, units), shares(base_ones, base_units))
    z, p = proportions_ztest([ones, base_ones], [units, base_units])
    low, high = confint_proportions_2indep(
        ones, units, base_ones, base_units, method="wald", compare="diff"
    )
    mine = (found.statistic, found.p_value, found.ci_low, found.ci_high)
    assert mine == pytest.approx((z, p, low, high), rel=1e-9, abs=1e-9)


def test_means_by_welchs_formula_written_out() -> None:
    first = [17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8]
    other = [
        *(21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8),
        *(20.7, 21.7, 21.5, 22.5, 23.6, 21.5, 22.5, 23.5, 21.5, 21.8),
    ]
    found = compare_means(np.array(other), np.array(first))
    parts = [np.var(each, ddof=1) / len(each) for each in (other, first)]
    error = math.sqrt(sum(parts))
    df = sum(parts) ** 2 / (parts[0] ** 2 / 19 + parts[1] ** 2 / 9)
    gap = sum(other) / 20 - sum(first) / 10
    half = student.ppf(0.975, df) * error
    p = 2 * student.sf(abs(gap) / error, df)
    lift = gap / (sum(first) / 10)
    expected = (gap, lift, gap - half, gap + half, p, gap / error, df)
    assert astuple(found) == pytest.approx(expected, rel=1e-10)
    low, high = CompareMeans(DescrStatsW(other), DescrStatsW(first)).tconfint_diff(usevar="unequal")
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize(
    ("arm", "base", "expected"),
    [
        ([3, 3, 3], [3, 3], Figures(0.0, 0.0)),
        ([4, 4], [3, 3], Figures(1.0, 1 / 3)),
        ([5], [2], Figures(3.0, 1.5)),
        ([1, 1], [0, 0], Figures(1.0, None)),
        ([1, 1], [-2, -2], Figures(3.0, None)),
    ],
)
def test_means_without_variance_or_baseline_have_no_figure(
    arm: list[float], base: list[float], expected: Figures
) -> None:
    assert compare_means(np.array(arm, float), np.array(base, float)) == expected


def test_shares_without_variance_have_no_test() -> None:
    assert compare_shares(shares(0, 9), shares(0, 7)) == Figures(0.0, None)
    assert compare_shares(shares(9, 9), shares(7, 7)) == Figures(0.0, 0.0)


def test_the_sample_ratio_by_hand_and_by_shares() -> None:
    even = sample_ratio([821588, 815482], [1, 1])  # published by Kohavi et al., p = 1.8e-6
    expected = 2 * (6106 / 2) ** 2 / (1637070 / 2)
    p = math.erfc(math.sqrt(expected / 2))
    assert astuple(even) == pytest.approx((expected, p), rel=1e-9)
    assert p == pytest.approx(1.8e-6, rel=0.02)
    assert sample_ratio([300, 100], [0.75, 0.25]) == SampleRatio(0.0, 1.0)


@settings(max_examples=8, deadline=None)  # statsmodels takes 0.1 s each
@given(st.lists(st.integers(0, 1000) | st.none(), min_size=1, max_size=8))
def test_holm_as_statsmodels_has_it(thousandths: list[int | None]) -> None:
    p_values = [None if each is None else each / 1000 for each in thousandths]
    found = holm(p_values)
    assert [each is None for each in found] == [each is None for each in p_values]
    known = [each for each in p_values if each is not None]
    if known:
        expected = multipletests(known, method="holm")[1]
        assert [each for each in found if each is not None] == pytest.approx(list(expected))


def test_cuped_takes_out_what_the_covariate_explains() -> None:
    random = np.random.default_rng(5)
    before = [random.normal(10, 3, 500), random.normal(10, 3, 400)]
    values = [2 * each + random.normal(0, 2, len(each)) for each in before]
    adjusted, gone = without_covariate(values, before)
    correlation = np.corrcoef(np.concatenate(values), np.concatenate(before))[0, 1]
    assert gone == pytest.approx(correlation**2, rel=1e-9)
    assert np.concatenate(adjusted).mean() == pytest.approx(np.concatenate(values).mean())
    theta = np.polyfit(np.concatenate(before), np.concatenate(values), 1)[0]
    expected = values[0] - theta * (before[0] - np.concatenate(before).mean())
    np.testing.assert_allclose(adjusted[0], expected, rtol=1e-9)


def test_cuped_leaves_values_without_variance_as_they_are() -> None:
    values = [np.array([1.0, 2.0]), np.array([4.0])]
    constant = [np.array([3.0, 3.0]), np.array([3.0])]
    adjusted, gone = without_covariate(values, constant)
    assert (adjusted, gone) == (values, None)


def test_the_sequential_interval_is_where_the_mixture_ratio_reaches_alpha() -> None:
    """By integration: the likelihood ratio over the mixture is 20 at the interval's end."""
    error, units, others = 0.02, 3000, 2000
    found = always_valid(Figures(0.05, None), error=error, units=units, control_units=others)
    deviation = error * math.sqrt(units * others / (units + others))
    effects = np.linspace(-12, 12, 200_001) * MIXTURE * deviation
    prior = np.exp(-0.5 * (effects / (MIXTURE * deviation)) ** 2)
    prior /= prior.sum()

    def ratio(distance: float) -> float:
        return float((prior * np.exp((distance * effects - effects**2 / 2) / error**2)).sum())

    assert found.ci_high is not None
    assert found.p_value is not None
    assert ratio(found.ci_high - 0.05) == pytest.approx(20, rel=1e-6)
    assert found.p_value == pytest.approx(1 / ratio(0.05), rel=1e-6)


@pytest.mark.parametrize(
    ("runs", "within"), [(250, 0.035), pytest.param(1000, 0.015, marks=pytest.mark.slow)]
)
def test_without_an_effect_tests_alarm_as_often_as_they_say(runs: int, within: float) -> None:
    """A/A, 1,000 seeded runs: 5 % ± 1.5 at one look; at seven looks only the sequential holds."""
    random = np.random.default_rng(20)
    fixed_share = fixed_mean = peeked = sequential = cuped = 0
    for _ in range(runs):
        a, b = random.gamma(1.5, 20, (2, LOOKS[-1]))
        fixed_share += p_below(compare_shares((a > 40) * 1.0, (b > 40) * 1.0))
        before = [0.7 * each + random.normal(0, 10, LOOKS[-1]) for each in (a, b)]
        cuped += p_below(compare_means(*without_covariate([a, b], before)[0]))
        each_look = [welch(a[:n], b[:n]) for n in LOOKS]
        fixed_mean += p_below(compare_means(a, b))
        peeked += any(map(p_below, each_look))
        sequential += any(
            p_below(always_valid(found, error=mean_error(a[:n], b[:n]), units=n, control_units=n))
            for n, found in zip(LOOKS, each_look, strict=True)
        )
    assert [rate / runs for rate in (fixed_share, fixed_mean, cuped)] == pytest.approx(
        [0.05] * 3, abs=within
    )
    assert peeked / runs > 0.1
    assert sequential / runs <= 0.05


def welch(arm: np.ndarray, base: np.ndarray) -> Figures:
    """Welch's test with the normal limit for its t, quick enough for thousands of runs."""
    gap = float(arm.mean() - base.mean())
    z = gap / mean_error(arm, base)
    return Figures(gap, None, p_value=math.erfc(abs(z) / math.sqrt(2)))


def p_below(found: Figures) -> bool:
    return found.p_value is not None and found.p_value < 0.05
