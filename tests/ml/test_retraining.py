"""Training, judging and promoting on a real MLflow store: what serves, and what is on record."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from dashboards.queries import models as queries
from dashboards.queries.models import model_states, refusal
from lakehouse.duck import open_gold
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.ledger import chain
from lakehouse.locks import hold
from lakehouse.pointer import CURRENT
from lakehouse.settings import Settings
from ml import artifacts, catalogue, decisions, loaded, recommendations, serving
from ml.catalogue import Model
from ml.registry import CHALLENGER, CHAMPION, STORE, Registry, code_sha256, store_uri
from ml.retraining import LOCK, finish, promote, registry_of, retrain, roll_back
from ml.trained import Unfit
from operations.cli import app
from operations.cli import models as commands
from tests.gold_files import serve_gold
from tests.ml import toy_model

WHO = "tester"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One state folder for all tests here, as a new store of MLflow takes seconds."""
    settings = Settings(home=tmp_path_factory.mktemp("models") / "state")
    serve_gold(settings, "create table gold.nothing (a integer)")
    return settings


@pytest.fixture
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A model of its own for each test."""
    name = f"toy_{request.node.name.partition('[')[0][5:35]}"
    toy = Model(name, "nothing", "tests.ml.toy_model", 100)
    for module in (catalogue, queries):
        monkeypatch.setattr(module, "MODELS", (toy,))
    before = dict(toy_model.NEXT)
    yield name
    toy_model.NEXT.update(before)


def train(name: str, settings: Settings, loss: float | None, **others: Any) -> Any:
    toy_model.NEXT.update({"loss": loss, **others})
    return retrain(name, settings=settings, who=WHO, trigger="by a test")


def served_value(name: str, settings: Settings) -> Any:
    """What the champion answers: it tells which version gave it."""
    _, artifact = serving.load_champion(name, settings=settings)
    return artifacts.values_of(artifact)["loss"]


def kinds(name: str, settings: Settings) -> list[tuple[str, int | None, str]]:
    found = decisions.of_model(name, settings=settings)
    return [(each.kind, each.version, each.who) for each in found]


def test_only_a_better_challenger_is_promoted_and_a_rollback_brings_the_old_answers_back(
    model: str, settings: Settings
) -> None:
    first = train(model, settings, 0.6)
    worse = train(model, settings, 0.8)
    same = train(model, settings, 0.6)
    assert (first.is_promoted, worse.is_promoted, same.is_promoted) == (True, False, False)
    assert "worse on 200 units" in worse.reason
    assert "not better for certain" in same.reason
    assert served_value(model, settings) == 0.6
    assert set(serving.in_use(model, settings=settings)) == {CHAMPION, CHALLENGER}

    better = train(model, settings, 0.4)
    assert better.is_promoted
    assert served_value(model, settings) == 0.4
    assert set(serving.in_use(model, settings=settings)) == {CHAMPION}

    roll_back(model, settings=settings, who=WHO, why="the offers went wrong")
    assert served_value(model, settings) == 0.6
    registry = Registry(settings)
    champion = registry.holder(model, CHAMPION)
    assert champion is not None
    assert champion.number == first.version
    assert kinds(model, settings) == [
        ("promoted", 1, WHO),
        ("refused", 2, WHO),
        ("refused", 3, WHO),
        ("promoted", 4, WHO),
        ("rolled_back", 1, WHO),
    ]
    assert chain.breaks(decisions.CHAIN, settings=settings) == []
    figures = [each.metrics for each in decisions.of_model(model, settings=settings)]
    assert figures == [{"loss": 1.0}] * 4 + [None]


def test_a_version_is_recorded_with_its_figures_data_code_and_environment(
    model: str, settings: Settings
) -> None:
    made = train(model, settings, 0.6)
    version = Registry(settings).version(model, made.version)
    assert version.metrics["loss_fold_mean"] == 0.5
    assert version.metrics["loss_fold_sd"] == pytest.approx(0.1)
    assert version.parameters == {"kind": "toy"}
    assert version.tags["gold_run"] == "gold-1"
    assert len(version.tags["code_sha256"]) == 64
    assert "scikit-learn" in json.loads(version.tags["environment"])
    assert "For tests." in version.tags["mlflow.note.content"]
    folder = settings.models_dir / Path(version.served.file).parent
    assert sorted(each.name for each in folder.iterdir()) == ["model.json", "model_facts.json"]
    assert "value" in (folder.parent / "MLmodel").read_text(encoding="utf-8")


def serve_baskets(settings: Settings, file: str, *, seed: int) -> None:
    """Gold of 600 orders over a hundred days, each of two or more of thirty products."""
    random, rows = np.random.default_rng(seed), []
    for number in range(600):
        liked = random.integers(0, 15)
        skus = {f"A{liked}", f"B{liked}", f"A{random.integers(0, 15)}"}
        rows += [
            f"('web', 'o{number}', '{sku}', date '2011-09-01' + {number // 6}, 'sale', true)"
            for sku in skus
        ]
    serve_gold(
        settings,
        "create table gold.fct_order_lines (source_system varchar, order_id varchar, sku varchar, "
        "order_date date, line_class varchar, is_product boolean)",
        f"insert into gold.fct_order_lines values {', '.join(sorted(rows))}",
        file=file,
    )


def test_a_run_repeated_from_its_recorded_data_and_code_gives_the_same_figures(
    settings: Settings,
) -> None:
    pointer = settings.gold_dir / CURRENT
    before = pointer.read_text()
    serve_baskets(settings, "gold-2.duckdb", seed=1)
    made = retrain(recommendations.NAME, settings=settings, who=WHO, trigger="by a test")
    serve_baskets(settings, "gold-3.duckdb", seed=2)  # the world goes on
    run = Registry(settings).version(recommendations.NAME, made.version or 0)
    pointer.write_text(before)

    assert run.tags["code_sha256"] == code_sha256()
    files = {gold: settings.gold_dir / f"{gold}.duckdb" for gold in ("gold-2", "gold-3")}
    repeated = {}
    for gold, path in files.items():
        with open_gold(path) as reader:
            repeated[gold] = recommendations.train(reader)
    again = repeated[run.tags["gold_run"]]
    recorded = {name: run.metrics[name] for name in again.metrics}
    assert recorded == dict(again.metrics)
    assert run.parameters == {name: str(value) for name, value in again.parameters.items()}
    assert run.tags["sha256"] == again.artifact.sha256
    assert recorded != dict(repeated["gold-3"].metrics)


def test_mlflow_loads_a_model_by_its_alias_and_refuses_changed_bytes(
    model: str, settings: Settings
) -> None:
    import mlflow

    train(model, settings, 0.5)
    mlflow.set_registry_uri(store_uri(settings))
    mlflow.set_tracking_uri(store_uri(settings))
    found = mlflow.pyfunc.load_model(f"models:/{model}@champion")
    shown = found.predict(pd.DataFrame({"value": [2.0]}))
    pd.testing.assert_frame_equal(shown, pd.DataFrame({"value": [1.0]}))
    served = serving.champion(model, settings=settings)
    assert served is not None
    path = settings.models_dir / served.file
    path.write_text('{"loss": 9}')
    with pytest.raises(LakeError, match="changed after its training"):
        loaded._load_pyfunc(str(path.parent))


@pytest.mark.parametrize(
    ("next_one", "reason"),
    [
        ({"loss": None}, "not all finite"),
        ({"loss": 0.1, "units": 50}, "too few to judge by"),
        ({"loss": 0.1, "raises": Unfit("one class only")}, "one class only"),
    ],
)
def test_what_can_not_be_compared_never_wins(
    model: str, settings: Settings, next_one: dict[str, Any], reason: str
) -> None:
    train(model, settings, 0.9)
    before = serving.champion(model, settings=settings)
    outcome = train(model, settings, **next_one)
    assert not outcome.is_promoted
    assert reason in outcome.reason
    assert serving.champion(model, settings=settings) == before
    last = decisions.of_model(model, settings=settings)[-1]
    assert (last.kind, reason in last.why) == ("refused", True)


def test_a_first_version_that_does_not_beat_the_best_plain_rule_is_kept_and_does_not_serve(
    model: str, settings: Settings
) -> None:
    outcome = train(model, settings, 1.2)
    assert (outcome.is_promoted, "the best rule" in outcome.reason) == (False, True)
    with pytest.raises(LakeError, match=f"No version of {model} serves yet.*lake retrain"):
        serving.load_champion(model, settings=settings)
    challenger = serving.challenger(model, settings=settings)
    assert challenger is not None
    assert challenger.version == outcome.version
    assert "the best rule" in refusal(model, settings)
    (state,) = model_states(settings)
    assert (list(state.in_use), state.card) == ([CHALLENGER], "# toy\n\nFor tests.")
    assert commands.__name__  # the import registers them
    home = {"LAKE_HOME": str(settings.home)}
    shown = CliRunner().invoke(app, ["models", "list", "--json"], env=home)
    (row,) = json.loads(shown.output)
    assert (row["champion"], row["challenger"]) == (None, outcome.version)
    assert "the best rule" in row["because"]
    shown = CliRunner().invoke(app, ["models", "show", model], env=home)
    assert f"No version of {model} serves." in shown.output
    assert f"refused, version {outcome.version}, by {WHO}" in shown.output


def test_a_worse_version_serves_only_by_force_with_a_reason_on_record(
    model: str, settings: Settings
) -> None:
    train(model, settings, 0.5)
    train(model, settings, 0.9)
    with pytest.raises(CheckFailed, match=r"Version 2 .* is refused: worse.*--force"):
        promote(model, 2, settings=settings, who=WHO, why="")
    assert served_value(model, settings) == 0.5
    promote(model, 2, settings=settings, who=WHO, why="the law says so", is_forced=True)
    assert served_value(model, settings) == 0.9
    last = decisions.of_model(model, settings=settings)[-1]
    assert (last.kind, last.version, last.before, last.who, last.why) == (
        *("forced", 2, 1, WHO),
        "the law says so",
    )


def test_a_damaged_file_is_refused_and_what_serves_goes_on(model: str, settings: Settings) -> None:
    train(model, settings, 0.5)
    refused = train(model, settings, 0.9)
    challenger = Registry(settings).version(model, refused.version)
    path = settings.models_dir / challenger.served.file
    path.write_text(path.read_text(encoding="utf-8").replace("0.9", "0.1"))
    with pytest.raises(LakeError, match=r"is refused: it was changed after its training"):
        promote(model, 2, settings=settings, who=WHO, why="it is better", is_forced=True)
    assert served_value(model, settings) == 0.5


def test_two_trainings_at_once_are_one_and_a_clear_message(model: str, settings: Settings) -> None:
    with hold(LOCK, settings=settings), pytest.raises(LakeError, match="working on 'models'"):
        train(model, settings, 0.5)
    assert serving.champion(model, settings=settings) is None


def test_a_training_that_dies_leaves_a_run_that_says_so_and_no_version(
    model: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(model, settings, 0.5)
    before = serving.champion(model, settings=settings)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(Registry, "_log", die)
        killed.setattr("mlflow.MlflowClient.set_terminated", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            train(model, settings, 0.1)
    with registry_of(settings) as registry:
        assert [each.number for each in registry.versions(model)] == [1]
        runs = registry._client.search_runs(
            [registry._experiment], f"tags.model = '{model}'", order_by=["attributes.start_time"]
        )
    assert sorted(run.info.status for run in runs) == ["FINISHED", "KILLED"]
    assert serving.champion(model, settings=settings) == before


def test_a_decision_that_a_crash_cut_short_is_carried_out_by_the_next_command(
    model: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(model, settings, 0.6)
    with monkeypatch.context() as crashed:
        crashed.setattr("ml.retraining._serve", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(model, settings, 0.2)
    assert served_value(model, settings) == 0.6
    with registry_of(settings) as registry:
        finish(model, registry, settings=settings)
    assert served_value(model, settings) == 0.2


def test_an_unknown_store_is_named_and_the_champion_serves_on(
    model: str, settings: Settings, tmp_path: Path
) -> None:
    train(model, settings, 0.5)
    other = Settings(home=tmp_path / "state")
    shutil.copytree(settings.home, other.home)
    with sqlite3.connect(other.models_dir / STORE) as store:
        store.execute("update alembic_version set version_num = 'from_the_future'")
    with pytest.raises(LakeError, match=r"can't be opened by MLflow .*champions go on serving"):
        train(model, other, 0.1)
    assert served_value(model, other) == 0.5


def test_a_copied_registry_is_not_written(model: str, settings: Settings, tmp_path: Path) -> None:
    train(model, settings, 0.5)
    other = Settings(home=tmp_path / "state")
    shutil.copytree(settings.home, other.home)
    assert served_value(model, other) == 0.5
    with pytest.raises(LakeError, match="MLflow keeps whole paths"):
        Registry(other)
