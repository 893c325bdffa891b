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
    """A model: its champion and challenger by alias, all decisions, and a card.

    The card is the champion's, or where none serves that of the challenger.
    """

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


def refusal(name: str, settings: Settings) -> str:
    """Why the last version of a model of which none serves was refused; else nothing."""
    past = decisions.of_model(name, settings=settings)
    return "" if not past or serving.champion(name, settings=settings) else past[-1].why.rstrip(".")


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
        named = {
            "champion": serving.champion(name, settings=settings),
            "challenger": serving.challenger(name, settings=settings),
        }
        in_use = {alias: each for alias, each in named.items() if each is not None}
        if not in_use:
            return ModelState(name, description, {}, past, "")
        first = next(iter(in_use.values()))
        serving.load(first, settings=settings)
    except LakeError as error:
        return ModelState(name, description, {}, past, "", str(error))
    card = (settings.models_dir / first.file).parents[2] / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    return ModelState(name, description, in_use, past, text)
