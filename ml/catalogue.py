"""Which models there are: the one list that training, retraining and the commands read.

In: a name. Out: a `Model`, whose functions are named as text, so that listing models imports none.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from lakehouse.settings import Settings
    from ml.artifacts import Artifact
    from ml.serving import Served
    from ml.trained import Losses, Trained


@dataclass(frozen=True)
class Model:
    """A model. The functions take a reader on gold; `losses` also an artifact.

    `train` learns from what came before the hold-out; `losses` is what the units of the newest
    hold-out cost an artifact, and `baselines` what they cost the plain rules, by name, the best of
    which a first version must beat.
    `least_units` is how many a hold-out needs to say anything.
    """

    name: str
    description: str
    module: str
    least_units: int

    def train(self, gold: "duckdb.DuckDBPyConnection") -> "Trained":
        """Learn a challenger. Raises: LakeError for data that nothing can be learned from."""
        found: Trained = self._function("train")(gold)
        return found

    def losses(self, gold: "duckdb.DuckDBPyConnection", artifact: "Artifact") -> "Losses":
        """What the newest hold-out costs a stored model."""
        found: Losses = self._function("losses")(gold, artifact)
        return found

    def baselines(self, gold: "duckdb.DuckDBPyConnection") -> "dict[str, Losses]":
        """What the newest hold-out costs each plain rule, by the rule in words."""
        found: dict[str, Losses] = self._function("baselines")(gold)
        return found

    def score(self, settings: "Settings") -> int:
        """Write the scores of the champion; returns the rows. Raises: LakeError."""
        found: int = self._function("score")(settings)
        return found

    def watched(
        self, gold: "duckdb.DuckDBPyConnection", artifact: "Artifact", served: "Served"
    ) -> "tuple[pd.DataFrame, pd.DataFrame]":
        """What drift is looked for in: at the training, and now; column `score` or `error` too."""
        found: tuple[pd.DataFrame, pd.DataFrame] = self._function("watched")(gold, artifact, served)
        return found

    def predict_function(self) -> "Callable[[Artifact, pd.DataFrame], pd.DataFrame]":
        """The function that predicts rows of the signature."""
        found: Callable[[Artifact, pd.DataFrame], pd.DataFrame] = self._function("predict")
        return found

    def _function(self, name: str) -> Any:
        return getattr(importlib.import_module(self.module), name)


MODELS = (
    Model("daily_sales", "net revenue of the coming trading days", "ml.forecast", 48),
    Model("churn", "who stays away for 90 days", "ml.churn_model", 200),
    Model("recommendations", "what is bought with a product", "ml.recommendations", 100),
)


def model(name: str) -> Model:
    """The model of that name. Raises: LakeError with the names there are."""
    for each in MODELS:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in MODELS)
    raise LakeError(f"There is no model '{name}'. Models: {known}.")
