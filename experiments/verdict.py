"""What may be concluded of an experiment, in sentences.

In: comparisons, guardrails, units, reasons against a verdict. Out: text.
"""

from collections.abc import Sequence

from experiments.comparing import ALPHA
from experiments.results import Comparison, Guardrail
from experiments.units import Arm, Units
from lakehouse.shop_format import counted

HEAVY = 0.5
"""A share of a metric's total that no single unit should hold."""


def refusal(reasons: Sequence[str]) -> str:
    """Why nothing may be concluded."""
    return (
        f"No verdict: {'; '.join(reasons)}. Find the fault in assignment or logging first: the "
        "figures can't be trusted."
    )


def conclusion(comparisons: Sequence[Comparison], control: str) -> str:
    """What is shown, what is not, and what can't be tested."""
    tested = [each for each in comparisons if each.p_value_adjusted is not None]
    parts = [_said(each) for each in tested if _is_clear(each)]
    if unclear := [each for each in tested if not _is_clear(each)]:
        parts.append(f"no difference is shown for {_names(unclear)}")
    if untested := [each for each in comparisons if each not in tested]:
        parts.append(f"no test is possible for {_names(untested)}, which vary too little")
    return f"Against {control}: {'; '.join(parts)}."


def _is_clear(each: Comparison) -> bool:
    return each.p_value_adjusted is not None and each.p_value_adjusted < ALPHA


def _said(each: Comparison) -> str:
    found = each.figures
    verb = "raises" if found.difference > 0 else "lowers"
    lift = "" if found.relative_lift is None else f"{found.relative_lift:+.1%}, "
    return (
        f"{each.arm} {verb} {each.metric} by {abs(found.difference):.4g} ({lift}95 % interval "
        f"{found.ci_low:.4g} to {found.ci_high:.4g}, adjusted p {each.p_value_adjusted:.2g})"
    )


def notes_of(units: Units) -> list[str]:
    """What a reader should know beside the verdict, each a sentence."""
    notes = []
    if units.in_two_arms:
        notes.append(f"{counted(units.in_two_arms)} units in more than one arm are left out.")
    for n, name in enumerate(units.metrics):
        arms = units.arms.values()
        if units.kinds[n] == "money":
            total = sum(float(abs(each.values[n]).sum()) for each in arms)
            largest = max(float(abs(each.values[n]).max()) for each in arms)
            if total and largest >= HEAVY * total:
                notes.append(
                    f"One unit holds {largest / total:.0%} of {name}: look at it before you decide."
                )
        elif units.kinds[n] == "binary" and min(_rarest(each, n) for each in arms) < 5:
            notes.append(
                f"An arm has fewer than five cases of {name}: its test is only a rough one."
            )
    return notes


def _rarest(arm: Arm, metric: int) -> int:
    ones = int(arm.values[metric].sum())
    return min(ones, arm.units - ones)


def _names(comparisons: Sequence[Comparison]) -> str:
    return ", ".join(f"{each.metric} of {each.arm}" for each in comparisons)


def broken_of(guardrails: Sequence[Guardrail]) -> str:
    """The warning of guardrails that are broken."""
    said = ", ".join(f"{each.metric} of {each.arm}" for each in guardrails)
    return f"GUARDRAIL BROKEN: {said} got worse; don't roll it out before that is understood."
