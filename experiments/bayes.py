"""The Bayesian reading of two arms: how likely the arm is better, and what choosing it may cost.

In: the values of both arms. Out: a `Belief`. Larger counts as better. Shares have Beta posteriors
after a uniform prior; means and ratios a normal one after a flat prior, with the error of the test.
Nothing is drawn at random: the same values give the same figures.
Source: Gelman et al. (2013), Bayesian Data Analysis, 2.4 and 3.2; the loss: Stucchio (2015),
Bayesian A/B Testing at VWO.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.comparing import mean_error, ratio_difference, ratio_error
from experiments.units import Kind

if TYPE_CHECKING:
    import numpy as np

    Values = np.ndarray[Any, np.dtype[np.float64]]

NODES = 128
"""Of the Gauss-Legendre rule over the mass of a posterior."""


@dataclass(frozen=True)
class Belief:
    """Probability that the arm is better, and by how much it is worse on average if chosen.

    `expected_loss` is in the metric's unit and counts the cases in which the arm is better as 0.
    """

    probability_better: float
    expected_loss: float


def believe(arm: "Values", control: "Values", kind: Kind) -> Belief | None:
    """What to believe of a metric; None where its values don't vary or an arm has one unit."""
    if kind == "binary":
        return _of_shares(int(arm.sum()), len(arm), int(control.sum()), len(control))
    if min(len(arm), len(control)) < 2:
        return None
    if kind == "ratio":
        return _of_difference(ratio_difference(arm, control), ratio_error(arm, control))
    return _of_difference(float(arm.mean() - control.mean()), mean_error(arm, control))


def _of_shares(ones: int, units: int, base_ones: int, base_units: int) -> Belief:
    """By quadrature over the narrower posterior; what is left of the other is a closed form.

    E max(x - p, 0) at a fixed x follows from p · Beta(a, b) = a / (a + b) · Beta(a + 1, b).
    """
    from scipy.special import betainc

    arm, base = (1 + ones, 1 + units - ones), (1 + base_ones, 1 + base_units - base_ones)
    is_over_arm = _variance(*arm) <= _variance(*base)
    (a, b), other = (arm, base) if is_over_arm else (base, arm)
    at, weights = _nodes(a, b)
    below = betainc(*other, at)
    partly = other[0] / sum(other) * betainc(other[0] + 1, other[1], at)
    if is_over_arm:
        chance = weights @ below
        loss = weights @ (other[0] / sum(other) - partly - at * (1 - below))
    else:
        chance = weights @ (1 - below)
        loss = weights @ (at * below - partly)
    return Belief(min(1.0, float(chance)), max(0.0, float(loss)))


def _nodes(a: int, b: int) -> "tuple[Values, Values]":
    """Points of all of a Beta's mass but 2e-12, and its mass at each by Gauss-Legendre."""
    import numpy as np
    from scipy.special import betaincinv, betaln

    low, high = betaincinv(a, b, [1e-12, 1 - 1e-12])
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    at = low + (high - low) * (nodes + 1) / 2
    mass = np.exp((a - 1) * np.log(at) + (b - 1) * np.log1p(-at) - betaln(a, b))
    return at, weights * mass * (high - low) / 2


def _variance(a: int, b: int) -> float:
    return a * b / ((a + b) ** 2 * (a + b + 1))


def _of_difference(difference: float, error: float) -> Belief | None:
    import math

    from scipy.special import ndtr

    if not error > 0:
        return None
    z = difference / error
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return Belief(float(ndtr(z)), max(0.0, error * density - difference * float(ndtr(-z))))
