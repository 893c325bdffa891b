"""The shop's experiments beside the oracle: units, sample ratio, and the tests of each metric.

In: a gold file, and the messages and the oracle's lines it was made of. Out: a verdict. Run
standalone: `.venv/bin/python -m tests.oracle_run`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from experiments.registry import OWN_REGISTRY, read_registry
from experiments.shop_units import analyse_experiment
from lakehouse.contracts.topics import WEB_EVENTS
from lakehouse.duck import open_gold
from storefront.messages import Message
from tests import oracle
from tests.oracle.experiments import Measured
from tests.oracle.sales import Key, Values
from tests.oracle_gold import Verdict, verdict

EXPERIMENTS = "experiments of the shop"
METRICS = ["has_order:binary", "gross_amount:money", "order_count/session_count:ratio"]


def compare_experiments(
    gold_file: Path, messages: Sequence[Message], lines: Sequence[oracle.Line]
) -> Iterator[Verdict]:
    """The fixed figures of each experiment of the registry; none where nobody visited."""
    events = [each.value for each in messages if each.topic == WEB_EVENTS.name]
    if not events:
        return
    found: dict[Key, Values] = {}
    with open_gold(gold_file) as gold:
        for name, declared in read_registry(OWN_REGISTRY).items():
            plain = replace(declared, metrics=METRICS, guardrails=[], covariate=None)
            analysis = analyse_experiment(gold, name, plain, sequential=False).analysis
            ratio = analysis.sample_ratio
            found[name, "units"] = (analysis.units["A"], analysis.units["B"])
            found[name, "sample ratio"] = (Measured(ratio.chi2), Measured(ratio.p_value))
            for each in analysis.comparisons:
                values = (each.figures.difference, each.figures.statistic, each.figures.df)
                found[name, each.metric] = tuple(
                    each if each is None else Measured(each) for each in values
                )
    yield verdict(EXPERIMENTS, found, oracle.experiments(events, lines))
