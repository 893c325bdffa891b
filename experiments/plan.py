"""How many units an experiment takes, and how many days.

In: the baseline, the smallest effect worth finding, alpha and power. Out: units per arm. Several
arms share alpha (Bonferroni), which Holm's rule in the analysis never falls short of.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.errors import LakeError

MOST_UNITS = 10**12


@dataclass(frozen=True)
class Plan:
    """What an experiment takes; `days` is None without a number of units a day."""

    units_per_arm: int
    units: int
    days: int | None
    power: float


def plan_share(
    baseline: float, effect: float, *, arms: int = 2, alpha: float = 0.05, power: float = 0.8
) -> tuple[int, float]:
    """Units per arm that find a share's change of `effect` by the pooled z test, and their power.

    Raises:
        LakeError: A figure is out of its range.
    """
    other = baseline + effect
    if not 0 < baseline < 1:
        raise LakeError(f"The baseline is {baseline:g}: a share is above 0 and below 1.")
    if not 0 < other < 1:
        raise LakeError(f"Baseline and effect make {other:g}: a share is above 0 and below 1.")
    shared = _shared_alpha(effect, arms=arms, alpha=alpha, power=power)
    return _smallest(lambda units: _power_of_share(units, baseline, other, shared), power)


def plan_mean(
    sd: float, effect: float, *, arms: int = 2, alpha: float = 0.05, power: float = 0.8
) -> tuple[int, float]:
    """Units per arm that find a mean's change of `effect` by the t test, and their power.

    Raises:
        LakeError: A figure is out of its range.
    """
    if not (math.isfinite(sd) and sd > 0):
        raise LakeError(f"The standard deviation is {sd:g}: it must be above 0.")
    shared = _shared_alpha(effect, arms=arms, alpha=alpha, power=power)
    return _smallest(lambda units: _power_of_mean(units, effect / sd, shared), power)


def whole_plan(found: tuple[int, float], *, arms: int, units_a_day: float | None) -> Plan:
    """Add up the arms, and the days when the units of a day are known.

    Raises:
        LakeError: The units a day are not above 0.
    """
    each, power = found
    if units_a_day is None:
        return Plan(each, each * arms, None, power)
    if not (math.isfinite(units_a_day) and units_a_day > 0):
        raise LakeError(f"{units_a_day:g} units a day: it must be more than 0.")
    return Plan(each, each * arms, math.ceil(each * arms / units_a_day), power)


def _shared_alpha(effect: float, *, arms: int, alpha: float, power: float) -> float:
    if not (math.isfinite(effect) and effect != 0):
        raise LakeError(f"The smallest effect is {effect:g}: it must be a figure other than 0.")
    if not 0 < alpha < power < 1:
        raise LakeError(
            f"Alpha {alpha:g} and power {power:g} don't fit: 0 < alpha < power < 1 must hold."
        )
    if arms < 2:
        raise LakeError(f"{arms} arms: an experiment has at least two, the control included.")
    return alpha / (arms - 1)


def _power_of_share(units: int, baseline: float, other: float, alpha: float) -> float:
    from scipy.special import ndtr, ndtri

    pooled = (baseline + other) / 2
    expected = math.sqrt(2 * pooled * (1 - pooled) / units)
    actual = math.sqrt((baseline * (1 - baseline) + other * (1 - other)) / units)
    critical = -ndtri(alpha / 2) * expected
    gap = abs(other - baseline)
    return float(ndtr((gap - critical) / actual) + ndtr((-critical - gap) / actual))


def _power_of_mean(units: int, effect: float, alpha: float) -> float:
    """Power by the noncentral t distribution; beyond its reach, by the normal one it becomes."""
    from scipy.stats import nct, norm, t

    df, shift = 2 * units - 2, abs(effect) * math.sqrt(units / 2)
    critical = t.isf(alpha / 2, df)
    found = float(nct.sf(critical, df, shift) + nct.cdf(-critical, df, shift))
    return found if math.isfinite(found) else float(norm.sf(critical - shift))


def _smallest(power_of: Callable[[int], float], power: float) -> tuple[int, float]:
    """The smallest number of units that reach a power, by bisection: power grows with units."""
    high = 2
    while power_of(high) < power:
        high *= 2
        if high > MOST_UNITS:
            raise LakeError("The effect is too small to be found by any number of units.")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= power else (middle, high)
    return high, power_of(high)
