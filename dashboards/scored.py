"""What the pages of the models share: the empty state, rows, rates, and the origin.

In: a frame of scores. Out: components and texts.
"""

from decimal import Decimal
from typing import Any

import pandas as pd
from dash import html

from dashboards import components, formats

COMMAND = "./lake run ml"


def nothing_yet(refusal: str = "", *, model: str = "") -> Any:
    """Says that nothing was scored, and what does it, or why no version of a model serves."""
    if refusal:
        return components.empty_state(
            "No version serves",
            why=f"Every version of this model was refused, the last one so: {refusal}.",
            command=f"./lake models show {model}",
        )
    return components.empty_state(
        "Not scored yet",
        why="The models have not been run on the published figures. This command trains what is "
        "missing and scores every customer; the page shows it when it is opened again.",
        command=COMMAND,
    )


def rows(frame: pd.DataFrame) -> list[Any]:
    """The rows of a frame, by their columns' names."""
    return list(frame.itertuples(index=False))


def percent(rate: float, *, places: int = 0) -> str:
    """A rate of 0 to 1 as per cent."""
    return formats.percent(Decimal(str(rate)), places=places)


def origin(frame: pd.DataFrame) -> Any:
    """Which model said it, when, and of which day."""
    first = frame.iloc[0]
    text = (
        f"By {first['model_version']}, scored {formats.moment(first['scored_at'])}, as known "
        f"before {formats.day(pd.Timestamp(first['cutoff_date']).date())}."
    )
    return html.P(text, className="muted")
