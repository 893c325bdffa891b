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
from lakehouse.shop_format import counted
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
RESAMPLES = 10
STABLE = 0.8
"""Mean adjusted Rand index from which groups count as the same when customers are drawn again."""


@dataclass(frozen=True)
class Grouping:
    """One number of groups: within-group sum of squares, silhouette -1 to 1, sizes descending.

    `stability` is that of the function of this name.
    """

    k: int
    inertia: float
    silhouette: float
    stability: float
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
            f"{counted(len(frame))} customers with {counted(different)} different histories can't "
            f"be put into {k} groups: take fewer groups, or more of the history."
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
            found.append(Grouping(k, inertia, float(silhouette), stability(frame, k), tuple(sizes)))
    return found


def stability(frame: "pd.DataFrame", k: int) -> float:
    """Mean adjusted Rand index between the groups of all and those that resamples would give.

    1 is the same groups each time, 0 what chance gives. Resamples are drawn with replacement.
    """
    import numpy as np
    from sklearn.base import clone
    from sklearn.metrics import adjusted_rand_score

    generator = np.random.default_rng(SEED)
    points = np.log1p(frame.to_numpy(float))
    whole = fit(frame, k)
    own = whole.predict(points)
    found = []
    with one_thread():
        for _ in range(RESAMPLES):
            drawn = points[generator.integers(0, len(points), len(points))]
            other = clone(whole).set_params(kmeans__n_init=3).fit(drawn)
            found.append(adjusted_rand_score(own, other.predict(points)))
    return float(np.mean(found))


def choose(frame: "pd.DataFrame", ks: Iterable[int] = range(3, 9)) -> int:
    """The number of groups with the best silhouette among those that stay what they are.

    Two groups are no segmentation, only "more" and "less", so three are the fewest.
    """
    found = compare(frame, ks)
    stable = [each for each in found if each.stability >= STABLE]
    best = (
        max(stable, key=lambda each: each.silhouette)
        if stable
        else max(found, key=lambda each: each.stability)
    )
    return best.k


def names(centres: "np.ndarray[Any, Any]") -> list[str]:
    """A name per group from its centre, no two alike.

    Args:
        centres: Rows of scaled R, F and M; 0 is the average customer, 1 a standard deviation more.
    """
    found: list[str] = []
    for recency, frequency, amount in centres:
        when = "Active" if recency < -0.4 else "Lapsed" if recency > 0.4 else "Fading"
        size = (frequency + amount) / 2
        who = "best" if size > 0.9 else "steady" if size > -0.1 else "small"
        name = f"{when} {who} customers"
        again = sum(each.startswith(name) for each in found)
        found.append(f"{name} {again + 1}" if again else name)
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
