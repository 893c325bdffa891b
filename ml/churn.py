"""Who will not come back: label, rolling origins, models, and how good they are.

In: a frame of purchases (`ml.sales`). Out: a fitted scikit-learn estimator, and its figures on
customers and days that it has not seen. A customer of a cut-off day has a purchase before it, and
churned when none follows within `days`, the cut-off day included (docs/data.md, rule 9).
A model for a cut-off learns from origins whose labels were complete before it: nothing of the
future is read. Run standalone: `lake ml churn --file F --cutoff DAY`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from lakehouse.errors import LakeError
from lakehouse.shop_format import counted
from ml.features import features
from ml.sales import last_day
from ml.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Kind = Literal["logistic", "boosting"]
Baseline = Literal["recency", "rfm"]
KINDS: tuple[Kind, ...] = ("logistic", "boosting")
BASELINES: dict[Baseline, tuple[str, ...]] = {
    "recency": ("recency_days",),
    "rfm": ("recency_days", "order_count", "monetary_amount"),
}
"""What a model must beat: a logistic regression on these features alone."""

DAYS = 90
STEP_DAYS = 30
"""Days between two origins."""
LEAST_HISTORY_DAYS = 60
"""Days of sales that an origin needs before it."""
LEAST_OF_A_CLASS = 10
SEED = 20


@dataclass(frozen=True)
class Metrics:
    """How well predicted chances of churning fit the labels of `customers`."""

    customers: int
    churned: int
    auc: float
    brier: float


@dataclass(frozen=True)
class Examples:
    """Features and labels of customers at one or several origins, row by row."""

    features: "pd.DataFrame"
    churned: "np.ndarray[Any, Any]"
    origins: tuple[date, ...]


def labels(
    sales: "pd.DataFrame", cutoff: date, *, days: int = DAYS, until: date | None = None
) -> "pd.Series[bool]":
    """Whether each customer with a purchase before the cut-off churned, by customer_id in order.

    Args:
        sales: Purchases, later ones than the label needs included.
        cutoff: First day of the label.
        days: Length of the label.
        until: Last day that the sales are known of; by default that of the last purchase.

    Raises:
        LakeError: The sales end before the last of the `days`, or none is before the cut-off.
    """
    import pandas as pd

    end = cutoff + timedelta(days=days)
    known_until = until or last_day(sales)
    if known_until < end - timedelta(days=1):
        newest = known_until - timedelta(days=days - 1)
        is_possible = newest > sales["day"].min().date()
        raise LakeError(
            f"The purchases end on {known_until}, but the label of {cutoff} needs {days} days "
            "from then on: "
            + (
                f"choose a cut-off up to {newest}."
                if is_possible
                else "there are not as many after the first, so take more of the history."
            )
        )
    day = sales["day"]
    known = pd.Index(sales.loc[day < pd.Timestamp(cutoff), "customer_id"].unique()).sort_values()
    if known.empty:
        raise LakeError(f"No customer has a purchase before {cutoff}: choose a later cut-off.")
    after = (day >= pd.Timestamp(cutoff)) & (day < pd.Timestamp(end))
    back = set(sales.loc[after, "customer_id"])
    return pd.Series([each not in back for each in known], index=known, name="churned")


def origins(sales: "pd.DataFrame", cutoff: date, *, days: int = DAYS) -> tuple[date, ...]:
    """Origins to learn from for a cut-off, the newest first: their labels are complete before it.

    They lie `STEP_DAYS` apart and have at least `LEAST_HISTORY_DAYS` of sales before them.
    """
    first = sales["day"].min().date() + timedelta(days=LEAST_HISTORY_DAYS)
    found = []
    origin = cutoff - timedelta(days=days)
    while origin >= first:
        found.append(origin)
        origin -= timedelta(days=STEP_DAYS)
    return tuple(found)


def examples(sales: "pd.DataFrame", at: tuple[date, ...], *, days: int = DAYS) -> Examples:
    """Features and labels of all customers known at each of some origins.

    Raises:
        LakeError: There is no origin, or one class has too few customers to learn from.
    """
    import numpy as np
    import pandas as pd

    if not at:
        raise LakeError(
            f"The purchases are too short to learn from: a model needs {LEAST_HISTORY_DAYS} days "
            f"before an origin and {days} days of labels after it. Choose a later cut-off."
        )
    found = [(features(sales, origin), labels(sales, origin, days=days)) for origin in at]
    churned = np.concatenate([each.to_numpy() for _, each in found])
    few = min(int(churned.sum()), int((~churned).sum()))
    if few < LEAST_OF_A_CLASS:
        raise LakeError(
            f"Of {counted(len(churned))} customers {counted(int(churned.sum()))} churned: "
            f"a model needs at least {LEAST_OF_A_CLASS} of each kind. Take other days, or more "
            "of the history."
        )
    return Examples(pd.concat([each for each, _ in found]), churned, at)


def inputs(frame: "pd.DataFrame") -> "pd.DataFrame":
    """What the estimators read: features on the scale of log1p, for all of them are skewed."""
    import numpy as np
    import pandas as pd

    found: pd.DataFrame = frame.apply(np.log1p)
    return found


def fit(learned_from: Examples, *, kind: Kind = "logistic") -> Any:
    """A scikit-learn classifier of `inputs(features)`; column 1 of its chances is churning."""
    with one_thread():
        return _estimator(kind).fit(inputs(learned_from.features), learned_from.churned)


def fit_baseline(learned_from: Examples, *, baseline: Baseline) -> Any:
    """A logistic regression on the features of a baseline alone."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline

    picked = make_column_transformer(("passthrough", list(BASELINES[baseline])))
    with one_thread():
        return make_pipeline(picked, _estimator("logistic")).fit(
            inputs(learned_from.features), learned_from.churned
        )


def chances(estimator: Any, frame: "pd.DataFrame") -> "np.ndarray[Any, Any]":
    """Chance of churning of each customer, 0 to 1, from features as `features` gives them."""
    found: np.ndarray[Any, Any] = estimator.predict_proba(inputs(frame))[:, 1]
    return found


def evaluate(estimator: Any, unseen: Examples) -> Metrics:
    """Figures of an estimator on examples that it has not seen."""
    return metrics(unseen.churned, chances(estimator, unseen.features))


def metrics(churned: "np.ndarray[Any, Any]", chance: "np.ndarray[Any, Any]") -> Metrics:
    """AUC (ties count half) and Brier score, the mean squared error of the chances."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    return Metrics(
        len(churned),
        int(churned.sum()),
        float(roc_auc_score(churned, chance)),
        float(brier_score_loss(churned, chance)),
    )


def _estimator(kind: Kind) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
    return GradientBoostingClassifier(
        n_estimators=100, max_depth=3, learning_rate=0.05, subsample=0.8, random_state=SEED
    )
