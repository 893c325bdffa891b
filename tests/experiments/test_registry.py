"""The registry: an experiment as declared, and each way it may be not whole."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments.registry import Experiment, one, read_registry
from lakehouse.errors import LakeError
from operations.cli import app, experiment

WHOLE = """
[free_delivery]
hypothesis = "Free delivery from 20 pounds on sells more"
owner = "Sales"
unit = "visitor"
salt = "free_delivery_1"
control = "A"
arms = {A = 1, B = 3}
metrics = ["bought:binary", "revenue:money"]
guardrails = ["returned:money"]
minimum_effect = 0.005
"""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.toml"
    path.write_text(WHOLE, encoding="utf-8")
    return path


def test_an_experiment_is_read_whole(registry: Path) -> None:
    expected = Experiment(
        hypothesis="Free delivery from 20 pounds on sells more",
        owner="Sales",
        unit="visitor",
        salt="free_delivery_1",
        control="A",
        arms={"A": 1, "B": 3},
        metrics=["bought:binary", "revenue:money"],
        guardrails=["returned:money"],
        minimum_effect=0.005,
    )
    assert read_registry(registry) == {"free_delivery": expected}
    with pytest.raises(LakeError, match=r"has no experiment other\. It has free_delivery\."):
        one(registry, "other")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('owner = "Sales"\n', "", "missing required field `owner`"),
        ("unit =", "units =", "unknown field `units`"),
        ('"Sales"', "5", "Expected `str`, got `int`"),
        ('"Sales"', '" "', "must not be empty"),
        ('"free_delivery_1"', '"a:b"', "its salt must be of"),
        ("{A = 1, B = 3}", "{A = 1}", "at least two arms"),
        ('control = "A"', 'control = "C"', "its control C is none of its arms"),
        ("B = 3", "B = -3", "weight must be above 0"),
        ("B = 3", "B = inf", "weight must be above 0"),
        ('["bought:binary", "revenue:money"]', "[]", "it needs a metric"),
        ("0.005", "nan", "minimum_effect must be a figure"),
        ("0.005", "0", "minimum_effect must be a figure"),
        ("[free", "[[free", "does not fit"),
    ],
)
def test_what_is_not_whole_is_refused(old: str, new: str, message: str, registry: Path) -> None:
    assert old in WHOLE
    registry.write_text(WHOLE.replace(old, new), encoding="utf-8")
    with pytest.raises(LakeError, match=message):
        read_registry(registry)


def test_a_registry_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="can't be read: No such file"):
        read_registry(tmp_path / "none.toml")


def test_the_commands_show_what_is_declared(registry: Path) -> None:
    assert experiment.__name__
    runner = CliRunner()
    listed = runner.invoke(app, ["experiment", "list", "--registry", str(registry)])
    assert [line.split() for line in listed.stdout.splitlines()] == [
        ["experiment", "unit", "arms", "metric", "owner"],
        ["free_delivery", "visitor", "A,", "B", "bought:binary", "Sales"],
    ]
    shown = runner.invoke(
        app,
        ["experiment", "show", "free_delivery", "--registry", str(registry), "--unit-id", "v1"],
    )
    assert shown.stdout.splitlines() == [
        "hypothesis      Free delivery from 20 pounds on sells more",
        "owner           Sales",
        "unit            visitor",
        "arms            A 25.0%, B 75.0%; control A; salt free_delivery_1",
        "metrics         bought:binary, revenue:money",
        "guardrails      returned:money",
        "minimum effect  0.005 of bought:binary",
        "v1 gets arm B.",
    ]
    registry.write_text("", encoding="utf-8")
    empty = runner.invoke(app, ["experiment", "list", "--registry", str(registry)])
    assert empty.stdout == f"{registry} declares no experiment.\n"
