"""Is a challenger better? Paired differences on one hold-out, with a bootstrap interval.

In: what each unit of the hold-out costs both models. Out: a `Verdict`, better only when the whole
interval says so. What can't be compared (no finite number, too few units, other units) never wins.
Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, 13.3; blocks of days: Künsch
(1989), Annals of Statistics 17.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.shop_format import counted
from ml.trained import Losses

if TYPE_CHECKING:
    import numpy as np

DRAWS = 2000
CONFIDENCE = 0.95
SEED = 20


@dataclass(frozen=True)
class Verdict:
    """Challenger minus rival, mean loss a unit: below 0 the challenger is better.

    `reason` says in a sentence why it is or is not better. The figures are None where none is.
    """

    is_better: bool
    reason: str
    loss: str = ""
    units: int = 0
    challenger: float | None = None
    rival: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


def judge(challenger: Losses, rival: Losses, *, least_units: int, rival_name: str) -> Verdict:
    """Compare two models on the same units."""
    import numpy as np

    if fault := _fault(challenger, rival, least_units, rival_name):
        return Verdict(False, fault, challenger.name, len(challenger.units))
    differences = challenger.values - rival.values
    low, high = interval(differences, block=challenger.block)
    mean = float(differences.mean())
    words = f"{challenger.name}: {mean:+.4f} a unit against {rival_name} [{low:+.4f}, {high:+.4f}]"
    is_better = high < 0
    if is_better:
        reason = f"better on {counted(len(differences))} units of the hold-out ({words})"
    elif low > 0:
        reason = f"worse on {counted(len(differences))} units of the hold-out ({words})"
    else:
        reason = f"not better for certain on {counted(len(differences))} units ({words})"
    return Verdict(
        is_better,
        reason,
        challenger.name,
        len(differences),
        float(np.mean(challenger.values)),
        float(np.mean(rival.values)),
        mean,
        low,
        high,
    )


def interval(differences: "np.ndarray[Any, Any]", *, block: int = 1) -> tuple[float, float]:
    """95 % percentile interval of a mean; `block` neighbours are drawn together, in a circle."""
    import numpy as np

    count = len(differences)
    size = min(block, count)
    random = np.random.default_rng(SEED)
    starts = random.integers(0, count, size=(DRAWS, -(-count // size)))
    places = (starts[:, :, None] + np.arange(size)).reshape(DRAWS, -1)[:, :count] % count
    means = differences[places].mean(axis=1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _fault(challenger: Losses, rival: Losses, least_units: int, rival_name: str) -> str:
    import numpy as np

    if not np.isfinite(challenger.values).all():
        return "its predictions of the hold-out are not all finite numbers"
    if len(challenger.units) < least_units:
        return (
            f"the hold-out has {counted(len(challenger.units))} units, too few to judge by: "
            f"{counted(least_units)} are needed"
        )
    if challenger.units != rival.units:
        return f"it and {rival_name} were not judged on the same units"
    if not np.isfinite(rival.values).all():
        return f"the predictions of {rival_name} are not all finite numbers"
    return ""
