"""Exponential smoothing of a daily series on trading days: states, one-step errors, forecasts.

In: a series of open days and a `Smoothing`, plain numbers that are stored as JSON. Out: what each
day was expected to be the day before, and forecasts with intervals. Applying a model needs numpy
alone; only `fit` imports statsmodels.
Source: Hyndman, Koehler, Ord & Snyder (2008), Forecasting with Exponential Smoothing, models
ETS(A,N,N) and ETS(A,Ad,N), table 6.1 for the variance; odd days are pulled in before they move the
states as in Gelper, Fried & Croux (2010), Robust forecasting with exponential and Holt-Winters
smoothing, Journal of Forecasting 29.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from ml.daily_series import (
    Scale,
    dates,
    next_open_days,
    scale_of,
    trading_weekdays,
    weekday_effects,
)
from ml.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Kind = Literal["seasonal_naive", "smoothing", "trend"]
KINDS: tuple[Kind, ...] = ("seasonal_naive", "smoothing", "trend")
"""The last value of the weekday; a level, ETS(A,N,N); a level with a damped trend, ETS(A,Ad,N)."""

HUBER = 2.0
"""An error of more than so many spreads moves the states as one of that size."""
NORMAL = {0.025: -1.959964, 0.1: -1.281552, 0.9: 1.281552, 0.975: 1.959964}
"""Quantiles of the errors in spreads, as long as no back-test has measured them."""
MAD = 1.4826
"""Turns a median absolute deviation into a standard deviation of normal errors."""


@dataclass(frozen=True)
class Smoothing:
    """A model of a daily series. `spread` is the robust standard deviation of one-step errors.

    `level` and `trend` are the states before the day `since`; a series that begins on another day
    starts from the median of its first week.
    """

    kind: Kind
    scale: Scale
    effects: Mapping[int, float]
    alpha: float
    beta: float
    phi: float
    spread: float
    quantiles: Mapping[float, float]
    since: str
    level: float
    trend: float

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `from_json`."""
        found = asdict(self)
        for name in ("effects", "quantiles"):
            found[name] = {str(key): value for key, value in found[name].items()}
        return found


def from_json(found: Mapping[str, Any]) -> Smoothing:
    """A model from what `as_json` gave. Raises: KeyError, TypeError or ValueError for another."""
    return Smoothing(
        **{
            **found,
            "scale": Scale(**found["scale"]),
            "effects": {int(day): float(value) for day, value in found["effects"].items()},
            "quantiles": {float(q): float(value) for q, value in found["quantiles"].items()},
        }
    )


@dataclass(frozen=True)
class Run:
    """A series under a model: what was expected of each day, errors on its scale, last states."""

    days: "pd.DatetimeIndex"
    expected: "np.ndarray[Any, Any]"
    errors: "np.ndarray[Any, Any]"
    level: float
    trend: float


def fit(series: "pd.Series[float]", kind: Kind) -> Smoothing:
    """Fit a model to a series of open days.

    Args:
        series: As `ml.daily_series.open_days` gives it.
        kind: Which one; the parameters of the last two are found by maximum likelihood.
    """
    import numpy as np

    scale = scale_of(series.to_numpy())
    shown = series.copy()
    shown[:] = scale.forward(series.to_numpy())
    effects = weekday_effects(shown)
    found = _Parameters()
    if kind != "seasonal_naive":
        adjusted = shown.to_numpy() - _effects_on(dates(shown), effects)
        found = _likeliest(_tamed(adjusted), is_damped=kind == "trend")
    rough = Smoothing(
        kind,
        scale,
        effects,
        found.alpha,
        found.beta,
        found.phi,
        np.inf,
        NORMAL,
        first_day(series).isoformat(),
        found.level,
        found.trend,
    )
    errors = run(rough, series).errors
    spread = max(_spread(errors), 1e-9)
    return replace(rough, spread=spread)


def run(model: Smoothing, series: "pd.Series[float]") -> Run:
    """Go through a series of trading days, each foreseen from the days before it.

    A day without a value (NaN) is foreseen too, and moves no state.
    """
    import numpy as np

    values = model.scale.forward(series.to_numpy())
    if model.kind == "seasonal_naive":
        expected = _last_of_weekday(values, dates(series))
        return Run(dates(series), expected, values - expected, 0.0, 0.0)
    effects = _effects_on(dates(series), model.effects)
    adjusted = values - effects
    most = HUBER * model.spread
    is_same = first_day(series).isoformat() == model.since
    start = float(np.nanmedian(adjusted[:6]))
    level, trend = (model.level, model.trend) if is_same else (start, 0.0)
    expected = np.empty(len(values))
    for at, value in enumerate(adjusted):
        ahead = level + model.phi * trend
        expected[at] = ahead
        error = 0.0 if np.isnan(value) else min(max(value - ahead, -most), most)
        level, trend = ahead + model.alpha * error, model.phi * trend + model.beta * error
    return Run(dates(series), expected + effects, adjusted - expected, level, trend)


