"""The record of models: who or what made which version serve, or refused it, when and why.

In: decisions. Out: lines of the ledger's chain `models`, written before the decision is carried
out, so that none is made that isn't on the record. Run standalone: `lake models show NAME`.
"""

import getpass
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lakehouse.ledger import chain
from lakehouse.settings import UNKNOWN_USER, Settings

CHAIN = "models"
Kind = Literal["promoted", "refused", "forced", "rolled_back"]
SERVES: tuple[Kind, ...] = ("promoted", "forced", "rolled_back")
"""Decisions that name the version that serves from then on."""


@dataclass(frozen=True)
class Decision:
    """A decision on a model. `version` is None where the training gave none.

    `metrics` are the figures of a version that this decision's training made.
    """

    kind: Kind
    model: str
    version: int | None
    before: int | None
    who: str
    why: str
    at: str = ""
    metrics: Mapping[str, float] | None = None


def write(decision: Decision, *, settings: Settings, facts: dict[str, Any] | None = None) -> None:
    """Put a decision on the record; `facts` are the figures that it rests on."""
    body = {
        key: value for key, value in vars(decision).items() if key != "at" and value is not None
    }
    chain.write(CHAIN, {**body, **(facts or {})}, settings=settings)


def of_model(model: str, *, settings: Settings) -> list[Decision]:
    """Decisions on a model, the oldest first."""
    return [each for each in everything(settings) if each.model == model]


def everything(settings: Settings) -> Iterator[Decision]:
    """All decisions, the oldest first."""
    for line in chain.lines(CHAIN, settings=settings):
        facts: dict[str, Any] = {name: line.get(name) for name in Decision.__dataclass_fields__}
        yield Decision(**facts)


def last_serving(model: str, *, settings: Settings) -> int | None:
    """The version that the newest decision made serve."""
    found = [each.version for each in of_model(model, settings=settings) if each.kind in SERVES]
    return found[-1] if found else None


def before_serving(model: str, *, settings: Settings) -> int | None:
    """The version that served before the present one, by the newest decision that changed it."""
    found = [each for each in of_model(model, settings=settings) if each.kind in SERVES]
    return found[-1].before if found else None


def user() -> str:
    """Who gives the command, by the machine's list of users."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return UNKNOWN_USER
