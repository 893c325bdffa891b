"""A file in, an analysis out: whole JSON, grain, assignment faults, and files that don't fit."""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.analyse import analyse
from experiments.units import Metric, parse_metric
from lakehouse.errors import LakeError

NORMAL = 1.959963984540054


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes lines, given with `/` between them, as a csv."""

    def write(text: str, name: str = "units.csv") -> Path:
        path = tmp_path / name
        path.write_text(text.replace("/", "\n") + "\n", encoding="utf-8")
        return path

    return write


def found(path: Path, *metrics: str, **options: Any) -> dict[str, Any]:
    read = [parse_metric(each) for each in metrics]
    result = analyse(path, unit="u", arm="arm", control="A", metrics=read, **options).as_json()
    parsed: dict[str, Any] = json.loads(json.dumps(result, allow_nan=False))
    return parsed


def shop(units: int = 1200) -> pd.DataFrame:
    """Units of three arms: B buys more often, C spends more, `pre` explains most of the money."""
    random = np.random.default_rng(11)
    arm = np.array(["A", "B", "C"])[np.arange(units) % 3]
    pre = np.round(random.gamma(2, 10, units), 2)
    money = np.round(2 * pre + random.normal(0, 5, units) + 3 * (arm == "C"), 2)
    bought = (random.random(units) < np.where(arm == "B", 0.25, 0.1)).astype(int)
    names = [f"visitor {n}" for n in range(units)]
    return pd.DataFrame({"u": names, "arm": arm, "bought": bought, "money": money, "pre": pre})


def expected_of(frame: pd.DataFrame, money: str) -> list[dict[str, Any]]:
    """All comparisons by textbook formulas on the frame, with Holm step by step."""
    rows = []
    control = frame[frame["arm"] == "A"]
    for name in ("B", "C"):
        own = frame[frame["arm"] == name]
        n, m = len(own), len(control)
        p, q = own["bought"].mean(), control["bought"].mean()
        pooled = (own["bought"].sum() + control["bought"].sum()) / (n + m)
        z = (p - q) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
        half = NORMAL * math.sqrt(p * (1 - p) / n + q * (1 - q) / m)
        rows.append(row(name, "bought", p - q, q, half, math.erfc(abs(z) / math.sqrt(2)), z, None))
        a, b = own[money].var() / n, control[money].var() / m
        gap, base = own[money].mean() - control[money].mean(), control[money].mean()
        df = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1))
        t = gap / math.sqrt(a + b)
        half = stats.t.ppf(0.975, df) * math.sqrt(a + b)
        rows.append(row(name, "money", gap, base, half, 2 * stats.t.sf(abs(t), df), t, df))
    least = 0.0
    for rank, each in enumerate(sorted(rows, key=lambda each: each["p_value"])):
        least = max(least, min(1, each["p_value"] * (len(rows) - rank)))
        each["p_value_adjusted"] = least
    return rows


def row(  # noqa: PLR0917 - the columns in their order
    arm: str, metric: str, gap: float, base: float, half: float, p: float, t: float, df: Any
) -> dict[str, Any]:
    return {
        "arm": arm,
        "metric": metric,
        "difference": gap,
        "relative_lift": gap / base,
        "ci_low": gap - half,
        "ci_high": gap + half,
        "p_value": p,
        "statistic": t,
        "df": df,
    }


def nearly(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            name: pytest.approx(each, rel=1e-8, abs=1e-12) if isinstance(each, float) else each
            for name, each in row.items()
        }
        for row in rows
    ]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_the_whole_analysis_of_each_kind_of_file(kind: str, tmp_path: Path) -> None:
    frame, path = shop(), tmp_path / f"units [1].{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    result = found(path, "bought:binary", "money:money")
    verdict = result.pop("verdict")
    assert result == {
        "sample_ratio": {"chi2": 0.0, "p_value": 1.0, "mismatch": False},
        "comparisons": nearly(expected_of(frame, "money")),
    }
    assert verdict.startswith("Against A: B raises bought by 0.1")
    assert verdict.endswith("no difference is shown for money of B, bought of C, money of C.")
    assert json.dumps(found(path, "bought", "money")) == json.dumps({**result, "verdict": verdict})


def test_a_covariate_adjusts_money_and_is_checked_between_arms(tmp_path: Path) -> None:
    frame, path = shop(), tmp_path / "units.csv"
    frame.to_csv(path, index=False)
    theta = np.polyfit(frame["pre"], frame["money"], 1)[0]
    frame["adjusted"] = frame["money"] - theta * (frame["pre"] - frame["pre"].mean())
    result = found(path, "bought", "money", covariate="pre")
    arms = {name: own["pre"] for name, own in frame.groupby("arm")}
    gone = 1 - frame["adjusted"].var() / frame["money"].var()
    assert "C raises money by 3" in result.pop("verdict")
    assert result.pop("comparisons") == nearly(expected_of(frame, "adjusted"))
    assert result.pop("sample_ratio")["mismatch"] is False
    assert result == {
        "before": {
            "covariate": "pre",
            "bias": [
                {
                    "arm": name,
                    "difference": pytest.approx(arms[name].mean() - arms["A"].mean()),
                    "p_value": pytest.approx(
                        stats.ttest_ind(arms[name], arms["A"], equal_var=False).pvalue
                    ),
                }
                for name in ("B", "C")
            ],
            "variance_reduction": {"money": pytest.approx(gone)},
        }
    }
    assert gone > 0.9


def test_an_arm_that_differed_before_refuses_a_verdict(tmp_path: Path) -> None:
    frame, path = shop(), tmp_path / "units.csv"
    frame.loc[frame["arm"] == "B", "pre"] += 9
    frame.to_csv(path, index=False)
    verdict = found(path, "money", covariate="pre")["verdict"]
    assert verdict.startswith("No verdict: arm B differed by pre before the experiment (p ")


def test_rows_of_a_unit_are_summed_and_any_purchase_counts(file: Callable[..., Path]) -> None:
    many = file("u,arm,b,m/1,A,0,0.1/1,A,1,0.2/1,A,0,0.3/2,A,0,1/3,B,0,-1/3,B,0,5/4,B,1,6", "1.csv")
    once = file("u,arm,b,m/1,A,1,0.6/2,A,0,1/3,B,0,4/4,B,1,6", "2.csv")
    shown, wanted = found(many, "b", "m"), found(once, "b", "m")
    assert shown == wanted
    assert shown["comparisons"][1]["difference"] == pytest.approx(4.2)


def test_a_sample_ratio_mismatch_refuses_a_verdict_and_weights_decide_what_fits(
    file: Callable[..., Path],
) -> None:
    rows = [f"{n},{'A' if n % 4 else 'B'},{n % 5 == 0:d}" for n in range(400)]
    path = file("/".join(["u,arm,b", *rows]))
    result = found(path, "b")
    chi2 = 2 * 100**2 / 200
    assert result["sample_ratio"] == {
        "chi2": chi2,
        "p_value": pytest.approx(math.erfc(math.sqrt(chi2 / 2))),
        "mismatch": True,
    }
    assert result["verdict"] == (
        "No verdict: the units per arm (A 300, B 100) don't fit the expected shares (chi² 100.0, "
        "p 1.5e-23). Find the fault in assignment or logging first: the figures can't be trusted."
    )
    assert result["comparisons"][0]["p_value"] is not None
    fits = found(path, "b", weights={"A": 3, "B": 1})
    assert fits["sample_ratio"] == {"chi2": 0.0, "p_value": 1.0, "mismatch": False}
    assert fits["verdict"].startswith("Against A: no difference is shown for b of B.")
    empty_arm = found(path, "b", weights={"A": 3, "B": 1, "C": 1})
    assert empty_arm["verdict"].startswith("No verdict: the units per arm (A 300, B 100, C 0) ")
    with pytest.raises(LakeError, match="has units of arm B, which --weights does not name"):
        found(path, "b", weights={"A": 1, "C": 1})


@pytest.mark.parametrize(("crossing", "refused"), [(1, False), (5, True)])
def test_units_in_two_arms_are_left_out_and_refuse_a_verdict_above_one_percent(
    crossing: int, refused: bool, file: Callable[..., Path]
) -> None:
    rows = [f"{n},{'AB'[n % 2]},{n % 3}" for n in range(400)]
    clean = found(file("/".join(["u,arm,m", *rows]), "clean.csv"), "m")
    both = [f"x{n},{arm},1000" for n in range(crossing) for arm in "AB"]
    result = found(file("/".join(["u,arm,m", *rows, *both])), "m")
    assert result["units_in_two_arms"] == crossing
    assert result["comparisons"] == clean["comparisons"]
    assert result["verdict"].startswith("No verdict: 5 units are in more") is refused
    assert f"{crossing} units in more than one arm are left out." in result["verdict"]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (
            "u,arm,m/1,A,5/2,B,7",
            (
                "Against A: no test is possible for m of B, which vary too little. "
                "One unit holds 58% of m: look at it before you decide."
            ),
        ),
        (
            "u,arm,m/1,A,2/2,A,2/3,B,2/4,B,2",
            "Against A: no test is possible for m of B, which vary too little.",
        ),
    ],
)
def test_what_can_not_be_tested_is_null(text: str, verdict: str, file: Callable[..., Path]) -> None:
    result = found(file(text), "m:money")
    comparison = result["comparisons"][0]
    nulls = ("ci_low", "ci_high", "p_value", "p_value_adjusted", "statistic", "df")
    assert {comparison[name] for name in nulls} == {None}
    assert result["verdict"] == verdict


def test_a_control_of_zeros_has_no_relative_lift(file: Callable[..., Path]) -> None:
    comparison = found(file("u,arm,m/1,A,0/2,A,0/3,B,2/4,B,3"), "m:money")["comparisons"][0]
    assert (comparison["difference"], comparison["relative_lift"]) == (2.5, None)
    assert comparison["df"] == 1


def test_sequential_intervals_are_wider_and_hold_the_fixed_ones(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    shop().to_csv(path, index=False)
    fixed = found(path, "bought", "money")["comparisons"]
    sequential = found(path, "bought", "money", sequential=True)["comparisons"]
    for one, each in zip(fixed, sequential, strict=True):
        assert each["ci_low"] < one["ci_low"] < one["ci_high"] < each["ci_high"]
        assert one["p_value"] < each["p_value"] <= 1
        for name in ("difference", "relative_lift", "statistic", "df"):
            assert each[name] == one[name]


@pytest.mark.parametrize(
    ("text", "metric", "message"),
    [
        ("u,arm,x/1,A,2", "m", "has no column m. It has u, arm, x."),
        ("u,arm,m/1,B,2/2,C,2", "m", "has no units of control A. Its arms: B, C."),
        ("u,arm,m/1,A,2/2,A,2", "m", "has units of arm A only"),
        ("u,arm,m/1,A,2/1,B,2", "m", "has no units of control A"),
        ("u,arm,m", "m", "has no rows"),
        ("u,arm,m/1,A,2/2,B,much", "m", "Column m of .* holds 'much', which is no number."),
        ("u,arm,m/1,A,2/2,B,nan", "m", "holds nan: figures must be finite"),
        ("u,arm,m/1,A,2/2,B,-inf", "m", "holds -inf: figures must be finite"),
        ("u,arm,m/1,A,2/2,B,1e300", "m", "holds 1e300: figures must be finite"),
        ("u,arm,m/1,A,2/2,B,", "m", "Column m of .* is empty in 1 rows"),
        ("u,arm,m/1,A,2/,B,1", "m", "Column u of .* is empty in 1 rows: each needs its unit."),
        ("u,arm,m/1,A,2/2, ,1", "m", "Column arm of .* is empty in 1 rows: each needs its arm."),
        ("u,arm,m/1,A,2/2,B,1", "m:binary", "Column m of .* holds '2': a binary metric is 0 or 1"),
        ("u,arm,m/1,A,2/2,B,1", "m:mony", "has no column m:mony"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_a_sentence(
    text: str, metric: str, message: str, file: Callable[..., Path]
) -> None:
    with pytest.raises(LakeError, match=message) as error:
        found(file(text), metric)
    assert str(error.value).count(". ") <= 1


def test_other_unfit_arguments_are_refused(file: Callable[..., Path], tmp_path: Path) -> None:
    path = file("u,arm,m,pre/1,A,1,2/1,A,1,3/2,B,4,1")
    with pytest.raises(LakeError, match="Unit 1 has several values of covariate pre"):
        found(path, "m", covariate="pre")
    with pytest.raises(LakeError, match="m can't be metric and covariate"):
        found(path, "m", covariate="m")
    with pytest.raises(LakeError, match="Metric m is named twice"):
        found(path, "m", "m:money")
    with pytest.raises(LakeError, match=r"no\.csv can't be read: No such file"):
        found(tmp_path / "no.csv", "m")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(LakeError, match="is empty: it needs a header"):
        found(tmp_path / "empty.csv", "m")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(LakeError, match="can't be read as a table"):
        found(tmp_path / "broken.parquet", "m")
    (tmp_path / "half.csv.gz").write_bytes(gzip.compress(b"u,arm,m\n1,A,2\n" * 9000)[:-30])
    with pytest.raises(LakeError, match="can't be read as a table"):
        found(tmp_path / "half.csv.gz", "m")


def test_a_metric_may_have_a_colon_in_its_name() -> None:
    assert parse_metric("a:b:money") == Metric("a:b", "money")
    assert parse_metric("a:b") == Metric("a:b", None)
    assert parse_metric(":money") == Metric(":money", None)


def test_the_order_of_rows_changes_no_bit(tmp_path: Path) -> None:
    frame = pd.concat([shop(300), shop(300).assign(money=0.1, bought=0)])
    results = []
    for seed in range(3):
        path = tmp_path / f"{seed}.csv"
        frame.sample(frac=1, random_state=seed).to_csv(path, index=False)
        results.append(json.dumps(found(path, "bought", "money", covariate="pre")))
    assert len(set(results)) == 1


def test_no_row_is_taken_for_a_comment_or_skipped(file: Callable[..., Path]) -> None:
    rows = [f"#{n},{'AB'[n % 2]},{n}" for n in range(100)]
    result = found(file("/".join(["u,arm,m", *rows])), "m")
    assert result["comparisons"][0]["difference"] == 1.0
    assert result["sample_ratio"] == {"chi2": 0.0, "p_value": 1.0, "mismatch": False}
    with pytest.raises(LakeError, match=r"has no column u|can't be read as a table"):
        found(file("/".join(["report of May", "u,arm,m", *rows])), "m")
