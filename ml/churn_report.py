"""Churn of one file at a cut-off: labels, and how well what was known before foretold them.

In: purchases, a cut-off, the days of the label. Out: a plain dictionary, as `lake ml churn` prints
it. Run standalone: `lake ml churn --file F --cutoff DAY`.
"""

from datetime import date
from typing import Any

from lakehouse.errors import LakeError
from ml.churn import (
    BASELINES,
    KINDS,
    Examples,
    Metrics,
    evaluate,
    examples,
    fit,
    fit_baseline,
    labels,
    origins,
)
from ml.features import features
from ml.sales import SalesFile

LEAK = 0.90
"""An AUC above it is taken for a leak of the future until it is disproved."""


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
    warnings = list(sales.warnings)
    if churned.nunique() < 2:
        all_or_none = "All" if churned.all() else "None"
        warnings.append(f"{all_or_none} of the customers churned: there is nothing to tell apart.")
        return {**found, "baselines": {}, "warnings": warnings}
    try:
        learned_from = examples(
            sales.purchases, origins(sales.purchases, cutoff, days=days), days=days
        )
    except LakeError as error:
        return {**found, "baselines": {}, "warnings": [*warnings, f"Nothing is learned. {error}"]}
    unseen = Examples(features(sales.purchases, cutoff), churned.to_numpy(), (cutoff,))
    models = {kind: evaluate(fit(learned_from, kind=kind), unseen) for kind in KINDS}
    baselines = {
        name: evaluate(fit_baseline(learned_from, baseline=name), unseen) for name in BASELINES
    }
    best = models[KINDS[0]]
    warnings += [
        f"The AUC of {name} is {each.auc:.3f}: above {LEAK:.2f} it is a leak until disproved."
        for name, each in models.items()
        if each.auc > LEAK
    ]
    return {
        **found,
        "auc": best.auc,
        "brier": best.brier,
        "learned_from": [each.isoformat() for each in learned_from.origins],
        "models": {name: _figures(each) for name, each in models.items()},
        "baselines": {name: _figures(each) for name, each in baselines.items()},
        "warnings": warnings,
    }


def _figures(found: Metrics) -> dict[str, float]:
    return {"auc": found.auc, "brier": found.brier}
