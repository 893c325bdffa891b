"""From data to the model that serves: train a challenger, judge it, promote or refuse it.

In: published gold, pinned for the whole training. Out: a registered version, a decision on the
record, and the pointer of the champion, which changes last. One training at a time in a state
folder; a killed one leaves no version, and the champion serves on whatever fails here.
Run standalone: `lake retrain [NAME]`, `lake models promote NAME VERSION`.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lakehouse.duck import open_gold
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.locks import hold
from lakehouse.pointer import in_service
from lakehouse.settings import Settings
from ml import decisions, serving
from ml.catalogue import Model, model
from ml.decisions import Decision
from ml.judging import Verdict, judge
from ml.registry import CHALLENGER, CHAMPION, Registry, Version
from ml.trained import DataVersion, Losses

LOCK = "models"


@dataclass(frozen=True)
class Outcome:
    """What came of a training. `version` is None where it gave none worth registering."""

    model: str
    version: int | None
    is_promoted: bool
    reason: str
    verdict: Verdict | None = None


@contextlib.contextmanager
def registry_of(settings: Settings) -> Iterator[Registry]:
    """The registry, for this process alone, with what a crash left undone finished.

    Raises:
        LakeError: Another process trains or promotes, or the store can't be opened.
    """
    with hold(LOCK, settings=settings):
        registry = Registry(settings)
        registry.settle()
        yield registry


def retrain(name: str, *, settings: Settings, who: str, trigger: str) -> Outcome:
    """Train a challenger and promote it where it is better than the champion for certain.

    As long as none serves, the best plain rule is the champion to beat. A training that gives
    nothing to compare is a refusal too, with its reason.

    Raises:
        LakeError: Nothing is published, another training is under way, or the registry can't be
            written; the champion serves on.
    """
    found = model(name)
    gold_version = in_service(settings)
    data = DataVersion(gold_version.run_id, gold_version.part("table_versions"))
    with registry_of(settings) as registry:
        finish(name, registry, settings=settings)
        before = serving.champion(name, settings=settings)
        number = before.version if before else None
        with open_gold(gold_version.path) as gold:
            try:
                trained = found.train(gold)
            except LakeError as error:
                decision = Decision("refused", name, None, number, who, f"{trigger}: {error}")
                decisions.write(decision, settings=settings)
                return Outcome(name, None, False, str(error))
            version = registry.record(name, trained, data=data)
            verdict = _judge(found, version, gold, before, settings=settings)
        kind: decisions.Kind = "promoted" if verdict.is_better else "refused"
        why = f"{trigger}: {verdict.reason}"
        decision = Decision(
            kind, name, version.number, number, who, why, metrics=dict(trained.metrics)
        )
        decisions.write(decision, settings=settings, facts={"verdict": asdict(verdict)})
        registry.note(version, verdict=kind, reason=verdict.reason)
        if verdict.is_better:
            _serve(version, registry, settings=settings)
        else:
            serving.shadow(version.served, name, settings=settings)
        return Outcome(name, version.number, verdict.is_better, verdict.reason, verdict)


def promote(
    name: str, number: int, *, settings: Settings, who: str, why: str, is_forced: bool = False
) -> Outcome:
    """Make a registered version serve: where it is better, or on somebody's word.

    Raises:
        CheckFailed: It is not better for certain, and nobody forces it.
        LakeError: There is no such version, or its file is refused.
    """
    found = model(name)
    with registry_of(settings) as registry:
        finish(name, registry, settings=settings)
        version = registry.version(name, number)
        serving.load(version.served, settings=settings)
        before = serving.champion(name, settings=settings)
        if before and before.version == number:
            return Outcome(name, number, True, f"Version {number} of {name} serves already.")
        if is_forced:
            verdict = Verdict(False, why)
        else:
            with open_gold(in_service(settings).path) as gold:
                verdict = _judge(found, version, gold, before, settings=settings)
        is_refused = not (is_forced or verdict.is_better)
        kind: decisions.Kind = "refused" if is_refused else "forced" if is_forced else "promoted"
        reason = why if is_forced else f"{why}: {verdict.reason}" if why else verdict.reason
        decision = Decision(kind, name, number, before.version if before else None, who, reason)
        decisions.write(decision, settings=settings, facts={"verdict": asdict(verdict)})
        registry.note(version, verdict=kind, reason=reason)
        if is_refused:
            raise CheckFailed(
                f"Version {number} of {name} is refused: {verdict.reason}. It can be made to serve "
                "all the same with --force and --reason; both go on the record."
            )
        _serve(version, registry, settings=settings)
        return Outcome(name, number, True, reason, verdict)


def roll_back(name: str, *, settings: Settings, who: str, why: str) -> Outcome:
    """Make the version serve that served before the present one.

    Raises:
        LakeError: None did, or its file is refused.
    """
    model(name)
    with registry_of(settings) as registry:
        finish(name, registry, settings=settings)
        now = serving.champion(name, settings=settings)
        number = decisions.before_serving(name, settings=settings)
        if now is None or number is None:
            raise LakeError(
                f"No other version of {name} served before: there is none to go back to."
            )
        version = registry.version(name, number)
        serving.load(version.served, settings=settings)
        decision = Decision("rolled_back", name, number, now.version, who, why)
        decisions.write(decision, settings=settings)
        registry.note(version, verdict="rolled_back", reason=why)
        _serve(version, registry, settings=settings)
        return Outcome(name, number, True, why)


def finish(name: str, registry: Registry, *, settings: Settings) -> None:
    """Carry out the last decision on a model where a crash came between it and its pointer."""
    decided = decisions.last_serving(name, settings=settings)
    try:
        now = serving.champion(name, settings=settings)
    except LakeError:
        now = None
    if decided is not None and (now is None or now.version != decided):
        _serve(registry.version(name, decided), registry, settings=settings)


def _serve(version: Version, registry: Registry, *, settings: Settings) -> None:
    serving.serve(version.served, settings=settings)
    registry.name(version, CHAMPION)
    challenger = registry.holder(version.model, CHALLENGER)
    if challenger and challenger.number == version.number:
        registry.unname(version.model, CHALLENGER)
        serving.shadow(None, version.model, settings=settings)


def _judge(
    found: Model,
    version: Version,
    gold: Any,
    before: serving.Served | None,
    *,
    settings: Settings,
) -> Verdict:
    """Hold a version against the champion, or where none serves against the best plain rule."""
    try:
        challenger = found.losses(gold, serving.load(version.served, settings=settings))
    except LakeError as error:
        return Verdict(False, str(error))
    try:
        if before is None:
            rival_name, rival = _best(found.baselines(gold))
        else:
            rival_name = f"version {before.version}"
            rival = found.losses(gold, serving.load(before, settings=settings))
    except LakeError as error:
        return Verdict(False, f"there is nothing to compare it with: {error}")
    return judge(challenger, rival, least_units=found.least_units, rival_name=rival_name)


def _best(rules: Mapping[str, Losses]) -> tuple[str, Losses]:
    """The rule with the smallest mean loss on the hold-out."""
    name = min(rules, key=lambda each: float(rules[each].values.mean()))
    return name, rules[name]
