"""What each day of a KPI was expected to be, and which days are far from all expectation.

In: a daily KPI as a series. Out: one row per trading day with the value that the days before it
promised, intervals, and whether it is odd. Alerts and screens read this.
Run standalone: the page Forecast, and `expected_days` from any reader on gold.
"""

from typing import TYPE_CHECKING

from ml.daily_series import dates, kpi_series, open_days, trading_weekdays
from ml.smoothing import Smoothing, fit, run, with_intervals

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

LEAST_SPREADS = 4.0
"""A day is odd when its error is more than so many usual errors: once in 16,000 normal ones."""
TAIL, MARGIN = 0.99, 1.25
"""Where errors have heavy tails, also `MARGIN` times what one day in a hundred exceeds."""


def expected_days(gold: "duckdb.DuckDBPyConnection", kpi: str) -> "pd.DataFrame":
    """What each trading day of a KPI was expected to be; a level that is fitted to all of it.

    Returns:
        As `of_series` gives it.

    Raises:
        LakeError: Gold holds no value of the KPI, or fewer than seven weeks of them.
    """
    return of_series(kpi_series(gold, kpi))


def of_series(series: "pd.Series[float]", model: Smoothing | None = None) -> "pd.DataFrame":
    """What each trading day of a series was expected to be, one step ahead.

    A trading weekday with the value 0, such as a holiday, is odd and moves no expectation.

    Returns:
        One row per trading day in order: day, actual, expected (the median), low_80, high_80,
        low_95, high_95 in the unit of the series, error_spreads (the error in usual errors, signed)
        and is_anomaly.
    """
    import numpy as np
    import pandas as pd

    opened = open_days(series)
    used = fit(opened, "smoothing") if model is None else model
    due = series[dates(series).dayofweek.isin(trading_weekdays(series))]
    due = due[dates(due) >= dates(opened)[0]]
    found = run(used, due.where(due != 0))
    errors = (used.scale.forward(due.to_numpy()) - found.expected) / used.spread
    most = max(LEAST_SPREADS, MARGIN * float(np.nanquantile(np.abs(errors[due != 0]), TAIL)))
    frame = pd.DataFrame(
        {
            "day": found.days,
            "actual": due.to_numpy(),
            "centre": found.expected,
            "width": used.spread,
        }
    )
    frame = with_intervals(frame.assign(width=used.spread), used).assign(
        error_spreads=errors, is_anomaly=np.abs(errors) > most
    )
    return frame[
        [
            *("day", "actual", "expected", "low_80", "high_80", "low_95", "high_95"),
            *("error_spreads", "is_anomaly"),
        ]
    ]
