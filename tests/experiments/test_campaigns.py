"""Campaigns: difference in differences against a regression, trends before, faults of a file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.campaigns import Campaign, analyse_campaign
from lakehouse.errors import LakeError


def panel(*, effect: float = 2.0, drift: float = 0.0, seed: int = 5) -> pd.DataFrame:
    """Sixty units over eight weeks from day 0; the campaign begins in week 4."""
    random = np.random.default_rng(seed)
    rows = []
    for unit in range(60):
        is_treated = unit % 2 == 0
        level = random.normal(20, 5) + (7 if is_treated else 0)
        for week in range(8):
            value = level + week * (0.3 + drift * is_treated) + random.normal(0, 2)
            value += effect * (is_treated and week >= 4)
            group = "France" if is_treated else "Spain"
            rows.append((f"u{unit}", group, f"2011-10-{3 + week:02d}", value))
    return pd.DataFrame(rows, columns=["unit", "land", "day", "sales"])


def analysed(frame: pd.DataFrame, path: Path, start: str = "2011-10-07") -> Campaign:
    frame.to_csv(path, index=False)
    return analyse_campaign(
        path,
        unit="unit",
        group="land",
        treated="France",
        period="day",
        start=start,
        metric="sales",
    )


def test_the_difference_is_that_of_a_regression_with_errors_by_unit(tmp_path: Path) -> None:
    from statsmodels.regression.linear_model import OLS

    frame = panel()
    found = analysed(frame, tmp_path / "f.csv")
    frame["treated"] = (frame.land == "France").astype(int)
    frame["after"] = (frame.day >= "2011-10-07").astype(int)
    codes = frame.unit.astype("category").cat.codes
    frame["both"] = frame.treated * frame.after
    design = frame[["treated", "after", "both"]].assign(level=1)
    fit = OLS(frame.sales, design).fit(cov_type="cluster", cov_kwds={"groups": codes})
    figures = found.figures
    assert figures.difference == pytest.approx(fit.params["both"])
    assert figures.statistic == pytest.approx(fit.tvalues["both"], rel=0.02)
    assert figures.ci_low is not None
    assert figures.ci_low < 2.0 < (figures.ci_high or 0)
    assert found.bootstrap_low == pytest.approx(figures.ci_low, abs=0.15)
    assert found.bootstrap_high == pytest.approx(figures.ci_high, abs=0.15)
    assert found.verdict.startswith("The campaign raised sales by ")
    assert analysed(frame, tmp_path / "g.csv") == found


def test_groups_that_drifted_apart_before_get_no_verdict(tmp_path: Path) -> None:
    found = analysed(panel(effect=0, drift=1.5), tmp_path / "f.csv")
    assert found.figures.difference > 3
    assert found.verdict.startswith("No verdict: before the campaign the groups' sales changed")


@pytest.mark.slow
def test_without_an_effect_it_alarms_about_as_often_as_it_says(tmp_path: Path) -> None:
    alarms = 0
    for seed in range(20):
        found = analysed(panel(effect=0, seed=seed), tmp_path / "f.csv")
        alarms += (found.figures.p_value or 1) < 0.05
    assert alarms <= 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "2011-10-01"}, "0 periods before 2011-10-01 and 8 from then on"),
        ({"start": "soon"}, "must be dates such as 2011-12-09, or numbers"),
        ({"value": "much"}, "without unit, group, period or a finite figure"),
        ({"value": "inf"}, "without unit, group, period or a finite figure"),
        ({"land": "Spain"}, "is in two groups"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    frame = panel().astype({"sales": object})
    if "value" in change:
        frame.loc[3, "sales"] = change["value"]
    if "land" in change:
        frame.loc[3, "land"] = change["land"]
    with pytest.raises(LakeError, match=message):
        analysed(frame, tmp_path / "f.csv", start=change.get("start", "2011-10-07"))
