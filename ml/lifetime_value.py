"""What a customer will still buy: purchase days by BG/NBD, money a day by gamma-gamma.

In: a frame of purchases (`ml.sales`), the last day that may be read, and a horizon in weeks. Out:
parameters by maximum likelihood, and per customer the chance to be alive, expected purchase days,
money a purchase day and their product. Time is in weeks (days / 7); orders of one day are one
purchase; the first day founds the customer and is no repeat. The parameters are estimated on the
log scale with the analytic gradient, within `BOUNDS`: a parameter that ends on a bound is no
estimate, and a warning says so.
Source: Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2);
Fader, Hardie (2013), The Gamma-Gamma Model of Monetary Value. Formulas: docs/models.md.
Run standalone: `lake ml clv --file F`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from lakehouse.shop_format import counted
from ml.sales import until

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]
    Weighed = Callable[[Array], tuple[float, Array]]

BOUNDS = (1e-3, 1e4)
"""Smallest and largest value of any parameter."""
LEAST_CUSTOMERS = 20
LEAST_REPEATERS = 10
"""Customers with a repeat day that an estimate needs."""
CHI2_90 = 2.706
"""90 % quantile of chi-square of one degree: a test at 5 %, for half of it lies on the bound."""
EXACT, ROUGH = 1e-13, 1e-9
"""Relative changes of the log-likelihood at which a search ends; rough ones for draws."""
NODES = 200
SMALLEST = 1e-12
_GUESSES = ((1.0, 1.0), (0.3, 3.0), (3.0, 0.3))
"""First guesses of the shape and of the other parameters; the best end wins."""


@dataclass(frozen=True)
class PurchaseModel:
    """BG/NBD: rates are gamma(r, alpha), with alpha in weeks; dropout is beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class SpendModel:
    """Gamma-gamma: spend of a day is gamma(p, nu), and nu is gamma(q, v), with v in money."""

    p: float
    q: float
    v: float
    log_likelihood: float
    warnings: tuple[str, ...] = ()


def histories(sales: "pd.DataFrame", end: date) -> "pd.DataFrame":
    """Each customer's history up to and including `end`, by customer_id in order.

    Returns:
        `repeats` (x: purchase days after the first), `last_week` (t_x: from the first purchase to
        the last), `weeks` (T: from the first purchase to `end`), `spend` (mean money of the repeat
        days, 0 without one).

    Raises:
        LakeError: There is no purchase up to `end`.
    """
    import pandas as pd

    days = until(sales, end).groupby(["customer_id", "day"], sort=True)["amount"].sum()
    if days.empty:
        raise LakeError(f"There is no purchase up to {end}: choose a later day.")
    frame = days.reset_index()
    customers = frame.groupby("customer_id", sort=True)
    first, last = customers["day"].min(), customers["day"].max()
    repeats = customers.size() - 1
    spent = customers["amount"].sum() - customers["amount"].first()
    return pd.DataFrame(
        {
            "repeats": repeats,
            "last_week": (last - first).dt.days / 7,
            "weeks": (pd.Timestamp(end) - first).dt.days / 7,
            "spend": (spent / repeats.where(repeats > 0)).fillna(0.0),
        }
    )


def fit_purchases(
    history: "pd.DataFrame",
    weights: "Array | None" = None,
    *,
    start: PurchaseModel | None = None,
) -> PurchaseModel:
    """Estimate a BG/NBD model.

    Args:
        history: As `histories` gives it.
        weights: How often each customer counts; once by default.
        start: A model of like data to start from; several plain guesses by default.

    Raises:
        LakeError: There are too few customers, or too few of them ever came back.
    """
    import numpy as np

    came_back = int((history["repeats"] > 0).sum())
    if len(history) < LEAST_CUSTOMERS or came_back < LEAST_REPEATERS:
        raise LakeError(
            f"{counted(len(history))} customers, {counted(came_back)} of them with a second "
            "purchase "
            f"day, are too few: lifetime value needs {LEAST_CUSTOMERS} with {LEAST_REPEATERS}. "
            "Take more of the history."
        )
    if not (history["weeks"] > 0).any():
        raise LakeError("All purchases lie on one day: lifetime value needs time to pass.")
    counts = np.ones(len(history)) if weights is None else weights
    table = history[["repeats", "last_week", "weeks"]].assign(counts=counts)
    alike = table.groupby(["repeats", "last_week", "weeks"], sort=True)["counts"].sum()
    x, tx, t = (alike.index.get_level_values(n).to_numpy(float) for n in range(3))
    repeated = alike.to_numpy(float)

    def likelihood(values: "Array") -> "tuple[float, Array]":
        return purchase_likelihood(values, x, tx, t, repeated)

    if start is not None:
        before = (start.r, start.alpha, start.a, start.b)
        (r, alpha, a, b), best = _maximise(likelihood, [before], tolerance=ROUGH)
        return PurchaseModel(r, alpha, a, b, best)
    weeks = float(np.mean(t))
    found, best = _maximise(likelihood, [(g, h * weeks / 4, h, h) for g, h in _GUESSES])
    r, alpha, a, b = found
    return PurchaseModel(r, alpha, a, b, best, _doubts(found, best, likelihood))


