"""What the models say and how they stand, as the pages Forecast and Models show it.

In: the tables of scores, the record of decisions and the pointers of the champions. Out: frames and
values. MLflow is not read: its import alone takes seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from lakehouse.contracts.scores import DAILY_SALES_FORECAST, MODEL_DRIFT
from lakehouse.settings import Settings
from ml import decisions, scores, serving
from ml.catalogue import MODELS
from ml.decisions import Decision

CARD = "card.md"


@dataclass(frozen=True)
class ModelState:
    """A model: its champion and challenger by alias, all decisions, and the champion's card."""

    name: str
    description: str
    in_use: Mapping[str, serving.Served]
    decisions: tuple[Decision, ...]
    card: str
    problem: str = ""


def daily_forecast(settings: Settings) -> pd.DataFrame:
    """What the champion expected of each past trading day, and of those to come, in their order."""
    frame = scores.read(DAILY_SALES_FORECAST, settings=settings, where="alias = 'champion'")
    return frame.sort_values("forecast_date", ignore_index=True)


def model_states(settings: Settings) -> list[ModelState]:
    """Every model of the catalogue, in its order."""
    return [_state(each.name, each.description, settings) for each in MODELS]


def last_drift(settings: Settings) -> pd.DataFrame:
    """The newest look at each model's columns, in the order of models and PSI."""
    frame = scores.read(MODEL_DRIFT, settings=settings)
    if frame.empty:
        return frame
    newest = frame.groupby("model")["measured_at"].transform("max")
    return frame[frame["measured_at"] == newest].sort_values(
        ["model", "psi"], ascending=[True, False], ignore_index=True
    )


def _state(name: str, description: str, settings: Settings) -> ModelState:
    from lakehouse.errors import LakeError

    past = tuple(decisions.of_model(name, settings=settings))
    try:
        if serving.champion(name, settings=settings) is None:
            return ModelState(name, description, {}, past, "")
        in_use = serving.in_use(name, settings=settings)
        serving.load(in_use["champion"], settings=settings)
    except LakeError as error:
        return ModelState(name, description, {}, past, "", str(error))
    path = settings.models_dir / in_use["champion"].file
    card = path.parents[2] / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    return ModelState(name, description, in_use, past, text)
