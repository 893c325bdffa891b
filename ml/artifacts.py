"""Models as bytes without pickle: JSON for parameters, skops for scikit-learn's estimators.

In: plain values or an estimator. Out: an `Artifact` with its SHA-256; and back again. A pickle runs
whatever code its file names, so none is written or read. What skops does not know as safe (such as
HistGradientBoosting or LightGBM) can't be stored: choose a logistic regression, a
GradientBoostingClassifier, or numbers as JSON.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from lakehouse.errors import LakeError

Format = Literal["json", "skops"]

TRUSTED = ("sklearn.tree._tree.Tree",)
"""Types beyond skops' own list that we load, for the file's hash says that we wrote it.

A tree holds places in its own table, and a file made with intent could point outside of it.
"""


@dataclass(frozen=True)
class Artifact:
    """A model as it is stored."""

    format: Format
    content: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the content in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def file_name(self) -> str:
        """Name of its file."""
        return f"model.{self.format}"


def format_of(file_name: str) -> Format:
    """The format of a file by its name."""
    return "skops" if file_name.endswith(".skops") else "json"


def of_values(values: Any) -> Artifact:
    """Numbers and texts as canonical JSON. Raises: LakeError where one is not finite."""
    try:
        text = json.dumps(values, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)
    except ValueError:
        raise LakeError(
            "The model holds a number that is not finite, so it is not stored: the fit failed."
        ) from None
    return Artifact("json", text.encode())


def of_estimator(estimator: Any) -> Artifact:
    """A fitted scikit-learn estimator.

    Raises:
        LakeError: It has a part that can't be stored without pickle.
    """
    from skops import io

    content = io.dumps(estimator)
    if unknown := sorted(set(io.get_untrusted_types(data=content)) - set(TRUSTED)):
        raise LakeError(
            f"{type(estimator).__name__} can't be stored without pickle, for skops does not know "
            f"{', '.join(unknown)} as safe. Choose a logistic regression or a "
            "GradientBoostingClassifier, or store its numbers as JSON."
        )
    return Artifact("skops", content)


def values_of(artifact: Artifact) -> Any:
    """What `of_values` was given."""
    return json.loads(artifact.content)


def estimator_of(artifact: Artifact) -> Any:
    """What `of_estimator` was given.

    Raises:
        LakeError: The file holds another type than we store.
    """
    from skops import io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return io.loads(artifact.content, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        text = str(error).partition("\n")[0]
        raise LakeError(f"The model file is not loaded: {text}") from error
