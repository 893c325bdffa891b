"""The statistics of two arms: pure functions of arrays, without a file and without a verdict.

A figure that has no value (no variance, no baseline, too few units) is None, never NaN.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Values = np.ndarray[Any, np.dtype[np.float64]]

ALPHA = 0.05
MIXTURE = 0.1
"""Standard deviation of the effects a sequential interval is tightest for, in deviations of the
metric. It must not depend on the data."""


@dataclass(frozen=True)
class Figures:
    """One arm against the control. `df` is None for a z statistic."""

    difference: float
    relative_lift: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    statistic: float | None = None
    df: float | None = None


@dataclass(frozen=True)
class SampleRatio:
    """Chi-square test of the numbers of units against the expected shares."""

    chi2: float
    p_value: float


def sample_ratio(units: Sequence[int], shares: Sequence[float]) -> SampleRatio:
    """Compare units per arm with the shares they should have; shares need not sum to 1."""
    from scipy.special import chdtrc

    expected = [sum(units) * each / math.fsum(shares) for each in shares]
    chi2 = math.fsum((n - each) ** 2 / each for n, each in zip(units, expected, strict=True))
    return SampleRatio(chi2, float(chdtrc(len(units) - 1, chi2)))


def compare_shares(arm: "Values", control: "Values") -> Figures:
    """Two proportions: the z test with the pooled share, the Wald interval without pooling."""
    from scipy.special import ndtr, ndtri

    share, base = _mean(arm), _mean(control)
    found = Figures(share - base, _lift(share - base, base))
    pooled = (math.fsum(arm) + math.fsum(control)) / (len(arm) + len(control))
    error = math.sqrt(pooled * (1 - pooled) * (1 / len(arm) + 1 / len(control)))
    if error == 0:
        return found
    statistic = found.difference / error
    half = -float(ndtri(ALPHA / 2)) * wald_error(share, len(arm), base, len(control))
    return replace(
        found,
        ci_low=found.difference - half,
        ci_high=found.difference + half,
        p_value=2 * float(ndtr(-abs(statistic))),
        statistic=statistic,
    )


def wald_error(share: float, units: int, base: float, base_units: int) -> float:
    """Standard error of the difference of two proportions, each with its own variance."""
    return math.sqrt(share * (1 - share) / units + base * (1 - base) / base_units)


def compare_means(arm: "Values", control: "Values") -> Figures:
    """Two means by Welch's t test, which takes no equal variances for granted."""
    from scipy.special import stdtr, stdtrit

    mean, base = _mean(arm), _mean(control)
    found = Figures(mean - base, _lift(mean - base, base))
    if min(len(arm), len(control)) < 2 or (_is_constant(arm) and _is_constant(control)):
        return found
    error = mean_error(arm, control)
    statistic = found.difference / error
    df = error**4 / sum(
        (each.var(ddof=1) / len(each)) ** 2 / (len(each) - 1) for each in (arm, control)
    )
    half = -float(stdtrit(df, ALPHA / 2)) * error
    return replace(
        found,
        ci_low=found.difference - half,
        ci_high=found.difference + half,
        p_value=2 * float(stdtr(df, -abs(statistic))),
        statistic=statistic,
        df=float(df),
    )


def compare_ratios(arm: "Values", control: "Values") -> Figures:
    """Two ratios of sums, such as orders by sessions where the unit is the visitor.

    A row is a unit: numerator, denominator. Rows are independent, their parts are not, so the error
    is that of the delta method.
    """
    from scipy.special import ndtr, ndtri

    if not (arm[:, 1].sum() > 0 and control[:, 1].sum() > 0):
        return Figures(0.0, None)
    difference = ratio_difference(arm, control)
    found = Figures(difference, _lift(difference, _ratio(control)))
    error = ratio_error(arm, control)
    if error == 0:
        return found
    statistic = found.difference / error
    half = -float(ndtri(ALPHA / 2)) * error
    return replace(
        found,
        ci_low=found.difference - half,
        ci_high=found.difference + half,
        p_value=2 * float(ndtr(-abs(statistic))),
        statistic=statistic,
    )


def ratio_difference(arm: "Values", control: "Values") -> float:
    """The arm's ratio less the control's; rows as `compare_ratios` takes them."""
    return _ratio(arm) - _ratio(control)


def ratio_error(arm: "Values", control: "Values") -> float:
    """Standard error of the difference of two ratios by the delta method; 0 for a single unit."""
    if min(len(arm), len(control)) < 2:
        return 0.0
    return math.sqrt(_ratio_variance(arm) + _ratio_variance(control))


def without_covariate(
    values: "Sequence[Values]", covariates: "Sequence[Values]"
) -> "tuple[list[Values], float | None]":
    """CUPED: take out of each arm's values what the figure from before explains.

    Returns:
        Adjusted values of each arm, and the part of the variance that is gone; None when the
        covariate or the metric is constant, which leaves the values as they are.
    """
    import numpy as np

    every, before = np.concatenate(values), np.concatenate(covariates)
    if _is_constant(every) or _is_constant(before):
        return list(values), None
    deviation = before - before.mean()
    theta = float(deviation @ (every - every.mean()) / (deviation @ deviation))
    middle = float(before.mean())
    adjusted = [
        own - theta * (figure - middle) for own, figure in zip(values, covariates, strict=True)
    ]
    return adjusted, 1 - float(np.concatenate(adjusted).var() / every.var())


def always_valid(found: Figures, *, error: float, units: int, control_units: int) -> Figures:
    """Put an interval and a p-value that hold at every look in the place of the fixed ones.

    The mixture sequential probability ratio test, its mixture normal around no difference.
    """
    if error == 0:
        return replace(found, ci_low=None, ci_high=None, p_value=None)
    information = MIXTURE**2 * units * control_units / (units + control_units)
    z = found.difference / error
    log_ratio = (z * z * information / (1 + information) - math.log1p(information)) / 2
    width = (1 + 1 / information) * (2 * math.log(1 / ALPHA) + math.log1p(information))
    half = error * math.sqrt(width)
    return replace(
        found,
        ci_low=found.difference - half,
        ci_high=found.difference + half,
        p_value=math.exp(-max(log_ratio, 0.0)),
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values; a comparison without a p-value doesn't count."""
    ranked = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(ranked):
        largest = max(largest, min(1.0, p * (len(ranked) - rank)))
        adjusted[place] = largest
    return adjusted


def mean_error(arm: "Values", control: "Values") -> float:
    """Standard error of the difference of two means, each with its own variance."""
    return math.sqrt(arm.var(ddof=1) / len(arm) + control.var(ddof=1) / len(control))


def _ratio(rows: "Values") -> float:
    return math.fsum(rows[:, 0]) / math.fsum(rows[:, 1])


def _ratio_variance(rows: "Values") -> float:
    """Variance of sum(numerators) / sum(denominators), linear in each around their means."""
    residuals = (rows[:, 0] - _ratio(rows) * rows[:, 1]) / rows[:, 1].mean()
    return float(residuals.var(ddof=1)) / len(rows)


def _mean(values: "Values") -> float:
    return math.fsum(values) / len(values)


def _lift(difference: float, base: float) -> float | None:
    return difference / base if base > 0 else None


def _is_constant(values: "Values") -> bool:
    return bool((values == values[0]).all())
