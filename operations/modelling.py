"""The jobs of the models: first versions, drift, retraining. `operations.jobs` lists them.

In: the context. Out: versions, decisions and rows of `scores.*`, and a stage for each model in the
log. A model that can't be trained or is refused stops no other, and the champions serve on.
"""

from collections.abc import Callable

from ml import decisions
from ml.catalogue import MODELS, Model
from operations.context import Context


def train(context: Context) -> None:
    """Train a version of each model of which none serves; it must beat the best plain rule."""
    from ml import serving
    from ml.retraining import retrain as trained_anew

    due = [
        each for each in MODELS if serving.champion(each.name, settings=context.settings) is None
    ]
    _each(context, "train", due, lambda each: _told(trained_anew, each, context, "first training"))


def retrain(context: Context) -> None:
    """Train a challenger of every model that is due, and promote those that are better."""
    from ml.due import reasons
    from ml.retraining import retrain as trained_anew

    why = reasons(context.settings)
    due = [each for each in MODELS if each.name in why]
    _each(context, "retrain", due, lambda each: _told(trained_anew, each, context, why[each.name]))


def drift(context: Context) -> None:
    """Hold features and scores against those of the training."""
    from ml import drift as drifting

    with context.log.stage("drift") as stage:
        found = drifting.measure(context.settings)
        stage.rows_out = len(found)
        drifted = sorted({each.model for each in found if each.is_drift})
        stage.note = f"drifted: {', '.join(drifted)}" if drifted else "no drift"


def _each(context: Context, name: str, due: list[Model], work: Callable[[Model], str]) -> None:
    if not due:
        with context.log.stage(name) as stage:
            stage.status, stage.note = "skipped", "no model is due"
    for each in due:
        with context.log.stage(f"{name} {each.name}") as stage:
            stage.note = work(each)


def _told(trained_anew: Callable[..., object], each: Model, context: Context, trigger: str) -> str:
    from ml.retraining import Outcome

    found = trained_anew(
        each.name, settings=context.settings, who=decisions.user(), trigger=trigger
    )
    assert isinstance(found, Outcome)  # noqa: S101
    verb = "promoted" if found.is_promoted else "refused"
    return f"{verb}: {found.reason}"
