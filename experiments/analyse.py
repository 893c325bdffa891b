"""The analysis of an experiment: is the assignment sound, what differs, and what may be concluded.

In: the units of a file. Out: an `Analysis`, whose verdict is a sentence. An assignment that is
not sound refuses a verdict; the figures stay, for the search of the fault.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.bayes import believe
from experiments.comparing import (
    Figures,
    SampleRatio,
    always_valid,
    compare_means,
    compare_ratios,
    compare_shares,
    holm,
    mean_error,
    ratio_error,
    sample_ratio,
    wald_error,
    without_covariate,
)
from experiments.results import (
    UNSOUND,
    Analysis,
    BayesReading,
    Before,
    Bias,
    Comparison,
    Guardrail,
)
from experiments.units import Metric, Units, read_units
from experiments.verdict import broken_of, conclusion, notes_of, refusal
from lakehouse.errors import LakeError
from lakehouse.shop_format import counted

MOST_IN_TWO_ARMS = 0.01


def analyse(
    path: Path,
    *,
    unit: str,
    arm: str,
    control: str,
    metrics: Sequence[Metric],
    covariate: str | None = None,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    sequential: bool = False,
    bayes: bool = False,
) -> Analysis:
    """Compare each arm of a file with the control.

    Args:
        weights: Expected shares of the arms, of any sum, by name or in order: the control's, then
            those of the other arms by name. Equal ones otherwise.
        covariate: A figure of each unit from before the experiment, for CUPED.
        sequential: Intervals and p-values that hold at every look, not only at a planned end.
        bayes: Also say what to believe, a reading beside the tests.

    Raises:
        LakeError: The file, a column, a value or a weight does not fit.
    """
    if covariate in [each.column for each in metrics]:
        raise LakeError(
            f"{covariate} can't be metric and covariate: a covariate is from before the experiment."
        )
    units = read_units(path, unit=unit, arm=arm, metrics=metrics, covariate=covariate)
    return conclude(
        units,
        source=str(path),
        control=control,
        covariate=covariate,
        weights=weights,
        sequential=sequential,
        bayes=bayes,
    )


def conclude(
    units: Units,
    *,
    source: str,
    control: str,
    covariate: str | None = None,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    sequential: bool = False,
    guardrails: Mapping[str, str] | None = None,
    bayes: bool = False,
) -> Analysis:
    """The analysis of units, wherever they come from; `source` names them in messages.

    Args:
        guardrails: Metrics that must not get worse, with the bad direction, `rise` or `fall`. They
            are tested towards it only and don't count among the comparisons.

    Raises:
        LakeError: An arm or a weight does not fit.
    """
    guarded = dict(guardrails or {})
    counts, shares = _counts(units, control, weights, source)
    ratio = sample_ratio(list(counts.values()), shares)
    others = [name for name in units.arms if name != control]
    before, adjusted = _before(units, control, covariate)
    tested = [n for n, name in enumerate(units.metrics) if name not in guarded]
    pairs = [(name, n) for name in others for n in tested]
    figures = [
        _compare(units, adjusted, arm=name, control=control, metric=n, sequential=sequential)
        for name, n in pairs
    ]
    p_values = holm([each.p_value for each in figures])
    comparisons = tuple(
        Comparison(name, units.metrics[n], found, p)
        for (name, n), found, p in zip(pairs, figures, p_values, strict=True)
    )
    reasons = _unsound(ratio, counts, units.in_two_arms, before)
    verdict = refusal(reasons) if reasons else conclusion(comparisons, control)
    watched = tuple(
        _guard(name, units.metrics[n], found, guarded[units.metrics[n]])
        for name in others
        for n in range(len(units.metrics))
        if n not in tested
        for found in [
            _compare(units, adjusted, arm=name, control=control, metric=n, sequential=sequential)
        ]
    )
    broken = [each for each in watched if each.is_broken]
    notes = [*([] if reasons or not broken else [broken_of(broken)]), *notes_of(units)]
    return Analysis(
        control,
        counts,
        units.in_two_arms,
        ratio,
        comparisons,
        before,
        " ".join([verdict, *notes]),
        watched,
        is_sound=not reasons,
        bayes=tuple(
            BayesReading(
                name,
                units.metrics[n],
                believe(*_both(units, adjusted, name, control, n), units.kinds[n]),
            )
            for name, n in (pairs if bayes else [])
        ),
    )


def _counts(
    units: Units, control: str, weights: Mapping[str, float] | Sequence[float] | None, path: str
) -> tuple[dict[str, int], list[float]]:
    """Units of each expected arm, and the share it should have, the control first."""
    found = units.arms
    if control not in found:
        raise LakeError(f"{path} has no units of control {control}. Its arms: {', '.join(found)}.")
    if len(found) < 2:
        raise LakeError(f"{path} has units of arm {control} only: there is nothing to compare.")
    names = [control, *sorted(name for name in found if name != control)]
    if weights is None:
        return {name: found[name].units for name in names}, [1.0] * len(names)
    if not isinstance(weights, Mapping):
        if len(weights) != len(names):
            raise LakeError(
                f"--weights holds {len(weights)} numbers, but {path} has {len(names)} arms: "
                f"{', '.join(names)}. Give each its weight, in this order or as NAME=WEIGHT."
            )
        weights = dict(zip(names, weights, strict=True))
    if undeclared := [name for name in names if name not in weights]:
        raise LakeError(
            f"{path} has units of arm {undeclared[0]}, which --weights does not name. Give each "
            "arm its weight."
        )
    names += [name for name in weights if name not in found]
    counts = {name: found[name].units if name in found else 0 for name in names}
    return counts, [weights[name] for name in names]


def _before(
    units: Units, control: str, covariate: str | None
) -> tuple[Before | None, dict[int, dict[str, Any]]]:
    """The check of the covariate, and each money metric's values without what it explains."""
    if covariate is None:
        return None, {}
    figures = {name: each.covariate for name, each in units.arms.items()}
    bias = tuple(
        Bias(name, found.difference, found.p_value)
        for name in figures
        if name != control
        for found in [compare_means(figures[name], figures[control])]  # type: ignore[arg-type]
    )
    adjusted: dict[int, dict[str, Any]] = {}
    reduction: dict[str, float | None] = {}
    for n, kind in enumerate(units.kinds):
        if kind == "money":
            values = [each.values[n] for each in units.arms.values()]
            own, gone = without_covariate(values, list(figures.values()))  # type: ignore[arg-type]
            adjusted[n] = dict(zip(units.arms, own, strict=True))
            reduction[units.metrics[n]] = gone
    return Before(covariate, bias, reduction), adjusted


