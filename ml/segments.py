"""Customers in groups of like behaviour: K-means on recency, frequency and monetary amount.

In: a frame of purchases (`ml.sales`). Out: for each number of groups how tight and how stable they
are, and for the chosen one a name per group that follows from its centre. R, F and M are those of
docs/data.md, rule 8; the groups are found on StandardScaler of log1p(R, F, M), the best of `STARTS`
starts. Run standalone: `lake ml segments --file F --k 2..8`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from ml.features import features
from ml.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RFM = ("recency_days", "order_count", "monetary_amount")
STARTS = 20
SEED = 20
MOST_FOR_SILHOUETTE = 10_000
"""Customers of whom the silhouette is taken; of more, it is that of as many drawn ones."""
RESAMPLES = 20


@dataclass(frozen=True)
class Grouping:
    """One number of groups: within-group sum of squares, silhouette -1 to 1, sizes descending."""

    k: int
    inertia: float
    silhouette: float
    sizes: tuple[int, ...]


def rfm(sales: "pd.DataFrame", snapshot: date) -> "pd.DataFrame":
    """R (days), F (orders) and M (money) of every customer before a day, by customer_id."""
    return features(sales, snapshot)[list(RFM)]


def scaled(frame: "pd.DataFrame") -> "np.ndarray[Any, Any]":
    """StandardScaler of log1p: what the distance between customers is taken on."""
    import numpy as np
    from sklearn.preprocessing import StandardScaler

    found: np.ndarray[Any, Any] = StandardScaler().fit_transform(np.log1p(frame.to_numpy(float)))
    return found


def fit(frame: "pd.DataFrame", k: int) -> Any:
    """A pipeline of scaler and K-means on log1p of the frame of `rfm`; predicts group numbers.

    Raises:
        LakeError: There are not more different customers than groups.
    """
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    different = len(frame.drop_duplicates())
    if different <= k:
        raise LakeError(
            f"{len(frame):,} customers with {different:,} different histories can't be put into "
            f"{k} groups: take fewer groups, or more of the history."
        )
    estimator = make_pipeline(StandardScaler(), KMeans(k, n_init=STARTS, random_state=SEED))
    with one_thread():
        return estimator.fit(np.log1p(frame.to_numpy(float)))


def groups(estimator: Any, frame: "pd.DataFrame") -> "np.ndarray[Any, Any]":
    """Number of each customer's group, from 0."""
    import numpy as np

    found: np.ndarray[Any, Any] = estimator.predict(np.log1p(frame.to_numpy(float)))
    return found


def compare(frame: "pd.DataFrame", ks: Iterable[int]) -> list[Grouping]:
    """How tight the groups are, for several numbers of groups."""
    import numpy as np
    from sklearn.metrics import silhouette_score

    points = scaled(frame)
    size = MOST_FOR_SILHOUETTE if len(points) > MOST_FOR_SILHOUETTE else None
    found = []
    with one_thread():
        for k in ks:
            estimator = fit(frame, k)
            own = groups(estimator, frame)
            silhouette = silhouette_score(points, own, sample_size=size, random_state=SEED)
            sizes = sorted(np.bincount(own, minlength=k).tolist(), reverse=True)
            inertia = float(estimator[-1].inertia_)
            found.append(Grouping(k, inertia, float(silhouette), tuple(sizes)))
    return found


def parse_ks(text: str) -> Sequence[int]:
    """Read `2..8`, or one number. Raises: LakeError for another form, or fewer than 2 groups."""
    first, dots, last = text.partition("..")
    try:
        found = range(int(first), int(last if dots else first) + 1)
    except ValueError:
        found = range(0)
    if not found or found[0] < 2:
        raise LakeError(f"--k {text!r} does not fit: write a range such as 2..8, from 2 groups on.")
    return found
