"""A model whose quality a test chooses: its next training gives what `NEXT` says.

It has the functions that `ml.catalogue.Model` asks for, so that training, judging and promoting
run as they do for the shop's own models.
"""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ml import artifacts
from ml.artifacts import Artifact
from ml.trained import Losses, Trained

NEXT: dict[str, Any] = {"loss": 0.5, "units": 200, "raises": None}
"""What the next training gives; a test sets it."""


def train(gold: Any) -> Trained:
    if NEXT["raises"] is not None:
        raise NEXT["raises"]
    frame = pd.DataFrame({"value": [1.0, 2.0]})
    return Trained(
        artifacts.of_values({"loss": NEXT["loss"]}),
        {"kind": "toy"},
        {"loss": 1.0},
        {"loss": (0.4, 0.6)},
        frame,
        frame,
        date(2011, 12, 9),
        "# toy\n\nFor tests.",
    )


def losses(gold: Any, artifact: Artifact) -> Losses:
    loss = artifacts.values_of(artifact)["loss"]
    return _losses(float("nan") if loss is None else loss)


def baselines(gold: Any) -> dict[str, Losses]:
    return {"a rule that is far off": _losses(1.4), "the best rule": _losses(1.0)}


def predict(artifact: Artifact, frame: pd.DataFrame) -> pd.DataFrame:
    return frame * artifacts.values_of(artifact)["loss"]


def _losses(mean: float) -> Losses:
    noise = np.random.default_rng(1).normal(0, 0.1, NEXT["units"])
    return Losses("toy loss", mean + noise, tuple(map(str, range(NEXT["units"]))))
