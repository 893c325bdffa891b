"""The pages Forecast and Models: what they show of scores and decisions, and of none."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from dashboards.figures.forecast import daily_sales
from dashboards.pages.forecast import page as forecast_page
from dashboards.pages.models import page as models_page
from dashboards.queries.models import ModelState
from ml.decisions import Decision
from ml.serving import Served


def forecasts() -> pd.DataFrame:
    """Eight days that were, the last of them odd, and two to come."""
    days = [date(2011, 12, day) for day in range(1, 11)]
    is_future = [False] * 8 + [True] * 2
    frame = pd.DataFrame({"forecast_date": pd.to_datetime(days), "is_future": is_future})
    bounds = {"low_95": 50.0, "low_80": 80.0, "expected_value": 100.0, "high_80": 125.0}
    return frame.assign(
        **bounds,
        high_95=200.0,
        actual_value=[110.0] * 7 + [900.0, None, None],
        error_spreads=[0.3] * 7 + [7.5, None, None],
        is_anomaly=[False] * 7 + [True, False, False],
        model_version="daily_sales 3",
    )


def text(component: Any) -> str:
    return json.dumps(component, default=lambda part: part.to_plotly_json(), ensure_ascii=False)


def test_the_forecast_shows_what_comes_and_names_the_odd_days() -> None:
    notice, is_hidden, cards, figure, table, odd = forecast_page.figures_for(forecasts())
    assert (notice, is_hidden) == (None, False)
    shown = text(cards)
    assert "£200" in shown  # the two days to come
    assert "88%" in shown  # seven days of eight within the band
    assert "daily_sales 3" in shown
    assert "Thu 8 Dec 2011" in text(odd)
    assert "7.5" in text(odd)
    assert "Sat 10 Dec 2011" in text(table)
    traces = {each["name"]: each for each in figure["data"]}
    assert traces["Odd day"]["y"] == [900.0]
    assert len(traces["Expected"]["y"]) == 10
    assert figure == daily_sales(forecasts())


def test_without_scores_and_models_the_pages_say_which_command_fills_them() -> None:
    notice, is_hidden, *_ = forecast_page.figures_for(forecasts().iloc[:0])
    assert is_hidden
    assert "./lake run ml" in text(notice)
    empty = [ModelState("churn", "who stays away", {}, (), "")]
    assert "./lake run ml" in text(models_page.body(empty, pd.DataFrame()))


def test_the_models_show_versions_decisions_cards_and_drift() -> None:
    served = Served("churn", 2, "r", "f", "json", "0" * 64, "2011-12-10T08:00:00+00:00", "")
    shadow = Served("churn", 3, "r", "f", "json", "0" * 64, "2011-12-11T08:00:00+00:00", "")
    at = "2011-12-10T08:00:00Z"
    past = (
        Decision("promoted", "churn", 2, 1, "ada", "better", at, {"auc": 0.71}),
        Decision("refused", "churn", 3, 2, "ada", "worse on 200 units", at, {"auc": 0.69}),
    )
    state = ModelState(
        *("churn", "who stays away", {"champion": served, "challenger": shadow}, past),
        "# churn\n\nLimits.",
    )
    look = {"model": "churn", "column_name": "recency_days", "psi": 0.31, "limit_psi": 0.1}
    drift = pd.DataFrame([{**look, "ks": 0.2, "limit_ks": 0.05, "is_drift": True}])
    drift["measured_at"] = datetime(2011, 12, 12, tzinfo=UTC)
    shown = text(models_page.body([state], drift))
    for part in ("version 2 serves", "Version 3 scores in its shadow", "0.710", "0.690"):
        assert part in shown
    for part in ("worse on 200 units", "ada", "Limits.", "recency_days", "0.310", "drift"):
        assert part in shown


def test_a_damaged_champion_is_shown_as_such() -> None:
    past = (Decision("promoted", "churn", 1, None, "ada", "better", "2011-12-10T08:00:00Z"),)
    state = ModelState("churn", "who stays away", {}, past, "", "The file of churn 1 is refused.")
    shown = text(models_page.body([state], pd.DataFrame()))
    assert "refused file" in shown
    assert "The file of churn 1 is refused." in shown
