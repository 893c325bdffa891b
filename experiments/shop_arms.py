"""The arms that a visitor of the shop gets, of every experiment of its registry that runs on a day.

In: a visitor, a day. Out: arm by experiment. What the shop shows and what it tells follow from it.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType

from experiments.assignment import arm_of
from experiments.registry import OWN_REGISTRY, Experiment, read_registry


def arms_of(visitor_id: str, *, day: date) -> dict[str, str]:
    """Arm by name of each experiment on visitors whose days hold this one, in the file's order."""
    return {
        name: arm_of(visitor_id, salt=each.salt, weights=each.arms)
        for name, each in _experiments().items()
        if (each.first_day or date.min) <= day <= (each.last_day or date.max)
    }


@cache
def _experiments() -> Mapping[str, Experiment]:
    found = read_registry(OWN_REGISTRY)
    return MappingProxyType({name: each for name, each in found.items() if each.unit == "visitor"})
