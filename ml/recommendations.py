"""The model `recommendations`: what is bought with a product.

In: gold's orders. Out: how much pairs that few orders share are trusted (the one parameter, chosen
on four weeks that later weeks judge), and for each product the ten to show beside it, from all
baskets known when it is scored. Run standalone: `lake retrain recommendations`.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.scores import PRODUCT_RECOMMENDATIONS
from lakehouse.duck import open_gold
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from ml import artifacts, scores, serving
from ml.artifacts import Artifact
from ml.baskets import TOP, Baskets, found_by, hide_one, of_lines, read_baskets, similarities
from ml.serving import Served
from ml.trained import Losses, Trained, Unfit

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

NAME = "recommendations"
HOLD_OUT = timedelta(days=28)
SHRINKS = (2.0, 10.0, 30.0)
LEAST_SHARED = 3
"""Orders that two products must share for one to be shown beside the other."""
LEAST_BASKETS = 100
LOSS = "share of baskets whose hidden product is not among ten"


def train(gold: "duckdb.DuckDBPyConnection") -> Trained:
    """Choose the shrinkage on the four weeks before the hold-out.

    Raises:
        Unfit: There are too few baskets.
    """
    import pandas as pd

    baskets = read_baskets(gold)
    cutoff = hold_out(baskets)
    known = baskets.between(None, cutoff)
    rates = {each: _missed(known, hold_out(known), each) for each in SHRINKS}
    shrink = min(SHRINKS, key=lambda each: float(rates[each].mean()))
    missed = _missed(baskets, cutoff, shrink)
    unseen = baskets.between(cutoff, None)
    by_week = pd.Series(missed).groupby((unseen.days - unseen.days[0]).astype(int) // 7).mean()
    figures = {
        "hit_rate": 1 - float(missed.mean()),
        "hit_rate_popularity": 1 - float(_missed_by_popularity(baskets, cutoff).mean()),
        "coverage": coverage(known, shrink),
        "coverage_popularity": TOP / len(baskets.skus),
    }
    artifact = artifacts.of_values({"shrink": shrink, "least_shared": LEAST_SHARED})
    lines = pd.DataFrame({"basket": ["1", "1"], "sku": ["A", "B"]}).assign(day=known.days[0])
    return Trained(
        artifact,
        {"shrink": shrink, "shown": TOP, "baskets": len(known.orders)},
        figures,
        {"hit_rate": tuple(float(1 - each) for each in by_week)},
        lines,
        beside(known, shrink).head(3),
        _day(baskets.days[-1]),
        _card(shrink, figures, len(missed)),
    )


def losses(gold: "duckdb.DuckDBPyConnection", artifact: Artifact) -> Losses:
    """1 for each basket of the hold-out whose hidden product is not among ten, else 0.

    Raises:
        Unfit: There are too few baskets, or the artifact is no such model.
    """
    baskets = read_baskets(gold)
    return _losses(baskets, _missed(baskets, hold_out(baskets), _shrink(artifact)))


def baselines(gold: "duckdb.DuckDBPyConnection") -> dict[str, Losses]:
    """The same for the ten products that most baskets hold."""
    baskets = read_baskets(gold)
    missed = _missed_by_popularity(baskets, hold_out(baskets))
    return {"the ten most popular": _losses(baskets, missed)}


def predict(artifact: Artifact, frame: "pd.DataFrame") -> "pd.DataFrame":
    """What to show beside each product of baskets given as rows with basket, sku and day."""
    lines = frame.sort_values(["day", "basket", "sku"]).drop_duplicates(["basket", "sku"])
    return beside(of_lines(lines), _shrink(artifact))


def score(settings: Settings) -> int:
    """Write what to show beside each product; returns the rows.

    Raises:
        LakeError: No version serves, its file is refused, or gold holds no baskets.
    """
    import pandas as pd

    served, artifact = serving.load_champion(NAME, settings=settings)
    with open_gold(settings) as gold:
        baskets = read_baskets(gold)
    frame = beside(baskets, _shrink(artifact)).assign(
        model_version=served.label, scored_at=pd.Timestamp.now("UTC")
    )
    metadata = {"query": "score", "model": NAME}
    scores.replace(PRODUCT_RECOMMENDATIONS, frame, settings=settings, metadata=metadata)
    return len(frame)


def watched(
    gold: "duckdb.DuckDBPyConnection",
    artifact: Artifact,  # noqa: ARG001 - every model has the same functions
    served: Served,
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """How many products baskets hold: of the four weeks before the training's end, and since."""
    baskets = read_baskets(gold)
    until = date.fromisoformat(served.known_until) + timedelta(days=1)
    return _sizes(baskets.between(until - HOLD_OUT, until)), _sizes(baskets.between(until, None))


