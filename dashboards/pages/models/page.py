"""Models: which version serves, how good it is, what was decided, and whether the world moved.

In: the record of decisions, the champions' cards and the last look at drift. Out: the page, filled
by one callback. Run standalone: `python -m dashboards.app`, then open /models.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from dash import dcc, html

from dashboards import components, formats, one_part, scored
from dashboards.components import Column, Tone
from dashboards.published import PublishedGold
from dashboards.queries.models import ModelState, last_drift, model_states
from dashboards.registry import Page
from lakehouse import shop_format
from lakehouse.pointer import parse_time
from ml.decisions import Decision
from ml.serving import Served

PAGE = Page("/models", "Models", group="Models", icon="check")
_TONES: dict[str, Tone] = {
    "promoted": "good",
    "refused": "plain",
    "forced": "warn",
    "rolled_back": "warn",
}
_MOST_DECISIONS = 10


def layout() -> Any:
    """The page without content; a callback fills it."""
    return one_part.layout(
        PAGE.title,
        "Which version of each model serves, why, and does it still fit the shop?",
        "models-body",
    )


def register(app: Any, gold: PublishedGold) -> None:
    """Connect the page to the record of decisions and the table of drift."""
    one_part.register(
        app, "models-body", lambda: body(model_states(gold.settings), last_drift(gold.settings))
    )


def body(states: Sequence[ModelState], drift: pd.DataFrame) -> Any:
    """The page for the models as they stand."""
    if not any(each.decisions or each.in_use for each in states):
        return components.empty_state(
            "No model yet",
            why="None was trained. The jobs of the models train a first version of each, and let "
            "it serve where it beats the best plain rule.",
            command="./lake run ml",
        )
    return html.Div([*map(_model, states), _drift(drift)], className="stack")


def _model(state: ModelState) -> Any:
    champion, shadow = (state.in_use.get(alias) for alias in ("champion", "challenger"))
    if state.problem:
        aside = components.badge("refused file", "bad")
    elif champion is None:
        aside = components.badge("nothing serves", "warn")
    else:
        aside = components.badge(f"version {champion.version} serves", "good")
    shadow_text = f" {_of_shadow(shadow.version, champion)}" if shadow else ""
    since = f" Trained {formats.moment(parse_time(champion.trained_at))}." if champion else ""
    parts = [
        components.banner("bad", state.problem) if state.problem else None,
        _versions(state.decisions),
        _decisions(state.decisions),
        html.Details([html.Summary("Model card"), dcc.Markdown(state.card, className="card-text")])
        if state.card
        else None,
    ]
    return components.card(
        state.name.replace("_", " ").capitalize(),
        [part for part in parts if part is not None],
        aside=aside,
        note=f"{state.description.capitalize()}.{since}{shadow_text}",
        id=f"model-{state.name}",
    )


def _of_shadow(number: int, champion: Served | None) -> str:
    if champion:
        return f"Version {number} scores in its shadow."
    return f"Version {number} is registered and does not serve; the newest decision says why."


def _versions(past: Sequence[Decision]) -> Any:
    """Figures of every version by its training, the newest first."""
    trained = [each for each in past if each.metrics][::-1][:_MOST_DECISIONS]
    if not trained:
        return None
    names = list(dict.fromkeys(name for each in trained for name in each.metrics or {}))[:6]
    columns = [
        Column("Version"),
        *(Column(name.replace("_", " "), is_number=True) for name in names),
    ]
    rows = [
        [str(each.version), *(_figure((each.metrics or {}).get(name)) for name in names)]
        for each in trained
    ]
    return components.table(columns, rows, label="Figures of the versions")


def _decisions(past: Sequence[Decision]) -> Any:
    if not past:
        return None
    columns = [Column("When"), Column("Decision"), Column("Who"), Column("Why", is_wide=True)]
    rows = [
        [
            formats.moment(parse_time(each.at)),
            components.badge(
                f"{each.kind.replace('_', ' ')}"
                + (f", version {each.version}" if each.version else ""),
                _TONES.get(each.kind, "plain"),
            ),
            each.who,
            each.why,
        ]
        for each in past[::-1][:_MOST_DECISIONS]
    ]
    return components.table(columns, rows, label="Decisions")


def _drift(frame: pd.DataFrame) -> Any:
    note = (
        "The newest look: PSI and KS between the training and now, and what chance alone would "
        "exceed. Drift needs both, and a PSI of 0.1 at least."
    )
    if frame.empty:
        return components.card("Drift", "No look was taken yet: ./lake job drift.", note=note)
    columns = [
        Column("Model"),
        Column("Column"),
        Column("PSI", is_number=True),
        Column("Limit", is_number=True),
        Column("KS", is_number=True),
        Column("Limit", is_number=True),
        Column("Verdict"),
    ]
    rows = [
        [
            row.model,
            row.column_name,
            _figure(row.psi),
            _figure(row.limit_psi),
            _figure(row.ks),
            _figure(row.limit_ks),
            components.badge("drift", "warn") if row.is_drift else components.badge("calm", "good"),
        ]
        for row in scored.rows(frame)
    ]
    at = pd.Timestamp(frame["measured_at"].max()).to_pydatetime()
    return components.card(
        "Drift",
        components.table(columns, rows, label="Drift by column"),
        note=f"{note} {formats.moment(at)}.",
    )


def _figure(value: float | None) -> str:
    if value is None:
        return formats.NOTHING
    return f"{shop_format.number(value)}" if abs(value) >= 100 else f"{value:.3f}"
