"""The jobs `features` and `score`: what the models say of customers and days, after a publish.

In: the context. Out: tables of scores, and a stage for each in the log. What fails is said and
stops no other; the job fails at the end, gold and the older scores stay readable.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lakehouse.errors import LakeError
from operations.context import Context

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from ml.catalogue import Model
    from ml.scoring import Known, Written


def features(context: Context) -> None:
    """Write what is known of every customer."""
    from ml.scoring import known, write_features

    with context.log.stage("features") as stage:
        stage.rows_out = write_features(known(context.settings), context.settings).rows


def score(context: Context) -> None:
    """Write what every model says. Raises: LakeError naming what could not be scored."""
    from ml import serving
    from ml.catalogue import MODELS
    from ml.scoring import WRITERS, known

    settings = context.settings
    failed: list[str] = []
    now = known(settings)

    def attempt(name: str, work: Callable[[], tuple[int, str]]) -> None:
        with context.log.stage(f"score {name}") as stage:
            try:
                stage.rows_out, stage.note = work()
            except LakeError as error:
                stage.status, stage.note = "failed", str(error)
                failed.append(f"{name}: {error}")

    for name, write in WRITERS.items():
        attempt(name, partial(_of_customers, write, now, settings))
    for each in MODELS:
        if each.name in WRITERS:
            continue
        if serving.champion(each.name, settings=settings):
            attempt(each.name, partial(_of_model, each, settings))
        else:
            with context.log.stage(f"score {each.name}") as stage:
                stage.status = "skipped"
                stage.note = f"no version serves: lake models show {each.name}"
    if failed:
        raise LakeError(f"Not everything was scored. {' '.join(failed)}")


def _of_customers(
    write: "Callable[[Known, Settings], Written]", now: "Known", settings: "Settings"
) -> tuple[int, str]:
    found = write(now, settings)
    return found.rows, found.note


def _of_model(model: "Model", settings: "Settings") -> tuple[int, str]:
    return model.score(settings), ""
