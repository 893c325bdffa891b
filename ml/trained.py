"""What a training gives, and by what it is compared: values that the registry and retraining share.

In: nothing. Out: frozen records; which models there are is in `ml.catalogue`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from ml.artifacts import Artifact

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Unfit(LakeError):
    """A training that gives no model worth comparing: too little data, one class, no number."""


@dataclass(frozen=True)
class DataVersion:
    """What a model learned from: the run of gold, and the Delta versions that gold was built on."""

    gold_run: str
    table_versions: Mapping[str, int]


@dataclass(frozen=True)
class Trained:
    """A fitted model with what is worth knowing of it.

    `folds` are figures by fold of a back-test; their mean and standard deviation are recorded.
    `inputs` and `outputs` are example rows, from which the signature is read. `known_until` is the
    last day of the data at the training, that of the hold-out included.
    """

    artifact: Artifact
    parameters: Mapping[str, str | float | int]
    metrics: Mapping[str, float]
    folds: Mapping[str, tuple[float, ...]]
    inputs: "pd.DataFrame"
    outputs: "pd.DataFrame"
    known_until: date
    card: str


@dataclass(frozen=True)
class Losses:
    """What each unit of a hold-out costs a model, the smaller the better.

    `units` names customers or days, in order. `block` neighbours are drawn together in a bootstrap:
    1 for customers, a week for days. `name` says what is lost.
    """

    name: str
    values: "np.ndarray[Any, Any]"
    units: tuple[str, ...]
    block: int = 1
    facts: Mapping[str, float] = field(default_factory=dict)