def _doubts(found: tuple[float, ...], best: float, likelihood: "Weighed") -> tuple[str, ...]:
    """What speaks against the parameters: bounds, and a dropout that is not in the data."""
    low, high = BOUNDS
    _, stays = _maximise(likelihood, [(*found[:2], low, high)], fixed=(2, 3))
    warnings = _at_bounds(("r", "alpha", "a", "b"), found)
    if 2 * (best - stays) >= CHI2_90:
        return warnings
    vain = (
        "No customer can be seen to leave: a model in which all stay fits as well "
        f"(log-likelihood {stays:.2f}), so chances to be alive near 1 mean nothing."
    )
    return (*warnings, vain)


def purchase_likelihood(
    values: "Array", x: "Array", tx: "Array", t: "Array", counts: "Array"
) -> "tuple[float, Array]":
    """Log-likelihood of (r, alpha, a, b) and its gradient, summed over customers.

    Source: Fader, Hardie, Lee (2005), equation 6 and the appendix.
    """
    import numpy as np
    from scipy.special import betaln, gammaln, psi

    r, alpha, a, b = values
    alive = -(r + x) * np.log(alpha + t)
    again = x > 0
    left = np.full(len(x), -np.inf)
    left[again] = np.log(a) - np.log(b + x[again] - 1) - (r + x[again]) * np.log(alpha + tx[again])
    both = np.logaddexp(alive, left)
    each = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b) + both
    gone = np.exp(left - both)
    here = 1 - gone
    shared = psi(a + b) - psi(a + b + x)
    of_b = np.zeros(len(x))
    of_b[again] = gone[again] / (b + x[again] - 1)
    gradient = (
        psi(r + x) - psi(r) + np.log(alpha) - here * np.log(alpha + t) - gone * np.log(alpha + tx),
        r / alpha - (r + x) * (here / (alpha + t) + gone / (alpha + tx)),
        shared + gone / a,
        shared + psi(b + x) - psi(b) - of_b,
    )
    return float(counts @ each), np.array([counts @ part for part in gradient])


def fit_spend(history: "pd.DataFrame", weights: "Array | None" = None) -> SpendModel | None:
    """Estimate a gamma-gamma model on customers with a repeat day and spend above 0.

    Returns: None where fewer than `LEAST_REPEATERS` customers have such a day.
    """
    import numpy as np

    counts = np.ones(len(history)) if weights is None else weights
    paid = ((history["repeats"] > 0) & (history["spend"] > 0)).to_numpy()
    if paid.sum() < LEAST_REPEATERS:
        return None
    x = history["repeats"].to_numpy(float)[paid]
    z = history["spend"].to_numpy(float)[paid]
    found, best = _maximise(
        lambda values: spend_likelihood(values, x, z, counts[paid]),
        [(3 * g, 3 * h, h * float(np.median(z))) for g, h in _GUESSES],
    )
    warnings = list(_at_bounds(("p", "q", "v"), found))
    if found[1] <= 1:
        warnings.append("q is not above 1: expected spend has no finite mean over all customers.")
    p, q, v = found
    return SpendModel(p, q, v, best, tuple(warnings))


def spend_likelihood(
    values: "Array", x: "Array", z: "Array", counts: "Array"
) -> "tuple[float, Array]":
    """Log-likelihood of (p, q, v) and its gradient: the density of a mean spend z of x days.

    Source: Fader, Hardie (2013), equation 1a.
    """
    import numpy as np
    from scipy.special import betaln, psi

    p, q, v = values
    total = v + x * z
    each = (
        -np.log(z)
        - betaln(p * x, q)
        + q * (np.log(v) - np.log(total))
        + p * x * (np.log(x * z) - np.log(total))
    )
    gradient = (
        x * (psi(p * x + q) - psi(p * x) + np.log(x * z) - np.log(total)),
        psi(p * x + q) - psi(q) + np.log(v) - np.log(total),
        q / v - (q + p * x) / total,
    )
    return float(counts @ each), np.array([counts @ part for part in gradient])


