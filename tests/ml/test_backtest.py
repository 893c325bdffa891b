"""Back-tests and odd days on series whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.errors import LakeError
from ml.anomalies import of_series
from ml.backtest import HORIZON, backtest, calibrated, origins, quality
from ml.daily_series import open_days
from ml.smoothing import fit
from tests.ml.test_smoothing import shop


def test_a_model_beats_the_seasonal_naive_rule_and_its_intervals_hold() -> None:
    series = open_days(shop(50, noise=0.2))
    tested = backtest(series, "smoothing")
    found = quality(tested, calibrated(fit(series, "smoothing"), tested))
    assert found.mase < 1
    assert found.relative_error < 0.9
    assert abs(found.coverage_80 - 0.80) <= 0.05
    assert abs(found.coverage_95 - 0.95) <= 0.05
    assert len(found.folds["mase"]) == len(origins(series))


def test_no_forecast_reads_a_day_after_its_origin() -> None:
    series = open_days(shop(20))
    changed = series.copy()
    at = origins(series)[2]
    changed.iloc[at:] *= 5
    names = ["origin", "day", "expected", "width", "naive"]
    tested = [backtest(each, "smoothing") for each in (series, changed)]
    before, after = (each.loc[each["origin"] <= at, names] for each in tested)
    pd.testing.assert_frame_equal(before, after)
    assert set(before.groupby("origin").size()) == {HORIZON}


def test_too_few_days_for_a_back_test_are_named() -> None:
    with pytest.raises(LakeError, match="a back-test needs 114"):
        origins(open_days(shop(15)))


def test_a_planted_anomaly_is_found_and_thirty_calm_days_are_quiet() -> None:
    for seed in range(5):
        whole = shop(30, noise=0.15, seed=seed)
        calm = of_series(whole)
        assert not calm["is_anomaly"].tail(30).any(), seed
        planted = whole.copy()
        day = whole.index[-9]
        assert day.dayofweek == 5 or whole[day] > 0
        day = day if whole[day] > 0 else whole.index[-10]
        planted[day] *= 4
        found = of_series(planted)
        assert found.loc[found["is_anomaly"], "day"].tail(1).item() == day, seed
        assert found["is_anomaly"].tail(30).sum() == 1, seed


def test_a_closed_day_is_odd_and_moves_no_expectation() -> None:
    whole = shop(30)
    closed = whole.copy()
    closed.iloc[-8] = 0.0
    known, found = (of_series(each).set_index("day") for each in (whole, closed))
    day = whole.index[-8]
    assert found.loc[day, "is_anomaly"]
    assert found.loc[day, "actual"] == 0
    later = found.index > day
    np.testing.assert_allclose(found["expected"][later], known["expected"][later], rtol=0.05)
