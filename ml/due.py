"""Which models are due for a retraining, and why: their age, or drift since their training.

In: the champions and the last look at drift. Out: a reason for each model that is due.
"""

from datetime import UTC, datetime, timedelta

from lakehouse.contracts.scores import MODEL_DRIFT
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from ml import decisions, scores, serving
from ml.catalogue import MODELS

EVERY = timedelta(days=7)


def reasons(settings: Settings) -> dict[str, str]:
    """Why each model that is due is so; a model that nothing serves of is due for `train`."""
    found = {}
    now = datetime.now(UTC)
    drifted = _drifted(settings)
    for each in MODELS:
        try:
            champion = serving.champion(each.name, settings=settings)
        except LakeError as error:
            found[each.name] = str(error)
            continue
        if champion is None:
            continue
        past = decisions.of_model(each.name, settings=settings)
        last = max((_time(line.at) for line in past), default=_time(champion.trained_at))
        if since := [column for at, column in drifted.get(each.name, ()) if at > last]:
            found[each.name] = f"drift of {', '.join(sorted(set(since)))}"
        elif now - last >= EVERY:
            found[each.name] = f"by schedule: the last training was on {last:%Y-%m-%d}"
    return found


def _drifted(settings: Settings) -> dict[str, list[tuple[datetime, str]]]:
    found: dict[str, list[tuple[datetime, str]]] = {}
    rows = scores.read(MODEL_DRIFT, settings=settings, where="is_drift")
    for model, at, column in zip(
        rows["model"], rows["measured_at"], rows["column_name"], strict=True
    ):
        found.setdefault(model, []).append((at.to_pydatetime(), column))
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
