"""What an analysis of an experiment found, and its documented form as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from experiments.bayes import Belief
from experiments.comparing import ALPHA, Figures, SampleRatio

UNSOUND = 0.001
"""Below this p-value, units per arm, or figures from before, don't differ by chance."""


@dataclass(frozen=True)
class Comparison:
    """One arm against the control, by one metric."""

    arm: str
    metric: str
    figures: Figures
    p_value_adjusted: float | None


@dataclass(frozen=True)
class BayesReading:
    """What to believe of one arm by one metric; None where its values allow no belief."""

    arm: str
    metric: str
    belief: Belief | None

    def as_json(self) -> dict[str, Any]:
        found = self.belief
        return {
            "arm": self.arm,
            "metric": self.metric,
            "probability_better": found.probability_better if found else None,
            "expected_loss": found.expected_loss if found else None,
        }


@dataclass(frozen=True)
class Guardrail:
    """A metric that must not get worse in an arm: its figures, and a p-value towards worse only."""

    arm: str
    metric: str
    bad: str
    figures: Figures
    p_value_worse: float | None

    @property
    def is_broken(self) -> bool:
        return self.p_value_worse is not None and self.p_value_worse < ALPHA


@dataclass(frozen=True)
class Bias:
    """How far an arm was from the control before the experiment."""

    arm: str
    difference: float
    p_value: float | None


@dataclass(frozen=True)
class Before:
    """What the covariate says: bias of each arm, variance it took out of each money metric."""

    covariate: str
    bias: tuple[Bias, ...]
    variance_reduction: dict[str, float | None]


@dataclass(frozen=True)
class Analysis:
    """All that is known of one experiment."""

    control: str
    units: dict[str, int]
    in_two_arms: int
    sample_ratio: SampleRatio
    comparisons: tuple[Comparison, ...]
    before: Before | None
    verdict: str
    guardrails: tuple[Guardrail, ...] = ()
    is_sound: bool = True
    """Whether the assignment allows a verdict at all."""
    bayes: tuple[BayesReading, ...] = ()
    """Where it was asked for, in the order of the comparisons."""

    @property
    def mismatch(self) -> bool:
        return self.sample_ratio.p_value < UNSOUND

    def as_json(self) -> dict[str, Any]:
        """The documented form; what does not apply is left out, what has no value is null."""
        found: dict[str, Any] = {
            "sample_ratio": {**asdict(self.sample_ratio), "mismatch": self.mismatch},
            "comparisons": [
                {"arm": each.arm, "metric": each.metric}
                | asdict(each.figures)
                | {"p_value_adjusted": each.p_value_adjusted}
                for each in self.comparisons
            ],
            "verdict": self.verdict,
        }
        if self.in_two_arms:
            found["units_in_two_arms"] = self.in_two_arms
        if self.guardrails:
            found["guardrails"] = [
                {**asdict(each), "is_broken": each.is_broken} for each in self.guardrails
            ]
        if self.before:
            found["before"] = asdict(self.before)
        if self.bayes:
            found["bayes"] = [each.as_json() for each in self.bayes]
        return found
