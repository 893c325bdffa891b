"""The card of one experiment: verdict first, then the checks, the figures and the declaration.

In: an experiment and its result. Out: components; every text of the registry is a text.
"""

from decimal import Decimal
from typing import Any

from dash import html

from dashboards import components, formats
from dashboards.components import Column, Tone
from experiments.comparing import Figures
from experiments.registry import Experiment
from experiments.results import Analysis
from experiments.shop_units import Result
from experiments.units import parse_metric

_COLUMNS = (
    Column("Arm"),
    Column("Metric", is_wide=True),
    Column("Difference", is_number=True),
    Column("Lift", is_number=True),
    Column("95 % interval", is_number=True),
    Column("Adjusted p", is_number=True),
)


def experiment(name: str, declared: Experiment, found: Result | str) -> Any:
    """One experiment so far, or why there is nothing to show."""
    if isinstance(found, str):
        content: list[Any] = [html.P(found, className="muted"), _declared(declared, None)]
        return components.card(_title(name), content, note=declared.hypothesis)
    analysis = found.analysis
    return components.card(
        _title(name),
        [
            html.P(html.Strong(_worded(analysis))),
            components.table(_COLUMNS, _rows(analysis), label=f"Figures of {_title(name)}"),
            html.Ul([html.Li(each) for each in _checks(analysis)]),
            _declared(declared, found),
        ],
        aside=html.Span([components.badge(*_state(analysis))], className="badges"),
        note=f"{declared.hypothesis}. Figures hold at every look, so there is no need to wait.",
        id=f"experiment-{name}",
    )


def _worded(analysis: Analysis) -> str:
    """The verdict with its metrics in words, as the table has them."""
    text = analysis.verdict
    named = [each.metric for each in analysis.comparisons]
    for name in (*named, *(each.metric for each in analysis.guardrails)):
        text = text.replace(name, name.replace("_", " "))
    return text


def _state(analysis: Analysis) -> tuple[str, Tone]:
    if not analysis.is_sound:
        return "not to be trusted", "bad"
    if any(each.is_broken for each in analysis.guardrails):
        return "guardrail broken", "bad"
    clear = any(
        each.p_value_adjusted is not None and each.p_value_adjusted < 0.05
        for each in analysis.comparisons
    )
    return ("difference shown", "good") if clear else ("no difference shown", "plain")


def _rows(analysis: Analysis) -> list[tuple[str, ...]]:
    return [
        (
            each.arm,
            each.metric.replace("_", " "),
            _short(each.figures.difference),
            formats.NOTHING
            if each.figures.relative_lift is None
            else formats.percent(Decimal(str(round(each.figures.relative_lift, 6)))),
            _interval(each.figures),
            _short(each.p_value_adjusted),
        )
        for each in analysis.comparisons
    ]


def _checks(analysis: Analysis) -> list[str]:
    units = ", ".join(f"{arm} {formats.count(number)}" for arm, number in analysis.units.items())
    ratio = analysis.sample_ratio
    fits = "a mismatch" if analysis.mismatch else "as expected"
    first = f"Units: {units}. Sample ratio: chi² {ratio.chi2:.4g}, p {ratio.p_value:.4g}, {fits}."
    found = [first]
    for guard in analysis.guardrails:
        state = "broken" if guard.is_broken else "holds"
        found.append(
            f"Guardrail {guard.metric.replace('_', ' ')} of {guard.arm}, must not {guard.bad}: "
            f"{state}, difference {_short(guard.figures.difference)}."
        )
    if analysis.before is not None:
        name = analysis.before.covariate.replace("_", " ")
        found += [
            f"Before the experiment, {name} of {each.arm} differed by "
            f"{_short(each.difference)}, p {_short(each.p_value)}."
            for each in analysis.before.bias
        ]
        found += [
            f"CUPED takes {gone:.1%} of the variance of {metric.replace('_', ' ')}."
            for metric, gone in analysis.before.variance_reduction.items()
            if gone is not None
        ]
    return found


def _declared(declared: Experiment, found: Result | None) -> Any:
    total = sum(declared.arms.values())
    arms = ", ".join(f"{arm} {weight / total:.0%}" for arm, weight in declared.arms.items())
    days = (
        f" Days: {formats.period(found.first_day, found.last_day)}, {found.days} so far."
        if found
        else ""
    )
    first = parse_metric(declared.metrics[0]).column.replace("_", " ")
    return html.P(
        f"Owner {declared.owner}. Unit {declared.unit}; arms {arms}, control {declared.control}. "
        f"Smallest effect of interest: {declared.minimum_effect:g} of {first}.{days}",
        className="muted",
    )


def _interval(figures: Figures) -> str:
    if figures.ci_low is None or figures.ci_high is None:
        return formats.NOTHING
    return f"{_short(figures.ci_low)} to {_short(figures.ci_high)}"


def _short(figure: float | None) -> str:
    if figure is None:
        return formats.NOTHING
    return formats.signed(f"{abs(figure):.4g}", negative=figure < 0)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