def forecast(model: Smoothing, series: "pd.Series[float]", *, days: int) -> "pd.DataFrame":
    """Forecast the next trading days after a series of open days.

    Returns:
        One row per day: day, horizon (1, 2 …), expected (the median), low_80, high_80, low_95,
        high_95, in the unit of the series, and `centre` and `width` on the scale of the model.
    """
    import numpy as np
    import pandas as pd

    ahead = next_open_days(trading_weekdays(series), series.index[-1].date(), days)
    found = run(model, series)
    horizon = np.arange(1, len(ahead) + 1)
    index = pd.DatetimeIndex(ahead)
    if model.kind == "seasonal_naive":
        last = dict(
            zip(dates(series).dayofweek, model.scale.forward(series.to_numpy()), strict=True)
        )
        centre = np.array([last[day] for day in index.dayofweek])
        width = model.spread * np.sqrt(1 + (horizon - 1) // max(1, len(last)))
    else:
        damping = np.cumsum(model.phi**horizon) if model.phi else np.zeros(len(ahead))
        centre = found.level + damping * found.trend + _effects_on(index, model.effects)
        width = model.spread * np.sqrt(_variances(model, len(ahead)))
    frame = pd.DataFrame({"day": index, "horizon": horizon, "centre": centre, "width": width})
    return with_intervals(frame, model)


def with_intervals(frame: "pd.DataFrame", model: Smoothing) -> "pd.DataFrame":
    """Add the expected value and the intervals to `centre` and `width`."""
    back, z = model.scale.back, model.quantiles
    centre, width = frame["centre"].to_numpy(), frame["width"].to_numpy()
    return frame.assign(
        expected=back(centre),
        low_80=back(centre + z[0.1] * width),
        high_80=back(centre + z[0.9] * width),
        low_95=back(centre + z[0.025] * width),
        high_95=back(centre + z[0.975] * width),
    )


def first_day(series: "pd.Series[float]") -> date:
    """The first day of a series."""
    found: date = series.index[0].date()
    return found


def _variances(model: Smoothing, count: int) -> "np.ndarray[Any, Any]":
    """Variance of the error 1, 2 … days ahead, in squared spreads.

    Source: Hyndman et al. (2008), eq. 6.10: 1 + sum of c_j² for j below the horizon, with
    c_j = alpha + beta (phi + … + phi^j).
    """
    import numpy as np

    steps = np.arange(1, count)
    gains = model.alpha + model.beta * np.cumsum(model.phi**steps)
    return np.concatenate([[1.0], 1.0 + np.cumsum(gains**2)])


@dataclass(frozen=True)
class _Parameters:
    alpha: float = 0.0
    beta: float = 0.0
    phi: float = 0.0
    level: float = 0.0
    trend: float = 0.0


def _likeliest(values: "np.ndarray[Any, Any]", *, is_damped: bool) -> _Parameters:
    import warnings

    from statsmodels.tools.sm_exceptions import ConvergenceWarning
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(
        values, error="add", trend="add" if is_damped else None, damped_trend=is_damped
    )
    with warnings.catch_warnings():
        # The likelihood is flat near its top; the back-test says whether what was found is good.
        warnings.simplefilter("ignore", ConvergenceWarning)
        with one_thread():
            found = model.fit(disp=False)
    alpha, level = float(found.smoothing_level), float(found.initial_level)
    if not is_damped:
        return _Parameters(alpha, level=level)
    return _Parameters(
        alpha,
        float(found.smoothing_trend),
        float(found.damping_trend),
        level,
        float(found.initial_trend),
    )


def _tamed(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Values whose odd days are pulled in to three spreads from a running median."""
    import numpy as np
    import pandas as pd

    level = pd.Series(values).rolling(19, center=True, min_periods=5).median().to_numpy()
    most = 3 * max(_spread(values - level), 1e-9)
    tamed: np.ndarray[Any, Any] = level + np.clip(values - level, -most, most)
    return tamed


def _spread(errors: "np.ndarray[Any, Any]") -> float:
    import numpy as np

    return MAD * float(np.median(np.abs(errors - np.median(errors))))


def _effects_on(days: "pd.DatetimeIndex", effects: Mapping[int, float]) -> "np.ndarray[Any, Any]":
    import numpy as np

    return np.array([effects.get(day, 0.0) for day in days.dayofweek])


def _last_of_weekday(
    values: "np.ndarray[Any, Any]", days: "pd.DatetimeIndex"
) -> "np.ndarray[Any, Any]":
    """For each day the value of the open day of its weekday before; its own where there is none."""
    import numpy as np

    last: dict[int, float] = {}
    found = np.empty(len(values))
    for at, (day, value) in enumerate(zip(days.dayofweek, values, strict=True)):
        found[at] = last.get(day, value)
        if not np.isnan(value):
            last[day] = value
    return found