def _both(
    units: Units, adjusted: Mapping[int, Mapping[str, Any]], arm: str, control: str, metric: int
) -> tuple[Any, Any]:
    """A metric's values in both arms, without what a covariate explains."""
    values, base = (
        adjusted[metric][name] if metric in adjusted else units.arms[name].values[metric]
        for name in (arm, control)
    )
    return values, base


def _compare(
    units: Units,
    adjusted: Mapping[int, Mapping[str, Any]],
    *,
    arm: str,
    control: str,
    metric: int,
    sequential: bool,
) -> Figures:
    values, base = _both(units, adjusted, arm, control, metric)
    kind = units.kinds[metric]
    compare = {"binary": compare_shares, "money": compare_means, "ratio": compare_ratios}[kind]
    found = compare(values, base)
    if not sequential or found.p_value is None:
        return found
    if kind == "binary":
        error = wald_error(values.mean(), len(values), base.mean(), len(base))
    else:
        error = (mean_error if kind == "money" else ratio_error)(values, base)
    return always_valid(found, error=error, units=len(values), control_units=len(base))


def _guard(arm: str, metric: str, found: Figures, bad: str) -> Guardrail:
    """Half of the two-sided p-value where the difference is in the bad direction, else the rest."""
    worse = None
    if found.p_value is not None:
        is_bad = found.difference > 0 if bad == "rise" else found.difference < 0
        worse = found.p_value / 2 if is_bad else 1 - found.p_value / 2
    return Guardrail(arm, metric, bad, found, worse)


def _unsound(
    ratio: SampleRatio, counts: Mapping[str, int], in_two_arms: int, before: Before | None
) -> list[str]:
    reasons = []
    if ratio.p_value < UNSOUND:
        units = ", ".join(f"{name} {counted(number)}" for name, number in counts.items())
        reasons.append(
            f"the units per arm ({units}) don't fit the expected shares "
            f"(chi² {ratio.chi2:.1f}, p {ratio.p_value:.2g})"
        )
    if in_two_arms > MOST_IN_TWO_ARMS * (in_two_arms + sum(counts.values())):
        reasons.append(f"{counted(in_two_arms)} units are in more than one arm")
    if before:
        reasons += [
            f"arm {each.arm} differed by {before.covariate} before the experiment "
            f"(p {each.p_value:.2g})"
            for each in before.bias
            if each.p_value is not None and each.p_value < UNSOUND
        ]
    return reasons