def alive(model: PurchaseModel, history: "pd.DataFrame") -> "Array":
    """Chance that each customer will still buy; 1 for who bought once, as the model has it.

    Source: Fader, Hardie, Lee (2005), equation 7 and its corollary.
    """
    import numpy as np

    x = history["repeats"].to_numpy(float)
    return 1 / (1 + np.exp(_log_odds_of_leaving(model, history, x)))


def expected_purchases(model: PurchaseModel, history: "pd.DataFrame", weeks: float) -> "Array":
    """Purchase days that each customer is expected to have in the next `weeks`.

    Of a customer who is alive, with rate gamma(r + x, alpha + T) and leaving beta(a, b + x), they
    are the mean of (1 - (1 + p t / (alpha + T)) ** -(r + x)) / p over p. That is equation 10 of
    Fader, Hardie, Lee (2005) before it is written as a hypergeometric series, whose terms run over
    where a parameter sits on a bound.
    """
    import numpy as np
    from scipy.stats import beta

    x, t = history["repeats"].to_numpy(float), history["weeks"].to_numpy(float)
    found = np.zeros(len(x))
    nodes, shares = np.polynomial.legendre.leggauss(NODES)
    # Shares of the distribution of p, more of them towards both ends, where its quantiles run far.
    at = (nodes + 1) / 2
    share, share_of = at**2 * (3 - 2 * at), shares * 3 * at * (1 - at)
    for repeats in np.unique(x):
        own = x == repeats
        leaves = np.maximum(beta.ppf(share, model.a, model.b + repeats), SMALLEST)
        ahead = np.log1p(leaves * (weeks / (model.alpha + t[own]))[:, None])
        found[own] = (-np.expm1(-(model.r + repeats) * ahead) / leaves) @ share_of
    return found * alive(model, history)


def expected_spend(model: SpendModel, history: "pd.DataFrame") -> "Array":
    """Money that a purchase day of each customer is expected to bring.

    Source: Fader, Hardie (2013), equation 5.
    """
    x, z = history["repeats"].to_numpy(float), history["spend"].to_numpy(float)
    found: Array = model.p * (model.v + x * z) / (model.p * x + model.q - 1)
    return found


def _log_odds_of_leaving(model: PurchaseModel, history: "pd.DataFrame", x: "Array") -> "Array":
    import numpy as np

    t, tx = history["weeks"].to_numpy(float), history["last_week"].to_numpy(float)
    again = x > 0
    odds = np.full(len(x), -np.inf)
    odds[again] = (
        np.log(model.a)
        - np.log(model.b + x[again] - 1)
        + (model.r + x[again]) * np.log((model.alpha + t[again]) / (model.alpha + tx[again]))
    )
    return odds


def _maximise(
    likelihood: "Weighed",
    starts: Sequence[Sequence[float]],
    *,
    fixed: Sequence[int] = (),
    tolerance: float = EXACT,
) -> tuple[tuple[float, ...], float]:
    """The best parameters within the bounds, from several starts, and their log-likelihood."""
    import numpy as np
    from scipy.optimize import minimize

    low, high = np.log(BOUNDS)

    def loss(logs: "Array") -> "tuple[float, Array]":
        values = np.exp(logs)
        value, gradient = likelihood(values)
        return -value, -gradient * values

    ends = []
    for each in starts:
        start = np.clip(np.log(np.maximum(each, BOUNDS[0])), low, high)
        ends.append(
            minimize(
                loss,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=[
                    (value, value) if place in fixed else (low, high)
                    for place, value in enumerate(start)
                ],
                options={
                    "maxiter": 2000 if tolerance == EXACT else 100,
                    "ftol": tolerance,
                    "gtol": 1e-7,
                },
            )
        )
    best = min(ends, key=lambda each: float(each.fun))
    return tuple(float(each) for each in np.exp(best.x)), -float(best.fun)


def _at_bounds(names: tuple[str, ...], values: tuple[float, ...]) -> tuple[str, ...]:
    """A sentence for each parameter that the data push against a bound."""
    return tuple(
        f"{name} sits on its bound {bound:g}: the data don't determine it, so the model's figures "
        "for single customers deserve no trust beyond what the back-test shows."
        for name, value in zip(names, values, strict=True)
        for bound in BOUNDS
        if abs(value / bound - 1) < 1e-3
    )