def beside(baskets: Baskets, shrink: float) -> "pd.DataFrame":
    """The ten most similar of each product, best first, of those that share enough orders.

    Returns:
        One row per product and rank: sku, rank, recommended_sku, similarity, shared_orders.
    """
    import numpy as np
    import pandas as pd

    similar = similarities(baskets, shrink=shrink).tocoo()
    both = (baskets.matrix.T @ baskets.matrix).tocsr()
    shared = np.asarray(both[similar.row, similar.col]).ravel()
    skus = np.array(baskets.skus)
    frame = pd.DataFrame(
        {
            "sku": skus[similar.row],
            "recommended_sku": skus[similar.col],
            "similarity": similar.data.astype(float),
            "shared_orders": shared.astype(int),
        }
    )
    frame = frame[frame["shared_orders"] >= LEAST_SHARED].sort_values(
        ["sku", "similarity", "recommended_sku"], ascending=[True, False, True]
    )
    frame["rank"] = frame.groupby("sku").cumcount() + 1
    return frame[frame["rank"] <= TOP].reset_index(drop=True)


def coverage(baskets: Baskets, shrink: float) -> float:
    """Share of all products that are shown beside at least one other."""
    return beside(baskets, shrink)["recommended_sku"].nunique() / len(baskets.skus)


def hold_out(baskets: Baskets) -> date:
    """First day of the last four weeks.

    Raises:
        Unfit: There are too few baskets in them, or before them.
    """
    cutoff = _day(baskets.days[-1]) - HOLD_OUT + timedelta(days=1)
    before, after = (
        len(part.orders) for part in (baskets.between(None, cutoff), baskets.between(cutoff, None))
    )
    if min(before, after) < LEAST_BASKETS:
        raise Unfit(
            f"There are {counted(before)} orders of several products before {cutoff} and "
            f"{counted(after)} since: {LEAST_BASKETS} are needed on both sides."
        )
    return cutoff


def _missed(baskets: Baskets, cutoff: date, shrink: float) -> "np.ndarray[Any, Any]":
    known, hidden = hide_one(baskets.between(cutoff, None))
    scored = known @ similarities(baskets.between(None, cutoff), shrink=shrink)
    found = found_by(known, hidden, scored)
    return 1.0 - found


def _missed_by_popularity(baskets: Baskets, cutoff: date) -> "np.ndarray[Any, Any]":
    import numpy as np

    known, hidden = hide_one(baskets.between(cutoff, None))
    counts = np.asarray(baskets.between(None, cutoff).matrix.sum(axis=0)).ravel()
    found = found_by(known, hidden, np.broadcast_to(counts, known.shape))
    return 1.0 - found


def _losses(baskets: Baskets, missed: "np.ndarray[Any, Any]") -> Losses:
    return Losses(LOSS, missed, baskets.between(hold_out(baskets), None).orders)


def _shrink(artifact: Artifact) -> float:
    try:
        return float(artifacts.values_of(artifact)["shrink"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unfit(f"The stored model is not of this kind: {error}.") from error


def _sizes(baskets: Baskets) -> "pd.DataFrame":
    import numpy as np
    import pandas as pd

    return pd.DataFrame({"basket_size": np.diff(baskets.matrix.indptr)})


def _day(value: Any) -> date:
    found: date = value.astype("datetime64[D]").astype(object)
    return found


def _card(shrink: float, figures: dict[str, float], count: int) -> str:
    return f"""# recommendations

What is bought with a product: cosine over baskets, pairs with n shared orders weighted by
n / (n + {shrink:g}), the weight chosen on four weeks before the hold-out.

- Hit rate: one product hidden in each of {counted(count)} later baskets, found among ten:
  {figures["hit_rate"]:.1%}; the ten most popular find {figures["hit_rate_popularity"]:.1%}.
- Coverage: {figures["coverage"]:.1%} of all products are shown beside another; popularity shows
  {figures["coverage_popularity"]:.1%}.

Limits: a product that was never sold with another has none; taste of a customer is not used.
"""
