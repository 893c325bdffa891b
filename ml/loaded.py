"""How MLflow makes a model of our files again, without pickle and without our command line.

In: the data folder of a logged model. Out: an object with `predict`, for example by
`mlflow.pyfunc.load_model("models:/daily_sales@champion")`.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from ml.artifacts import Artifact, format_of
from ml.catalogue import model

if TYPE_CHECKING:
    import pandas as pd


class Loaded:
    """A model that predicts rows of its signature."""

    def __init__(self, name: str, artifact: Artifact) -> None:
        self._predict = model(name).predict_function()
        self._artifact = artifact

    def predict(self, frame: "pd.DataFrame", params: Any = None) -> "pd.DataFrame":  # noqa: ARG002
        """Predictions for rows as the signature of the model describes them."""
        return self._predict(self._artifact, frame)


def _load_pyfunc(folder: str) -> Loaded:
    """The model of a folder. Raises: LakeError where its file was changed after its training."""
    facts = json.loads((Path(folder) / "model_facts.json").read_text(encoding="utf-8"))
    content = (Path(folder) / facts["file"]).read_bytes()
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise LakeError(f"{Path(folder) / facts['file']} was changed after its training.")
    return Loaded(facts["model"], Artifact(format_of(facts["file"]), content))
