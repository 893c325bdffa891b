"""How far the lifetime values can be trusted: intervals by bootstrap, and rules that it must beat.

In: histories up to a day, the fitted models, a horizon. Out: 95 % intervals of totals, and per
rule the error on what customers really did. Each draw takes customers with replacement, learns the
parameters again, and plays the customers' future once, so an interval holds the doubt about the
parameters and the chance of the future. Run standalone: `lake ml clv --file F --until DAY`.
Source: Wübben, Wangenheim (2008), Instant Customer Base Analysis: Managerial Heuristics Often "Get
It Right", Journal of Marketing 72(3), for the hiatus rule.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml.lifetime_value import PurchaseModel, alive, fit_purchases

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

DRAWS = 100
SEED = 20
EDGES = (2.5, 97.5)
HIATUS_GAPS = 3.0


@dataclass(frozen=True)
class Error:
    """How far a rule was off: in total, as a share of what came, and per customer on average.

    `total_error_rate` is None where nothing came.
    """

    predicted: float
    total_error_rate: float | None
    mean_absolute_error: float


def interval(model: PurchaseModel, history: "pd.DataFrame", weeks: float) -> tuple[float, float]:
    """95 % interval of all purchase days of the next `weeks`."""
    import numpy as np

    generator = np.random.default_rng(SEED)
    totals = []
    for _ in range(DRAWS):
        counts = np.bincount(
            generator.integers(0, len(history), len(history)), minlength=len(history)
        ).astype(float)
        drawn = fit_purchases(history, counts, start=model)
        totals.append(float(_played(drawn, history, weeks, generator).sum()))
    low, high = np.percentile(totals, EDGES)
    return float(low), float(high)


def _played(
    model: PurchaseModel, history: "pd.DataFrame", weeks: float, generator: "np.random.Generator"
) -> "Array":
    """Purchase days of each customer in one future that the model and the history allow.

    Given that a customer is alive, the rate is gamma(r + x, alpha + T) and the chance to leave
    after a purchase is beta(a, b + x).
    """
    import numpy as np

    x, t = history["repeats"].to_numpy(float), history["weeks"].to_numpy(float)
    rate = generator.gamma(model.r + x) / (model.alpha + t)
    bought = generator.poisson(rate * weeks)
    leaving = np.clip(generator.beta(model.a, model.b + x), 1e-12, 1.0)
    stays = generator.geometric(leaving)
    is_alive = generator.random(len(x)) < alive(model, history)
    found: Array = np.where(is_alive, np.minimum(bought, stays), 0)
    return found


def errors(
    history: "pd.DataFrame", expected: "Array", actual: "pd.Series[int]", weeks: float
) -> dict[str, Error]:
    """Errors of the model, of the naive rule and of the hiatus rule on the same customers.

    Naive: everyone goes on at the own pace, repeats a week so far. Hiatus: who has been silent for
    longer than three own gaps is gone, the others go on at their pace; who bought once has no pace.

    Args:
        history: Up to the end of what was learned from.
        expected: Of the model, per customer.
        actual: Purchase days that came, by customer_id; those without one may be left out.
        weeks: The horizon.
    """
    import numpy as np

    came = actual.reindex(history.index).fillna(0).to_numpy(float)
    x, tx, t = (history[name].to_numpy(float) for name in ("repeats", "last_week", "weeks"))
    pace = np.divide(x, t, out=np.zeros(len(x)), where=t > 0) * weeks
    gap = np.divide(tx, x, out=np.zeros(len(x)), where=x > 0)
    rules = {
        "model": expected,
        "naive": pace,
        "hiatus": np.where(t - tx > HIATUS_GAPS * gap, 0.0, pace),
    }
    total = came.sum()
    return {
        name: Error(
            float(rule.sum()),
            float(rule.sum() / total - 1) if total else None,
            float(np.abs(rule - came).mean()),
        )
        for name, rule in rules.items()
    }
