"""Experiments as readings: calm, a broken guardrail, an unsound assignment, no visit at all."""

from pathlib import Path

import pytest

from experiments.registry import Experiment
from lakehouse.duck import open_gold
from reports.alerts import experiments
from reports.alerts.judging import Reading
from tests.experiments.test_shop_units import declared, served


def readings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, visitors: int = 400, **changes: object
) -> dict[str, Reading]:
    found: dict[str, Experiment] = {"e": declared(**changes)}
    monkeypatch.setattr(experiments, "read_registry", lambda _: found)
    with open_gold(served(tmp_path, visitors=visitors)) as gold:
        return experiments.read_experiments(gold)


def test_a_calm_experiment_has_no_trouble(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    guard = ["session_count:money:fall"]
    assert readings(monkeypatch, tmp_path, guardrails=guard)["e"].value == 0


def test_a_broken_guardrail_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = experiments.analyse_experiment

    def broken(*arguments: object, **options: object) -> object:
        import dataclasses

        found = real(*arguments, **options)  # type: ignore[arg-type]
        [guard] = found.analysis.guardrails
        worse = dataclasses.replace(guard, p_value_worse=0.01)
        analysis = dataclasses.replace(found.analysis, guardrails=(worse,), is_sound=False)
        return dataclasses.replace(found, analysis=analysis)

    monkeypatch.setattr(experiments, "analyse_experiment", broken)
    found = readings(monkeypatch, tmp_path, guardrails=["session_count:money:fall"])
    assert found["e"] == Reading(2.0, "troubles", "session_count of B, the assignment")


def test_without_visits_there_is_no_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = readings(monkeypatch, tmp_path, visitors=0)
    assert found["e"].value is None
