"""`lake ml`: answers as JSON on standard output, for people as text, faults in a sentence."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import operations.cli
from operations.cli.ml import _print
from tests.ml.purchases import shop

Lake = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lake:
    monkeypatch.setattr("ml.segments.RESAMPLES", 2)
    monkeypatch.setattr("ml.lifetime_value_check.DRAWS", 10)
    monkeypatch.setattr("ml.churn_evaluation.DRAWS", 20)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lake", "ml", *arguments])
        with pytest.raises(SystemExit) as end:
            operations.cli.main()
        return int(end.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A blank-separated log of a made-up shop, its last 60 days beyond what is learned from."""
    path = tmp_path_factory.mktemp("log") / "log.txt"
    sales = shop(8, customers=250, days=400)
    path.write_text(
        "".join(
            f" {row.customer_id} {row.day:%Y%m%d} 1 {row.amount:.2f}\n"
            for row in sales.itertuples(index=False)
        )
    )
    return path


def test_lifetime_value_has_its_parameters_and_what_came(lake: Lake, log: Path) -> None:
    code, out, err = lake(
        *("clv", "--file", str(log), "--format", "cdnow", "--json"),
        *("--until", "2019-12-06", "--horizon", "8"),
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert list(found["parameters"]) == ["r", "alpha", "a", "b", "p", "q", "v"]
    assert found["until"] == "2019-12-06"
    assert found["log_likelihood"] < 0 > found["log_likelihood_spend"]
    low, high = found["predicted_interval"]
    assert low < found["predicted_purchase_days"] < high
    assert found["actual_purchase_days"] > 0
    assert set(found["errors"]) == {"model", "naive", "hiatus"}
    assert isinstance(found["warnings"], list)


def test_segments_are_a_list_by_number_of_groups(lake: Lake, log: Path) -> None:
    code, out, _ = lake(
        "segments", "--file", str(log), "--format", "cdnow", "--k", "2..3", "--json"
    )
    found = json.loads(out)
    assert code == 0
    assert [each["k"] for each in found] == [2, 3]
    assert {sum(each["sizes"]) for each in found} == {250}
    assert found[0]["inertia"] > found[1]["inertia"]


def test_churn_counts_customers_and_shows_baselines(lake: Lake, log: Path) -> None:
    code, out, _ = lake(
        *("churn", "--file", str(log), "--format", "cdnow", "--json"),
        *("--cutoff", "2019-10-01", "--days", "60"),
    )
    found = json.loads(out)
    assert code == 0
    assert 0 < found["churned"] < found["customers"] <= 250
    assert set(found["baselines"]) == {"recency", "rfm"}
    assert 0.5 < found["auc"] < 1


def test_rows_of_an_answer_are_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    _print({"tenths": [{"customers": 4, "lift": 1.5}, {"customers": 3, "lift": 0.5}]}, False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["tenths:"],
        ["customers", "lift"],
        ["4", "1.5000"],
        ["3", "0.5000"],
    ]


def test_without_json_a_person_reads_the_same(lake: Lake, log: Path) -> None:
    code, out, _ = lake("segments", "--file", str(log), "--format", "cdnow", "--k", "2")
    assert code == 0
    assert out.startswith("k: 2\ninertia: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("clv", "--file", "{log}", "--format", "cdnow", "--until", "soon"),
            "--until 'soon' is no",
        ),
        (
            ("clv", "--file", "{log}", "--format", "cdnow", "--horizon", "-3"),
            "--horizon -3 does not",
        ),
        (("clv", "--file", "{log}", "--columns", "id=a"), "--columns 'id=a' does not fit"),
        (("clv", "--file", "none.csv"), "none.csv can't be read: No such file"),
        (("segments", "--file", "{log}", "--k", "many"), "--k 'many' does not fit"),
        (
            ("churn", "--file", "{log}", "--format", "cdnow", "--cutoff", "2020-02-01"),
            "choose a cut-off up to",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(
    lake: Lake, log: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = lake(*(each.format(log=log) for each in arguments))
    assert (code, out) == (2, "")
    assert said in err
