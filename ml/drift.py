"""Has the world moved since the training? PSI and KS of what models read and say.

In: a column as it was when the champion was trained, and as it is now. Out: two distances with what
chance alone exceeds, and rows of the table of drift. A column has drifted when both distances are
beyond their limits and PSI is worth acting on; errors must also have grown, by Welch's test, for a
population that changes moves their distribution and not their size.
Source: Siddiqi (2006), Credit Risk Scorecards, for PSI and 0.1; its law under no drift, chi-squared
with tenths - 1 degrees of freedom times 1/n + 1/m: Yurdakul & Naranjo (2020), Statistical
properties of the population stability index, Journal of Risk Model Validation 14; Kolmogorov &
Smirnov's two-sample distance: Hodges (1958). Run standalone: `lake job drift`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.scores import MODEL_DRIFT
from lakehouse.duck import open_gold
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from ml import scores, serving
from ml.catalogue import MODELS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TENTHS = 10
WORTH_ACTING = 0.1
"""A smaller PSI is no reason to act, however sure."""
RISK = 0.02
"""Chance of a false alarm of one look at all columns of a model."""
LEAST_ROWS = 20
NO_FEATURES = ("score", "error")


@dataclass(frozen=True)
class Look:
    """One column at one time. `kind` is feature, score or error."""

    model: str
    column_name: str
    kind: str
    psi: float
    ks: float
    limit_psi: float
    limit_ks: float
    is_drift: bool
    reference_rows: int
    current_rows: int


def measure(settings: Settings) -> list[Look]:
    """Look at every model with a champion, and append what is found to the table.

    A model that can't be looked at is passed over: its scoring says what is wrong with it.

    Raises:
        LakeError: Nothing is published, or the table can't be written.
    """
    import pandas as pd

    at, found, parts = datetime.now(UTC), [], []
    with open_gold(settings) as gold:
        for each in MODELS:
            try:
                if serving.champion(each.name, settings=settings) is None:
                    continue
                served, artifact = serving.load_champion(each.name, settings=settings)
                before, now = each.watched(gold, artifact, served)
            except LakeError:
                continue
            looks = compare(each.name, before, now)
            if looks:
                parts.append(pd.DataFrame(map(vars, looks)).assign(model_version=served.label))
            found += looks
    if parts:
        frame = pd.concat(parts, ignore_index=True).assign(measured_at=at)
        scores.append(MODEL_DRIFT, frame, settings=settings, at=at, metadata={"query": "drift"})
    return found


def compare(model: str, before: "pd.DataFrame", now: "pd.DataFrame") -> list[Look]:
    """Compare the columns of two frames; with fewer than 20 rows on a side nothing is said.

    Args:
        model: Whose columns they are.
        before: What the model was trained with, one row per customer or day.
        now: The same at present. Columns `score` and `error` are kinds of their own.
    """
    columns = [each for each in before.columns if each in now.columns]
    looks = []
    for column in columns:
        old, new = (frame[column].dropna().to_numpy(dtype=float) for frame in (before, now))
        if min(len(old), len(new)) < LEAST_ROWS:
            continue
        own, limit_psi, limit_ks = psi(old, new), *limits(len(old), len(new), len(columns))
        distance = ks(old, new)
        looks.append(
            Look(
                model,
                column,
                column if column in NO_FEATURES else "feature",
                own,
                distance,
                limit_psi,
                limit_ks,
                own > limit_psi
                and distance > limit_ks
                and (column != "error" or grew(old, new, len(columns))),
                len(old),
                len(new),
            )
        )
    return looks


def psi(before: "np.ndarray[Any, Any]", now: "np.ndarray[Any, Any]") -> float:
    """Population stability index over the tenths of `before`; equal values stay together.

    Half a row is added to each tenth, so that an empty one gives no infinite figure.
    """
    import numpy as np

    edges = np.unique(np.quantile(before, np.linspace(0, 1, TENTHS + 1)[1:-1]))
    counts = [
        np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1) + 0.5
        for values in (before, now)
    ]
    old, new = (each / each.sum() for each in counts)
    return float(((new - old) * np.log(new / old)).sum())


def ks(before: "np.ndarray[Any, Any]", now: "np.ndarray[Any, Any]") -> float:
    """Largest distance between the two empirical distributions."""
    from scipy.stats import ks_2samp

    return float(ks_2samp(before, now, method="asymp").statistic)


def grew(before: "np.ndarray[Any, Any]", now: "np.ndarray[Any, Any]", columns: int) -> bool:
    """Whether errors are larger than before, beyond what chance does with `RISK`."""
    import numpy as np
    from scipy.stats import ttest_ind

    test = ttest_ind(np.abs(now), np.abs(before), equal_var=False, alternative="greater")
    return bool(test.pvalue < RISK / max(columns, 1))


def limits(before: int, now: int, columns: int) -> tuple[float, float]:
    """What PSI and KS exceed by chance with `RISK` over all columns; PSI at least 0.1."""
    from scipy.stats import chi2, kstwobign

    risk = RISK / max(columns, 1)
    share = 1 / before + 1 / now
    limit_psi = float(chi2.isf(risk, TENTHS - 1)) * share
    return max(WORTH_ACTING, limit_psi), float(kstwobign.isf(risk)) * share**0.5
