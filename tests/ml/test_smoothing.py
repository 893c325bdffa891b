"""Exponential smoothing on trading days: statsmodels' states, weekdays, odd and closed days."""

import json

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from lakehouse.errors import LakeError
from ml import smoothing
from ml.daily_series import next_open_days, open_days, scale_of, trading_weekdays
from ml.smoothing import fit, forecast, from_json, run


def shop(weeks: int = 40, *, noise: float = 0.1, seed: int = 1) -> "pd.Series[float]":
    """Daily sales that grow, without Saturdays, quiet on Sundays; values 0 where it is closed."""
    days = pd.date_range("2011-01-03", periods=7 * weeks, freq="D")
    random = np.random.default_rng(seed)
    level = 1000 * np.exp(0.0015 * np.arange(len(days)) + random.normal(0, noise, len(days)))
    factor = np.array([1.0, 1.1, 1.0, 1.2, 0.9, 0.0, 0.5])[days.dayofweek]
    return pd.Series(level * factor, index=days)


@pytest.mark.parametrize("kind", ["smoothing", "trend"])
def test_forecasts_and_their_spread_are_those_of_statsmodels(
    kind: smoothing.Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoothing, "HUBER", np.inf)
    series = open_days(shop(20))
    model = fit(series, kind)
    effects = np.array([model.effects[day] for day in series.index.dayofweek])  # type: ignore[attr-defined]
    adjusted = np.log(series.to_numpy()) - effects
    is_damped = kind == "trend"
    theirs = ETSModel(
        pd.Series(adjusted), error="add", trend="add" if is_damped else None, damped_trend=is_damped
    )
    parameters = [model.alpha, *([model.beta, model.phi] if is_damped else []), model.level]
    known = theirs.smooth([*parameters, *([model.trend] if is_damped else [])])
    np.testing.assert_allclose(run(model, series).expected - effects, known.fittedvalues)
    ahead = forecast(model, series, days=12)
    own = ahead["centre"] - [model.effects[day.weekday()] for day in ahead["day"]]
    np.testing.assert_allclose(own, known.forecast(12))
    shown = known.get_prediction(start=len(adjusted), end=len(adjusted) + 11)
    theirs_growth = shown.forecast_variance / shown.forecast_variance[0]
    np.testing.assert_allclose((ahead["width"] / model.spread) ** 2, np.asarray(theirs_growth))


def test_a_model_is_the_same_after_it_was_json() -> None:
    series = open_days(shop(12))
    for kind in smoothing.KINDS:
        model = fit(series, kind)
        again = from_json(json.loads(json.dumps(model.as_json())))
        assert again == model
        pd.testing.assert_frame_equal(
            forecast(again, series, days=9), forecast(model, series, days=9)
        )


def test_a_shop_without_saturdays_is_foreseen_on_its_trading_days_alone() -> None:
    whole = shop()
    assert trading_weekdays(whole) == (0, 1, 2, 3, 4, 6)
    ahead = forecast(fit(open_days(whole), "smoothing"), open_days(whole), days=12)
    assert [day.dayofweek for day in ahead["day"]] == [0, 1, 2, 3, 4, 6] * 2
    assert tuple(day.date() for day in ahead["day"]) == next_open_days(
        (0, 1, 2, 3, 4, 6), whole.index[-1].date(), 12
    )
    true = 1000 * np.exp(0.0015 * (len(whole) + np.arange(14)))
    true *= np.array([1.0, 1.1, 1.0, 1.2, 0.9, 0.0, 0.5] * 2)
    np.testing.assert_allclose(ahead["expected"], true[true > 0], rtol=0.15)


def test_one_odd_day_hardly_moves_what_comes_after() -> None:
    whole = shop(noise=0.05)
    odd = whole.copy()
    odd.iloc[-3] *= 30
    model = fit(open_days(whole), "smoothing")
    calm, after = (forecast(model, open_days(each), days=6)["expected"] for each in (whole, odd))
    np.testing.assert_allclose(after, calm, rtol=0.1)


def test_a_series_is_on_logarithms_only_where_its_values_are_above_zero() -> None:
    values = np.array([10.0] * 97 + [-5.0] * 3)
    scale = scale_of(values)
    assert (scale.is_log, scale.floor) == (True, 0.5)
    np.testing.assert_allclose(scale.back(scale.forward(values))[[0, -1]], [10.0, 0.5])
    assert not scale_of(np.array([1.0, -1.0] * 20)).is_log


def test_a_short_history_is_named_with_what_is_needed() -> None:
    with pytest.raises(LakeError, match="has 36 trading days, a forecast needs 42"):
        open_days(shop(6))
