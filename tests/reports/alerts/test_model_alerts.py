"""Alerts on models: drift told once per model; days judged by the forecast where there is one."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from lakehouse.contracts.scores import DAILY_SALES_FORECAST, MODEL_DRIFT
from lakehouse.settings import Settings
from ml import scores
from reports.alerts.history import Foreseen
from reports.alerts.judging import Judgement, Reading, judge_day, judge_now
from reports.alerts.models import read_drift, read_foreseen
from tests.reports.alerts.shop import course, day, rule

MISSED = rule(kind="anomaly", kpi="gross_revenue", fire_beyond=4.0, clear_within=2.0)


def look(settings: Settings, hour: int, model: str, **columns: bool) -> None:
    at = datetime(2012, 1, 3, hour, tzinfo=UTC)
    rows = [
        {
            "measured_at": pd.Timestamp(at),
            "model": model,
            "column_name": name,
            "kind": "feature",
            "psi": 0.2,
            "ks": 0.2,
            "limit_psi": 0.1,
            "limit_ks": 0.1,
            "is_drift": drifted,
            "reference_rows": 50,
            "current_rows": 50,
            "model_version": f"{model} 1",
        }
        for name, drifted in columns.items()
    ]
    scores.append(
        MODEL_DRIFT, pd.DataFrame(rows), settings=settings, at=at, metadata={"query": "t"}
    )


def test_drift_is_read_from_the_last_look_at_each_model(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "lake")
    assert read_drift(settings) == {}
    look(settings, 6, "churn", recency=True, orders=True)
    look(settings, 7, "churn", recency=False, score=True)
    look(settings, 8, "daily_sales", error=False)
    found = read_drift(settings)
    assert found == {
        "churn": Reading(1.0, "columns", "score"),
        "daily_sales": Reading(0.0, "columns", ""),
    }
    drifted = rule(kind="model_drift", kpi="", fire_above=0)
    judged = judge_now(drifted, {"model_drift": found})
    assert [(each.subject, each.verdict) for each in judged] == [
        ("churn", "bad"),
        ("daily_sales", "calm"),
    ]


def test_the_past_days_of_the_model_in_use_are_read_and_no_others(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "lake")
    assert read_foreseen(settings) == {}
    rows = [
        {
            "forecast_date": day(n),
            "alias": alias,
            "horizon_days": 1,
            "is_future": is_future,
            "actual_value": 60.0,
            "expected_value": 100.0,
            "low_80": 90.0,
            "high_80": 110.0,
            "low_95": 80.0,
            "high_95": 125.0,
            "error_spreads": error,
            "is_anomaly": False,
            "model_version": "daily_sales 2",
            "scored_at": pd.Timestamp("2012-01-09", tz="UTC"),
        }
        for n, alias, is_future, error in (
            (0, "champion", False, -4.5),
            (0, "challenger", False, -9.0),
            (1, "champion", False, None),
            (2, "champion", True, None),
        )
    ]
    scores.replace(
        DAILY_SALES_FORECAST, pd.DataFrame(rows), settings=settings, metadata={"query": "t"}
    )
    expected = Foreseen(100.0, 80.0, 125.0, 0.0, "model daily_sales 2", 60.0, -4.5)
    assert read_foreseen(settings) == {"net_revenue": {day(0): expected}}


def test_a_day_is_judged_by_the_forecast_of_its_value_and_by_its_weekdays_otherwise() -> None:
    foreseen = Foreseen(5000.0, 4000.0, 6000.0, 0.0, "model daily_sales 2", 1000.0, -4.5)
    history = dataclasses.replace(course(120), foreseen={"gross_revenue": {day(115): foreseen}})
    high, low = judge_day(MISSED, history, day(115))
    assert (high.verdict, low.verdict) == ("calm", "bad")
    assert low == Judgement(
        "gross_revenue low",
        "bad",
        day(115),
        *(1000.0, -4.5, 5000.0, 4000.0, 6000.0, "money", "expected by: model daily_sales 2"),
    )
    restated = dataclasses.replace(
        course(120, changes={115: 101}), foreseen={"gross_revenue": {day(115): foreseen}}
    )
    found = judge_day(MISSED, restated, day(115))[1]
    assert (found.verdict, found.expected) == ("calm", 1000.0)
    assert found.detail == "expected by: median of the same weekdays"
