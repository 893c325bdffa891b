"""The model `churn` as the registry knows it: trained, judged and stored.

In: gold's orders of identified customers. Out: a classifier as skops, chosen by Brier score over
rolling origins, and what each customer of the newest complete origin costs it. That origin is the
hold-out: training learns from labels that were complete before it.
Run standalone: `lake retrain churn`.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from lakehouse.shop_format import counted
from ml import artifacts
from ml.artifacts import Artifact
from ml.churn import (
    BASELINES,
    DAYS,
    KINDS,
    Baseline,
    Examples,
    Kind,
    Metrics,
    chances,
    evaluate,
    examples,
    fit,
    fit_baseline,
    origins,
)
from ml.features import NAMES, features
from ml.sales import gold_sales, last_day
from ml.serving import Served
from ml.trained import Losses, Trained, Unfit

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

NAME = "churn"
FOLDS = 3
"""Origins before the hold-out on which the kinds compete."""
LOSS = "squared error of the chance"
RULES: dict[Baseline, str] = {
    "recency": "recency alone",
    "rfm": "recency, frequency and money alone",
}
"""The plain rules in words."""


def train(gold: "duckdb.DuckDBPyConnection") -> Trained:
    """Choose the kind on rolling origins before the hold-out, and fit it to all of them.

    Raises:
        Unfit: The history is too short, or one class has too few customers.
    """
    sales = gold_sales(gold)
    cutoff = hold_out(sales)
    learned_from = _examples(sales, cutoff)
    folds: dict[Kind, list[Any]] = {kind: [] for kind in KINDS}
    for at in learned_from.origins[:FOLDS]:
        earlier = origins(sales, at)
        if not earlier:
            continue
        known, unseen = examples(sales, earlier), examples(sales, (at,))
        for kind in KINDS:
            folds[kind].append(evaluate(fit(known, kind=kind), unseen))
    scores = {kind: [each.brier for each in found] for kind, found in folds.items() if found}
    kind = min(scores, key=lambda each: sum(scores[each])) if scores else KINDS[0]
    estimator = fit(learned_from, kind=kind)
    unseen = examples(sales, (cutoff,))
    own = evaluate(estimator, unseen)
    head = unseen.features.head(5)
    return Trained(
        artifacts.of_estimator(estimator),
        {"kind": kind, "days": DAYS, "cutoff": str(cutoff), "origins": len(learned_from.origins)},
        {"auc": own.auc, "brier": own.brier, "customers": own.customers, "churned": own.churned},
        {
            "auc": tuple(each.auc for each in folds[kind]) or (own.auc,),
            "brier": tuple(each.brier for each in folds[kind]) or (own.brier,),
        },
        head,
        _frame(chances(estimator, head), head),
        last_day(sales),
        _card(kind, own, cutoff),
    )


def losses(gold: "duckdb.DuckDBPyConnection", artifact: Artifact) -> Losses:
    """Squared error of the chance of each customer of the hold-out, who are its units.

    Raises:
        Unfit: The hold-out has one class only, or the artifact is no such model.
    """
    return _losses(_unseen(gold_sales(gold)), artifacts.estimator_of(artifact))


def baselines(gold: "duckdb.DuckDBPyConnection") -> dict[str, Losses]:
    """The same for each plain rule, as a logistic regression reads its features."""
    sales = gold_sales(gold)
    unseen, fitted = _unseen(sales), _rules(sales)
    return {RULES[each]: _losses(unseen, estimator) for each, estimator in fitted.items()}


def best_rule(sales: "pd.DataFrame") -> tuple[str, Any]:
    """The plain rule that foresees the hold-out best, learned again from all complete labels.

    Returns: the rule in words, and an estimator as `ml.churn.fit` gives one.

    Raises:
        Unfit: The history is too short to judge the rules by, or one class has too few customers.
    """
    unseen = _unseen(sales)
    briers = {each: evaluate(found, unseen).brier for each, found in _rules(sales).items()}
    best = min(briers, key=lambda each: briers[each])
    known = _examples(sales, last_day(sales) + timedelta(days=1))
    return RULES[best], fit_baseline(known, baseline=best)


def predict(artifact: Artifact, frame: "pd.DataFrame") -> "pd.DataFrame":
    """Chance of churning of customers given by their features, one row each."""
    return _frame(chances(artifacts.estimator_of(artifact), frame[list(NAMES)]), frame)


def watched(
    gold: "duckdb.DuckDBPyConnection", artifact: Artifact, served: Served
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """What is known of all customers as of the training's last day, and as of now.

    Features and chances as of that day; and `error`, the squared errors of the chances at the
    newest cut-off whose label was complete on it, whose mean is the Brier score.
    """
    sales = gold_sales(gold)
    estimator = artifacts.estimator_of(artifact)
    days = (date.fromisoformat(served.known_until), last_day(sales))
    before, now = (_as_of(day, sales, estimator) for day in days)
    return before, now


def _as_of(day: date, sales: "pd.DataFrame", estimator: Any) -> "pd.DataFrame":
    import pandas as pd

    frame = features(sales, day + timedelta(days=1))
    frame = frame.assign(score=chances(estimator, frame))
    try:
        labelled = examples(sales, (_newest_complete(day),))
    except LakeError:
        return frame
    return pd.concat([frame, pd.DataFrame({"error": _losses(labelled, estimator).values})])


def hold_out(sales: "pd.DataFrame") -> date:
    """The newest cut-off whose label is complete: its customers judge the model."""
    return _newest_complete(last_day(sales))


def _newest_complete(day: date) -> date:
    return day - timedelta(days=DAYS - 1)


def _examples(sales: "pd.DataFrame", cutoff: date) -> Examples:
    try:
        return examples(sales, origins(sales, cutoff))
    except LakeError as error:
        raise Unfit(str(error)) from error


def _unseen(sales: "pd.DataFrame") -> Examples:
    try:
        return examples(sales, (hold_out(sales),))
    except LakeError as error:
        raise Unfit(str(error)) from error


def _rules(sales: "pd.DataFrame") -> dict[Baseline, Any]:
    known = _examples(sales, hold_out(sales))
    return {each: fit_baseline(known, baseline=each) for each in BASELINES}


def _losses(unseen: Examples, estimator: Any) -> Losses:
    errors = (chances(estimator, unseen.features) - unseen.churned) ** 2
    return Losses(LOSS, errors, tuple(map(str, unseen.features.index)))


def _frame(chance: "np.ndarray[Any, Any]", frame: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({"churn_chance": chance}, index=frame.index)


def _card(kind: Kind, own: Metrics, at: date) -> str:
    return f"""# churn

Chance that a customer does not buy within {DAYS} days. Kind: {kind}, chosen by Brier score over
rolling origins, none of which reads a day after the one that it foresees.

- On {counted(own.customers)} customers of {at}, {counted(own.churned)} of whom churned:
  AUC {own.auc:.4f}, Brier {own.brier:.4f}.
- Features: {", ".join(NAMES)}.

Limits: one shop's customers, many of them wholesalers; no reason outside of purchases is known.
"""
