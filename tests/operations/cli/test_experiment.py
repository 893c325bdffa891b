"""`lake experiment`: what is printed, as text and as JSON, and what is refused."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse.errors import LakeError
from operations.cli import app, experiment

COLUMNS = ("--unit", "visitor", "--arm", "arm", "--control", "A", "--metric", "bought:binary")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """One visitor of ten buys in A, two of ten in B."""
    rows = [f"{n},{'AB'[n % 2]},{n % 10 < n % 2 + 1:d}\n" for n in range(2000)]
    path = tmp_path / "visitors.csv"
    path.write_text("visitor,arm,bought\n" + "".join(rows), encoding="utf-8")
    return str(path)


def lake(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["experiment", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_an_analysis_as_text_and_as_json(file: str) -> None:
    assert experiment.__name__
    text = lake("analyse", "--file", file, *COLUMNS)
    found = json.loads(lake("analyse", "--file", file, *COLUMNS, "--json"))
    assert list(found) == ["sample_ratio", "comparisons", "verdict"]
    first, head, row, verdict = text.splitlines()
    assert first == "Units: A 1,000, B 1,000. Sample ratio: chi² 0, p 1."
    assert head.split() == [
        "arm",
        "metric",
        "difference",
        "lift",
        "low",
        "high",
        "p",
        "adjusted",
        "p",
    ]
    assert row.split()[:2] == ["B", "bought"]
    assert verdict == found["verdict"]


def test_a_mismatch_is_marked_before_the_figures(file: str) -> None:
    text = lake("analyse", "--file", file, *COLUMNS, "--weights", "A=2,B=1")
    assert text.splitlines()[1] == (
        "SAMPLE RATIO MISMATCH: the figures below are no basis of a decision."
    )
    assert text.splitlines()[-1].startswith("No verdict: ")


@pytest.mark.parametrize(
    "weights", ["A=-1,B=1", "A=0,B=1", "A=nan,B=1", "A=1,A=1", "A,B", "=1", "", "-1,1"]
)
def test_weights_that_are_none_are_refused(weights: str, file: str) -> None:
    with pytest.raises(LakeError, match="write each arm once with a weight above 0"):
        lake("analyse", "--file", file, *COLUMNS, "--weights", weights)


def test_weights_without_names_are_the_controls_and_then_the_others(file: str) -> None:
    named = lake("analyse", "--file", file, *COLUMNS, "--weights", "A=2,B=1")
    assert lake("analyse", "--file", file, *COLUMNS, "--weights", "2,1") == named
    with pytest.raises(LakeError, match=r"holds 3 numbers, but .* has 2 arms: A, B"):
        lake("analyse", "--file", file, *COLUMNS, "--weights", "1,1,1")
    with pytest.raises(LakeError, match="names some arms only"):
        lake("analyse", "--file", file, *COLUMNS, "--weights", "A=1,1")


def test_a_plan_as_text_and_as_json() -> None:
    share = ("plan", "--baseline", "0.1", "--effect", "0.05", "--units-a-day", "100")
    assert lake(*share) == (
        "686 units per arm, 1,372 in all, 14 days at 100 units a day. They find a change of 0.05 "
        "with a chance of 80.0%, at a false alarm in 5.0%.\n"
    )
    money = json.loads(lake("plan", "--sd", "10", "--effect", "5", "--arms", "2", "--json"))
    assert money == {
        "units_per_arm": 64,
        "units": 128,
        "days": None,
        "power": pytest.approx(0.8014596),
    }
    with pytest.raises(LakeError, match="one of the two"):
        lake("plan", "--effect", "1")
