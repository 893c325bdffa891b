"""The experiments a shop runs, as data: a TOML file with one table per experiment.

In: the file. Out: checked experiments by name. What each field means: docs/experiments.md.
"""

import math
import re
from datetime import date
from pathlib import Path

import msgspec

from lakehouse.errors import LakeError

OWN_REGISTRY = Path(__file__).with_name("shop.toml")
"""The experiments of this shop."""
WORD = re.compile(r"[a-z0-9_]+")


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One experiment as declared; `minimum_effect` is of the first metric, in its own unit.

    Its days are those of its exposures, all by default; `covariate` is a figure from before.
    """

    hypothesis: str
    owner: str
    unit: str
    salt: str
    control: str
    arms: dict[str, float]
    metrics: list[str]
    guardrails: list[str] = []
    minimum_effect: float
    first_day: date | None = None
    last_day: date | None = None
    covariate: str | None = None


def read_registry(path: Path) -> dict[str, Experiment]:
    """Read and check all experiments of a file.

    Raises:
        LakeError: The file can't be read, or an experiment is not whole.
    """
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=dict[str, Experiment])
    except OSError as error:
        raise LakeError(f"Registry {path} can't be read: {error.strerror}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LakeError(f"Registry {path} does not fit: {error}.") from error
    for name, each in found.items():
        if fault := _fault(each):
            raise LakeError(f"Experiment {name} of {path} does not fit: {fault}.")
    return found


def one(path: Path, name: str) -> Experiment:
    """The experiment of a name.

    Raises:
        LakeError: The file does not fit, or does not hold it.
    """
    found = read_registry(path)
    if name not in found:
        raise LakeError(f"{path} has no experiment {name}. It has {', '.join(found) or 'none'}.")
    return found[name]


def guardrail_of(text: str) -> tuple[str, str]:
    """Metric and bad direction of a guardrail: `COL[:KIND][:rise|:fall]`, rise by default."""
    metric, _, way = text.rpartition(":")
    return (metric, way) if metric and way in ("rise", "fall") else (text, "rise")


def _fault(each: Experiment) -> str:
    """What is wrong with an experiment; empty when nothing is."""
    texts = (each.hypothesis, each.owner, each.unit)
    unfit = [weight for weight in each.arms.values() if not (math.isfinite(weight) and weight > 0)]
    effect = each.minimum_effect
    faults = {
        "hypothesis, owner and unit must not be empty": not all(map(str.strip, texts)),
        "its salt must be of a-z, 0-9 and _": not WORD.fullmatch(each.salt),
        "it needs at least two arms": len(each.arms) < 2,
        f"its control {each.control} is none of its arms": each.control not in each.arms,
        "each arm's weight must be above 0": bool(unfit),
        "it needs a metric": not each.metrics,
        "its last_day is before its first_day": each.first_day is not None
        and each.last_day is not None
        and each.last_day < each.first_day,
        "its minimum_effect must be a figure other than 0": not math.isfinite(effect) or not effect,
    }
    return next((text for text, is_wrong in faults.items() if is_wrong), "")
