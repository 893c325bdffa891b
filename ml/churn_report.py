"""Churn of one file at a cut-off: labels, and how well what was known before foretold them.

In: purchases, a cut-off, the days of the label. Out: a plain dictionary, as `lake ml churn` prints
it. Run standalone: `lake ml churn --file F --cutoff DAY`.
"""

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from lakehouse.shop_format import counted
from ml.churn import (
    BASELINES,
    KINDS,
    LEAST_OF_A_CLASS,
    SEED,
    Examples,
    chances,
    examples,
    fit,
    fit_baseline,
    labels,
    metrics,
    origins,
)
from ml.churn_evaluation import Interval, judge, tenths
from ml.features import features
from ml.sales import SalesFile

if TYPE_CHECKING:
    import pandas as pd

LEAK = 0.90
"""An AUC above it is taken for a leak of the future until it is disproved."""
SHUFFLES = 5


def report(sales: SalesFile, *, cutoff: date, days: int) -> dict[str, Any]:
    """Learn from earlier origins alone, and judge at the cut-off.

    Raises:
        LakeError: The label of the cut-off is not complete, or nobody bought before it.
    """
    if days < 1:
        raise LakeError(f"--days {days} does not fit: a label needs a day at least.")
    churned = labels(sales.purchases, cutoff, days=days, until=sales.last_day)
    found: dict[str, Any] = {
        "customers": len(churned),
        "churned": int(churned.sum()),
        "cutoff": cutoff.isoformat(),
        "days": days,
        "model": KINDS[0],
        "auc": None,
        "brier": None,
    }
    try:
        learned_from, unseen = split(sales.purchases, churned, cutoff, days=days)
    except LakeError as error:
        warnings = [*sales.warnings, f"Nothing is learned. {error}"]
        return {**found, "baselines": {}, "warnings": warnings}
    judged = _judged(learned_from, unseen)
    leaks = [
        f"The AUC of {name} is {each['auc']:.3f}: above {LEAK:.2f} it is a leak until disproved."
        for name, each in judged["models"].items()
        if each["auc"] > LEAK
    ]
    return {**found, **judged, "warnings": [*sales.warnings, *leaks]}


def split(
    purchases: "pd.DataFrame", churned: "pd.Series[bool]", cutoff: date, *, days: int
) -> tuple[Examples, Examples]:
    """Examples to learn from, all of them complete before the cut-off, and the unseen ones at it.

    Raises:
        LakeError: One of the two has too few of a class, or there is no origin to learn from.
    """
    few = min(int(churned.sum()), int((~churned).sum()))
    if few < LEAST_OF_A_CLASS:
        raise LakeError(
            f"{counted(int(churned.sum()))} of {counted(len(churned))} customers churned: "
            f"figures of a model need at least {LEAST_OF_A_CLASS} of each kind."
        )
    learned_from = examples(purchases, origins(purchases, cutoff, days=days), days=days)
    return learned_from, Examples(features(purchases, cutoff), churned.to_numpy(), (cutoff,))


def _judged(learned_from: Examples, unseen: Examples) -> dict[str, Any]:
    """Figures of the models with intervals, of the baselines, and of the sanity checks."""
    by_baseline: dict[str, Any] = {
        name: chances(fit_baseline(learned_from, baseline=name), unseen.features)
        for name in BASELINES
    }
    by_model = {kind: chances(fit(learned_from, kind=kind), unseen.features) for kind in KINDS}
    judged = {name: judge(unseen.churned, chance, by_baseline) for name, chance in by_model.items()}
    first = judged[KINDS[0]]
    return {
        "auc": first.auc.value,
        "brier": first.brier.value,
        "learned_from": [each.isoformat() for each in learned_from.origins],
        "models": {
            name: {
                "auc": each.auc.value,
                "auc_interval": _ends(each.auc),
                "brier": each.brier.value,
                "brier_interval": _ends(each.brier),
                "auc_gain": {at: _gain(gain) for at, gain in each.auc_gain.items()},
                "brier_gain": {at: _gain(gain) for at, gain in each.brier_gain.items()},
            }
            for name, each in judged.items()
        },
        "baselines": {
            name: {"auc": each.auc, "brier": each.brier}
            for name, each in (
                (name, metrics(unseen.churned, chance)) for name, chance in by_baseline.items()
            )
        },
        "shuffled_auc": shuffled_auc(learned_from, unseen),
        "tenths": [asdict(each) for each in tenths(unseen.churned, by_model[KINDS[0]])],
    }


def shuffled_auc(learned_from: Examples, unseen: Examples) -> float:
    """Mean AUC where all labels are shuffled: a half, unless the examples give labels away."""
    import numpy as np

    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(SHUFFLES):
        blind = Examples(
            learned_from.features, generator.permutation(learned_from.churned), learned_from.origins
        )
        chance = chances(fit(blind), unseen.features)
        found.append(metrics(generator.permutation(unseen.churned), chance).auc)
    return float(np.mean(found))


def _ends(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _gain(interval: Interval) -> dict[str, Any]:
    return {"value": interval.value, "interval": _ends(interval)}
