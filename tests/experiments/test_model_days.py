"""Champion and challenger on live days: each day counts once, dealt by a hash, read as any test."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from experiments.assignment import arm_of
from experiments.model_days import analyse_models
from lakehouse.contracts.scores import DAILY_SALES_FORECAST
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from ml import scores

KNOWN = date(2011, 9, 30)
DAYS = [KNOWN + timedelta(days=number) for number in range(-5, 61)]


def error_of(alias: str, day: date) -> float:
    return (30.0 if alias == "challenger" else 100.0) + day.day


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(home=tmp_path / "lake")
    rows = [
        {
            "forecast_date": day,
            "alias": alias,
            "horizon_days": 1,
            "is_future": day > DAYS[-3],
            "actual_value": 1000.0,
            "expected_value": 1000.0 - error_of(alias, day),
            **dict.fromkeys(("low_80", "high_80", "low_95", "high_95", "error_spreads"), 0.0),
            "is_anomaly": False,
            "model_version": f"daily_sales {version}",
            "scored_at": pd.Timestamp("2011-12-10", tz="UTC"),
        }
        for day in DAYS
        for version, alias in ((1, "champion"), (2, "challenger"))
    ]
    frame = pd.DataFrame(rows)
    scores.replace(DAILY_SALES_FORECAST, frame, settings=found, metadata={"query": "t"})
    return found


def test_each_live_day_counts_for_the_model_that_it_was_dealt_to(settings: Settings) -> None:
    found = analyse_models(
        settings, champion="daily_sales 1", challenger="daily_sales 2", known_until=KNOWN
    )
    live = [day for day in DAYS if KNOWN < day <= DAYS[-3]]
    dealt: dict[str, list[float]] = {"champion": [], "challenger": []}
    for day in live:
        arm = arm_of(
            day.isoformat(), salt="daily_sales 1/daily_sales 2", weights=dict.fromkeys(dealt, 1)
        )
        dealt[arm].append(error_of(arm, day))
    assert found.units == {arm: len(errors) for arm, errors in dealt.items()}
    [compared] = found.comparisons
    means = {arm: sum(errors) / len(errors) for arm, errors in dealt.items()}
    assert compared.figures.difference == pytest.approx(means["challenger"] - means["champion"])
    assert found.verdict.startswith("Against champion: challenger lowers absolute_error by")


def test_too_few_days_of_both_are_no_experiment(settings: Settings, tmp_path: Path) -> None:
    pair = {"champion": "daily_sales 1", "challenger": "daily_sales 2"}
    with pytest.raises(LakeError, match="2 days after 2011-11-25 were scored by both"):
        analyse_models(settings, **pair, known_until=DAYS[-5])
    with pytest.raises(LakeError, match="0 days"):
        analyse_models(Settings(home=tmp_path / "none"), **pair, known_until=KNOWN)
