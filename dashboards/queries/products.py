"""What is bought with the products of a selection, and how often the recommender finds it.

In: the table of recommendations, the record of decisions and the pointer of the champion. Out: a
frame and values; what was sold itself is asked for in `dashboards.queries.sales`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lakehouse.contracts.scores import PRODUCT_RECOMMENDATIONS
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from ml import decisions, scores, serving

NAME = "recommendations"
SHOWN = 3


@dataclass(frozen=True)
class Recommender:
    """The version that serves with the figures of its training, or why there is none."""

    label: str = ""
    metrics: Mapping[str, float] | None = None
    problem: str = ""


def recommender(settings: Settings) -> Recommender:
    """Which version serves, and its hit rate in the weeks that its training did not see."""
    try:
        champion = serving.champion(NAME, settings=settings)
    except LakeError as error:
        return Recommender(problem=str(error))
    past = decisions.of_model(NAME, settings=settings)
    if champion is None:
        return Recommender(problem=past[-1].why if past else "")
    metrics = [each.metrics for each in past if each.version == champion.version and each.metrics]
    return Recommender(champion.label, metrics[-1] if metrics else None)


def bought_with(settings: Settings) -> pd.DataFrame:
    """The first products to show beside each: sku, recommended_sku, shared_orders, best first."""
    frame = scores.read(PRODUCT_RECOMMENDATIONS, settings=settings, where=f"rank <= {SHOWN}")
    return frame.sort_values(["sku", "rank"], ignore_index=True)
