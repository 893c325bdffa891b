"""The shop's experiments as the screens show them: each analysed on the gold in service.

In: the registry, gold. Out: a result or the reason why there is none, by experiment.
"""

from typing import TYPE_CHECKING

from experiments.registry import OWN_REGISTRY, Experiment, read_registry
from experiments.shop_units import Result, analyse_experiment
from lakehouse.errors import LakeError

if TYPE_CHECKING:
    import duckdb


def read_experiments(
    gold: "duckdb.DuckDBPyConnection",
) -> list[tuple[str, Experiment, Result | str]]:
    """Every registered experiment with its result so far, or with why it has none.

    Raises:
        LakeError: The registry does not fit.
    """
    found: list[tuple[str, Experiment, Result | str]] = []
    for name, declared in read_registry(OWN_REGISTRY).items():
        try:
            found.append((name, declared, analyse_experiment(gold, name, declared)))
        except LakeError as error:
            found.append((name, declared, str(error)))
    return found
