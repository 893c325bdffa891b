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

NODES = 400
"""Of the Gauss-Legendre rule over the posterior's quantiles."""


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
    """Both integrals run over the arm's posterior; those over the control's are closed forms."""
    import numpy as np
    from scipy.special import betainc, betaincinv

    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    share = betaincinv(1 + ones, 1 + units - ones, (nodes + 1) / 2)
    a, b = 1 + base_ones, 1 + base_units - base_ones
    below = betainc(a, b, share)
    # E max(p0 - p, 0) at a fixed p, by p0 · Beta(a, b) = a / (a + b) · Beta(a + 1, b)
    loss = a / (a + b) * (1 - betainc(a + 1, b, share)) - share * (1 - below)
    return Belief(float(weights @ below) / 2, max(0.0, float(weights @ loss) / 2))


def _of_difference(difference: float, error: float) -> Belief | None:
    import math

    from scipy.special import ndtr

    if not error > 0:
        return None
    z = difference / error
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return Belief(float(ndtr(z)), max(0.0, error * density - difference * float(ndtr(-z))))
