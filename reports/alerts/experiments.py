"""What alerts read of the shop's experiments: troubles of each, none where all is well.

In: the registry, gold. Out: a reading by experiment: broken guardrails, and 1 for an assignment
that is not sound. An experiment that nobody was shown has no value.
"""

from typing import TYPE_CHECKING

from experiments.registry import OWN_REGISTRY, read_registry
from experiments.shop_units import analyse_experiment
from lakehouse.errors import LakeError
from reports.alerts.judging import Reading

if TYPE_CHECKING:
    import duckdb


def read_experiments(gold: "duckdb.DuckDBPyConnection") -> dict[str, Reading]:
    """A reading for each registered experiment. Raises: LakeError where the registry is damaged."""
    found = {}
    for name, declared in read_registry(OWN_REGISTRY).items():
        try:
            analysis = analyse_experiment(gold, name, declared).analysis
        except LakeError as error:
            found[name] = Reading(None, "troubles", str(error))
            continue
        troubles = [
            f"{each.metric} of {each.arm}" for each in analysis.guardrails if each.is_broken
        ]
        troubles += [] if analysis.is_sound else ["the assignment"]
        found[name] = Reading(float(len(troubles)), "troubles", ", ".join(troubles))
    return found
