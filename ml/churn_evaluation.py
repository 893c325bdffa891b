"""How sure the figures of a churn model are, and what it is worth.

In: labels, and the chances that models gave to the same customers. Out: intervals by bootstrap over
customers, paired differences from a baseline, calibration and lift by tenths, and the cut-off of
the largest expected profit. Run standalone: `lake ml churn --file F --cutoff DAY`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

DRAWS = 400
SEED = 20
BINS = 10
EDGES = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Judged:
    """Figures of one model; `auc_gain` and `brier_gain` are its lead on each baseline, paired."""

    auc: Interval
    brier: Interval
    auc_gain: Mapping[str, Interval]
    brier_gain: Mapping[str, Interval]


@dataclass(frozen=True)
class Tenth:
    """One tenth of the customers, the likeliest to churn first.

    `lift` is their share of churned by that of all; `gain` the share of all churned that is found
    in this tenth and those before it.
    """

    customers: int
    expected: float
    churned: float
    lift: float
    gain: float


def judge(churned: "Array", chance: "Array", baselines: Mapping[str, "Array"]) -> Judged:
    """Figures of a model with intervals: the same drawn customers for it and for each baseline."""
    import numpy as np

    rows = [chance, *baselines.values()]
    generator = np.random.default_rng(SEED)
    drawn: list[list[tuple[float, float]]] = []
    while len(drawn) < DRAWS:
        picked = generator.integers(0, len(churned), len(churned))
        if 0 < churned[picked].sum() < len(churned):
            drawn.append([_both(churned[picked], row[picked]) for row in rows])
    sample = np.array(drawn)
    point = np.array([_both(churned, row) for row in rows])

    def interval(value: float, values: "Array") -> Interval:
        low, high = np.percentile(values, EDGES)
        return Interval(float(value), float(low), float(high))

    places = {name: place for place, name in enumerate(baselines, 1)}
    return Judged(
        interval(point[0, 0], sample[:, 0, 0]),
        interval(point[0, 1], sample[:, 0, 1]),
        {
            name: interval(point[0, 0] - point[at, 0], sample[:, 0, 0] - sample[:, at, 0])
            for name, at in places.items()
        },
        {
            name: interval(point[at, 1] - point[0, 1], sample[:, at, 1] - sample[:, 0, 1])
            for name, at in places.items()
        },
    )


def tenths(churned: "Array", chance: "Array") -> tuple[Tenth, ...]:
    """Calibration, lift and gain by tenths of the customers, the likeliest to churn first."""
    import numpy as np

    order = np.argsort(-chance, kind="stable")
    all_churned = float(churned.mean())
    found, so_far = [], 0
    for part in np.array_split(order, BINS):
        if not len(part):
            continue
        own = churned[part]
        so_far += int(own.sum())
        found.append(
            Tenth(
                len(part),
                float(chance[part].mean()),
                float(own.mean()),
                float(own.mean()) / all_churned,
                so_far / int(churned.sum()),
            )
        )
    return tuple(found)


def _both(churned: "Array", chance: "Array") -> tuple[float, float]:
    """AUC (a churned customer has the larger figure than another; ties count half) and Brier."""
    from scipy.stats import rankdata

    ranks = rankdata(chance)
    positive = int(churned.sum())
    pairs = positive * (len(churned) - positive)
    auc = (ranks[churned].sum() - positive * (positive + 1) / 2) / pairs
    return float(auc), float(((chance - churned) ** 2).mean())
