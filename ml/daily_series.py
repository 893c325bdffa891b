"""Daily KPIs as series, and the days on which this shop trades.

In: gold's daily KPIs. Out: a pandas Series by day, on the scale on which a model is linear. A shop
without Saturdays, or one closed at Easter, has no sale to foresee then: closed days are left out,
so that a season is a week of trading days. Run standalone: `lake job train`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.kpis import TABLE
from lakehouse.errors import LakeError

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

RECENT_WEEKS = 8
"""Weeks in which a weekday must be open at least every second time to count as a trading day."""
LEAST_DAYS = 42
"""Trading days that a model needs: seven weeks of six."""
FLOOR_SHARE = 0.05
"""On the scale of logarithms a smaller value counts as this share of the median."""
LEAST_POSITIVE_SHARE = 0.95


def kpi_series(cursor: "duckdb.DuckDBPyConnection", kpi: str) -> "pd.Series[float]":
    """Values of a KPI by day in order, in its own unit, days without sales (value 0) included.

    Raises:
        LakeError: Gold has no value of this KPI.
    """
    frame = cursor.execute(
        f"select kpi_date, value::double as value from {TABLE} where kpi = $kpi order by kpi_date",
        {"kpi": kpi},
    ).df()
    if frame.empty:
        raise LakeError(f"Gold holds no value of the KPI '{kpi}', so there is nothing to foresee.")
    series: pd.Series[float] = frame.set_index("kpi_date")["value"]
    return series


def dates(series: "pd.Series[float]") -> "pd.DatetimeIndex":
    """The days of a series."""
    import pandas as pd

    return pd.DatetimeIndex(series.index)


def trading_weekdays(series: "pd.Series[float]") -> tuple[int, ...]:
    """Weekdays (Monday 0) with a value other than 0 at least every second time lately."""
    recent = series[dates(series) > dates(series)[-1] - timedelta(weeks=RECENT_WEEKS)]
    span = dates(recent)
    weeks = max(1, min(RECENT_WEEKS, ((span[-1] - span[0]).days + 7) // 7))
    days = dates(recent[recent != 0]).dayofweek
    return tuple(day for day in range(7) if 2 * int((days == day).sum()) >= weeks)


def open_days(series: "pd.Series[float]") -> "pd.Series[float]":
    """The days that count: trading weekdays with a value other than 0.

    Raises:
        LakeError: They are fewer than `LEAST_DAYS`.
    """
    found = series[(series != 0) & dates(series).dayofweek.isin(trading_weekdays(series))]
    if len(found) < LEAST_DAYS:
        raise LakeError(
            f"The series has {len(found)} trading days, a forecast needs {LEAST_DAYS}: wait for "
            "more history, or load an older extract."
        )
    return found


def next_open_days(weekdays: tuple[int, ...], after: date, count: int) -> tuple[date, ...]:
    """The next `count` days on these weekdays."""
    found: list[date] = []
    day = after
    while len(found) < count and weekdays:
        day += timedelta(days=1)
        if day.weekday() in weekdays:
            found.append(day)
    return tuple(found)


@dataclass(frozen=True)
class Scale:
    """On which scale a series is modelled: logarithms where values are above 0, else as it is."""

    is_log: bool
    floor: float

    def forward(self, values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Values on the scale of the model."""
        import numpy as np

        return np.log(np.maximum(values, self.floor)) if self.is_log else values

    def back(self, values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        """Values in the unit of the KPI."""
        import numpy as np

        return np.exp(values) if self.is_log else values


def scale_of(values: "np.ndarray[Any, Any]") -> Scale:
    """Logarithms where at least 95 % of the values are above 0, so that effects multiply."""
    import numpy as np

    positive = values > 0
    if float(positive.mean()) < LEAST_POSITIVE_SHARE:
        return Scale(False, 0.0)
    return Scale(True, float(np.median(values[positive])) * FLOOR_SHARE)


def weekday_effects(series: "pd.Series[float]") -> Mapping[int, float]:
    """What each weekday adds to the level of its time, on the scale of the model; their mean is 0.

    The level is a running median of three weeks, so that odd days don't count.
    """
    level = series.rolling(19, center=True, min_periods=5).median()
    effects = (series - level).groupby(dates(series).dayofweek).median()
    centred = effects - effects.mean()
    return {int(str(day)): float(value) for day, value in centred.items()}
