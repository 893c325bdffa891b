"""`lake experiment`: plan an experiment, and read what came of it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.registry import OWN_REGISTRY
from lakehouse.errors import LakeError
from lakehouse.shop_format import counted
from operations.cli import app

if TYPE_CHECKING:
    from experiments.results import Analysis, BayesReading

experiment = typer.Typer(help="Plan experiments, and read what came of them.", no_args_is_help=True)
app.add_typer(experiment, name="experiment")
Registry = Annotated[Path, typer.Option("--registry", help="TOML file of the experiments.")]


@experiment.command("analyse")
def analyse(  # noqa: PLR0917 - one parameter per option
    name: Annotated[
        str | None, typer.Argument(help="An experiment of the registry, from gold; or a --file.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="csv, csv.gz or Parquet.")] = None,
    unit: Annotated[
        str, typer.Option("--unit", help="Column of the unit, such as the visitor.")
    ] = "",
    arm: Annotated[str, typer.Option("--arm", help="Column of the arm the unit was given.")] = "",
    control: Annotated[
        str, typer.Option("--control", help="Name of the arm to compare with.")
    ] = "",
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric", help="COL, COL:binary, COL:money or COL/COL:ratio; may be repeated."
        ),
    ] = None,
    covariate: Annotated[
        str | None,
        typer.Option("--covariate", help="Column of a figure from before, for CUPED."),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weights", help="Expected shares: A=1,B=1, or 1,1 (the control first); else equal."
        ),
    ] = None,
    sequential: Annotated[
        bool,
        typer.Option("--sequential", help="Intervals and p-values that hold at every look."),
    ] = False,
    fixed: Annotated[
        bool, typer.Option("--fixed", help="Of a NAME: those of a planned end, looked at once.")
    ] = False,
    bayes: Annotated[
        bool,
        typer.Option("--bayes", help="Also the chance that the arm is better, and its risk."),
    ] = False,
    registry: Registry = OWN_REGISTRY,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare each arm with the control: difference, lift, interval, p-value, and a verdict.

    A verdict is refused when the units per arm don't fit the expected shares. Example:
    lake experiment analyse --file F --unit visitor --arm arm --control A --metric revenue
    """
    if (name is None) == (file is None):
        raise LakeError("Give the name of an experiment, or a --file: one of the two.")
    if file is None:
        _analyse_registered(str(name), registry, sequential=not fixed, bayes=bayes, as_json=as_json)
        return
    if not (unit and arm and control and metrics):
        raise LakeError("A file needs --unit, --arm, --control and --metric.")
    from experiments.analyse import analyse as analysed
    from experiments.units import parse_metric

    found = analysed(
        file,
        unit=unit,
        arm=arm,
        control=control,
        metrics=[parse_metric(each) for each in metrics],
        covariate=covariate,
        weights=_weights(weights) if weights else None,
        sequential=sequential,
        bayes=bayes,
    )
    if as_json:
        print(json.dumps(found.as_json(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        _show(found)


def _analyse_registered(
    name: str, registry: Path, *, sequential: bool, bayes: bool, as_json: bool
) -> None:
    """A registered experiment, from the gold in service."""
    from experiments.registry import one
    from experiments.shop_units import analyse_experiment
    from lakehouse.duck import open_gold
    from lakehouse.settings import Settings

    declared = one(registry, name)
    with open_gold(Settings()) as gold:
        found = analyse_experiment(gold, name, declared, sequential=sequential, bayes=bayes)
    if as_json:
        days = {"first_day": found.first_day.isoformat(), "last_day": found.last_day.isoformat()}
        body = {"experiment": name, **days, **found.analysis.as_json()}
        print(json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False))
        return
    print(f"{name}, {found.first_day} to {found.last_day}: {declared.hypothesis}.")
    _show(found.analysis)


@experiment.command("models")
def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """The forecast's challenger against its champion, on days that neither was trained on.

    Each live day counts for one of the two, dealt by a hash. Example: lake experiment models
    """
    from datetime import date

    from experiments.model_days import analyse_models
    from lakehouse.settings import Settings
    from ml.forecast import NAME
    from ml.serving import in_use

    settings = Settings()
    pair = in_use(NAME, settings=settings)
    if "challenger" not in pair:
        raise LakeError(f"{NAME} has no challenger: `lake retrain {NAME}` trains one.")
    found = analyse_models(
        settings,
        champion=pair["champion"].label,
        challenger=pair["challenger"].label,
        known_until=max(date.fromisoformat(each.known_until) for each in pair.values()),
    )
    if as_json:
        print(json.dumps(found.as_json(), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        _show(found)


@experiment.command("plan")
def plan(  # noqa: PLR0917 - one parameter per option
    effect: Annotated[
        float, typer.Option("--effect", help="Smallest change worth finding, in the metric's unit.")
    ],
    baseline: Annotated[
        float | None, typer.Option("--baseline", help="Binary: the share now, such as 0.04.")
    ] = None,
    sd: Annotated[
        float | None, typer.Option("--sd", help="Money: the standard deviation per unit now.")
    ] = None,
    arms: Annotated[int, typer.Option("--arms", help="Number of arms with the control.")] = 2,
    alpha: Annotated[float, typer.Option("--alpha", help="Risk of a false alarm.")] = 0.05,
    power: Annotated[float, typer.Option("--power", help="Chance to find the effect.")] = 0.8,
    units_a_day: Annotated[
        float | None, typer.Option("--units-a-day", help="New units a day, all arms together.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Units and days that an experiment takes, for a share (--baseline) or for money (--sd).

    Example: lake experiment plan --baseline 0.04 --effect 0.005 --units-a-day 1200
    """
    from experiments.plan import plan_mean, plan_share, whole_plan

    if baseline is not None and sd is None:
        found = plan_share(baseline, effect, arms=arms, alpha=alpha, power=power)
    elif sd is not None and baseline is None:
        found = plan_mean(sd, effect, arms=arms, alpha=alpha, power=power)
    else:
        raise LakeError("Give --baseline for a share, or --sd for money: one of the two.")
    whole = whole_plan(found, arms=arms, units_a_day=units_a_day)
    if as_json:
        print(json.dumps(asdict(whole), indent=1))
        return
    days = (
        "" if whole.days is None else f", {counted(whole.days)} days at {units_a_day:g} units a day"
    )
    print(
        f"{counted(whole.units_per_arm)} units per arm, {counted(whole.units)} in all{days}. "
        f"They find a change of {effect:g} with a chance of {whole.power:.1%}, at a false alarm "
        f"in {alpha:.1%}."
    )


@experiment.command("campaign")
def campaign(  # noqa: PLR0917 - one parameter per option
    file: Annotated[Path, typer.Option("--file", help="csv, csv.gz or Parquet.")],
    unit: Annotated[str, typer.Option("--unit", help="Column of the unit.")],
    group: Annotated[str, typer.Option("--group", help="Column of the unit's group.")],
    treated: Annotated[str, typer.Option("--treated", help="The group that had the campaign.")],
    period: Annotated[str, typer.Option("--period", help="Column of a date or a number.")],
    start: Annotated[str, typer.Option("--from", help="The campaign's first period.")],
    metric: Annotated[str, typer.Option("--metric", help="Column of the figure.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What a campaign did that could not be randomised, by difference in differences.

    Example: lake experiment campaign --file F --unit customer --group country
    --treated France --period day --from 2011-11-01 --metric revenue
    """
    from experiments.campaigns import ASSUMPTIONS, analyse_campaign

    found = analyse_campaign(
        file,
        unit=unit,
        group=group,
        treated=treated,
        period=period,
        start=start,
        metric=metric,
    )
    if as_json:
        print(json.dumps(found.as_json(), indent=1, ensure_ascii=False, allow_nan=False))
        return
    units = ", ".join(f"{name} {counted(number)}" for name, number in found.units.items())
    figures = found.figures
    print(f"Units: {units}. Periods: {found.periods_before} before, {found.periods_after} after.")
    print(
        f"Difference {_short(figures.difference)}, 95 % interval {_short(figures.ci_low)} to "
        f"{_short(figures.ci_high)}, by bootstrap {_short(found.bootstrap_low)} to "
        f"{_short(found.bootstrap_high)}, p {_short(figures.p_value)}."
    )
    print(
        f"Trends before: difference {_short(found.trend_difference)}, p "
        f"{_short(found.trend_p_value)}."
    )
    print(found.verdict)
    print("It assumes that " + "; ".join(ASSUMPTIONS) + ".")


@experiment.command("list")
def list_all(registry: Registry = OWN_REGISTRY) -> None:
    """The experiments of a registry: name, unit, arms, first metric, owner."""
    from rich.console import Console
    from rich.table import Table

    from experiments.registry import read_registry

    found = read_registry(registry)
    if not found:
        print(f"{registry} declares no experiment.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("experiment", "unit", "arms", "metric", "owner"):
        table.add_column(column, overflow="fold")
    for name, each in found.items():
        table.add_row(name, each.unit, ", ".join(each.arms), each.metrics[0], each.owner)
    Console(markup=False).print(table)


@experiment.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of the experiment.")],
    registry: Registry = OWN_REGISTRY,
    unit_id: Annotated[
        str | None, typer.Option("--unit-id", help="Also say which arm this unit gets.")
    ] = None,
) -> None:
    """One experiment as declared, and which arm a unit gets."""
    from experiments.assignment import arm_of
    from experiments.registry import one

    found = one(registry, name)
    total = sum(found.arms.values())
    arms = ", ".join(f"{arm} {weight / total:.1%}" for arm, weight in found.arms.items())
    lines = {
        "hypothesis": found.hypothesis,
        "owner": found.owner,
        "unit": found.unit,
        "arms": f"{arms}; control {found.control}; salt {found.salt}",
        "metrics": ", ".join(found.metrics),
        "guardrails": ", ".join(found.guardrails) or "none",
        "minimum effect": f"{found.minimum_effect:g} of {found.metrics[0]}",
    }
    for title, text in lines.items():
        print(f"{title:<15} {text}")
    if unit_id is not None:
        print(f"{unit_id} gets arm {arm_of(unit_id, salt=found.salt, weights=found.arms)}.")


def _weights(texts: list[str]) -> dict[str, float] | list[float]:
    """Read `A=1,B=1`, or `1,1`: the control's weight, then those of the other arms by name.

    Raises:
        LakeError: A part has another form, repeats an arm, or its weight is not above 0.
    """
    from math import isfinite

    pairs = [part.strip().rpartition("=") for part in ",".join(texts).split(",")]
    found: list[tuple[str, float]] = []
    for name, sign, text in pairs:
        try:
            weight = float(text)
        except ValueError:
            weight = -1.0
        is_known = name in [each for each, _ in found] if name else bool(sign)
        if is_known or not (isfinite(weight) and weight > 0):
            raise LakeError(
                f"--weights holds {name + sign + text!r}: write each arm once with a weight above "
                "0, such as A=1,B=1."
            )
        found.append((name, weight))
    if len({bool(name) for name, _ in found}) > 1:
        raise LakeError("--weights names some arms only: write A=1,B=1, or 1,1 without names.")
    return dict(found) if found[0][0] else [weight for _, weight in found]


def _show(found: "Analysis") -> None:
    from rich.console import Console
    from rich.table import Table

    units = ", ".join(f"{name} {counted(number)}" for name, number in found.units.items())
    ratio = found.sample_ratio
    print(f"Units: {units}. Sample ratio: chi² {ratio.chi2:.4g}, p {ratio.p_value:.4g}.")
    if found.mismatch:
        print("SAMPLE RATIO MISMATCH: the figures below are no basis of a decision.")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("arm", "metric", "difference", "lift", "low", "high", "p", "adjusted p"):
        table.add_column(name, justify="left" if name in ("arm", "metric") else "right")
    for each in found.comparisons:
        own = each.figures
        lift = None if own.relative_lift is None else f"{own.relative_lift:+.2%}"
        figures = (own.ci_low, own.ci_high, own.p_value, each.p_value_adjusted)
        shown = [_short(own.difference), lift or "-", *map(_short, figures)]
        table.add_row(each.arm, each.metric, *shown)
    Console(markup=False).print(table)
    for reading in found.bayes:
        print(_believed(reading))
    for guard in found.guardrails:
        print(
            f"Guardrail {guard.metric} of {guard.arm} (must not {guard.bad}): "
            f"{'BROKEN' if guard.is_broken else 'holds'}, difference "
            f"{_short(guard.figures.difference)}, p {_short(guard.p_value_worse)} towards worse."
        )
    if found.before:
        for bias in found.before.bias:
            print(
                f"Before: {found.before.covariate} of {bias.arm} differed by "
                f"{_short(bias.difference)}, p {_short(bias.p_value)}."
            )
        for metric, gone in found.before.variance_reduction.items():
            print(
                f"CUPED takes {'-' if gone is None else f'{gone:.1%}'} of the variance of {metric}."
            )
    print(found.verdict)


def _believed(each: "BayesReading") -> str:
    if each.belief is None:
        return f"Bayes: nothing to believe of {each.metric} of {each.arm}, which varies too little."
    return (
        f"Bayes: {each.arm} is better by {each.metric} with a probability of "
        f"{each.belief.probability_better:.2%}; choosing it loses "
        f"{_short(each.belief.expected_loss)} on average."
    )


def _short(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4g}"
