"""How good forecasts are: each made as of a day of the past, and held against what came.

In: a series of open days. Out: one row per origin and day foreseen, and figures of it.
Source: rolling-origin evaluation, Tashman (2000), International Journal of Forecasting 16; MASE,
Hyndman & Koehler (2006), same journal 22; intervals from the errors of the back-test itself,
normalised by the model's width, are split conformal: Vovk, Gammerman & Shafer (2005).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from ml.daily_series import LEAST_DAYS, dates
from ml.smoothing import KINDS, Kind, Smoothing, fit, forecast, with_intervals

if TYPE_CHECKING:
    import pandas as pd

HORIZON = 12
"""Trading days that each origin foresees: two weeks of six."""
STEP = 6
"""Trading days between two origins: a week."""
FIRST_ORIGIN = 2 * LEAST_DAYS
LEAST_ORIGINS = 4
LEVELS = {0.8: (0.1, 0.9), 0.95: (0.025, 0.975)}


@dataclass(frozen=True)
class Quality:
    """Figures of one kind of model over all origins, and by origin (`folds`)."""

    mase: float
    relative_error: float
    coverage_80: float
    coverage_95: float
    folds: Mapping[str, tuple[float, ...]]


def origins(series: "pd.Series[float]") -> tuple[int, ...]:
    """Places in the series at which a forecast begins, a week apart, the last with a full horizon.

    Raises:
        LakeError: The series is too short for `LEAST_ORIGINS`.
    """
    found = tuple(range(FIRST_ORIGIN, len(series) - HORIZON + 1, STEP))
    if len(found) < LEAST_ORIGINS:
        needed = FIRST_ORIGIN + HORIZON + STEP * (LEAST_ORIGINS - 1)
        raise LakeError(
            f"The series has {len(series)} trading days, a back-test needs {needed}: wait for more "
            "history, or load an older extract."
        )
    return found


def backtest(series: "pd.Series[float]", kind: Kind) -> "pd.DataFrame":
    """Forecasts of a kind of model, fitted again at each origin to the days before it.

    Returns:
        One row per origin and day: origin (place), day, horizon, actual, expected, `error` (on the
        scale of the model, in widths), centre, width, and `naive` (the weekday's last value before
        the origin) with `naive_scale`, the mean error of the seasonal naive before the origin.
    """
    import pandas as pd

    parts = []
    for at in origins(series):
        known, unseen = series.iloc[:at], series.iloc[at : at + HORIZON]
        parts.append(foreseen(fit(known, kind), known, unseen).assign(origin=at))
    return pd.concat(parts, ignore_index=True)


def foreseen(
    model: Smoothing, known: "pd.Series[float]", unseen: "pd.Series[float]"
) -> "pd.DataFrame":
    """What a model foresees for days that came, from the days before them."""
    # Closed weekdays and holidays shift trading days: forecast far enough to reach the last one.
    far = forecast(model, known, days=2 * len(unseen) + 14).set_index("day")
    frame = far.reindex(unseen.index).dropna()
    actual = unseen.reindex(frame.index)
    last = known.groupby(dates(known).dayofweek).last()
    lagged = known.groupby(dates(known).dayofweek).diff().abs()
    error = (model.scale.forward(actual.to_numpy()) - frame["centre"]) / frame["width"]
    return frame.assign(
        actual=actual,
        error=error,
        naive=last.reindex(dates(actual).dayofweek).to_numpy(),
        naive_scale=float(lagged.mean()),
    ).reset_index(names="day")


def calibrated(model: Smoothing, tested: "pd.DataFrame") -> Smoothing:
    """The model with the quantiles of its errors as a back-test measured them."""
    return replace(model, quantiles=_quantiles(tested))


def quality(tested: "pd.DataFrame", model: Smoothing) -> Quality:
    """Figures of a back-test; intervals of an origin come from the origins well before it.

    The origins of the first third only measure: coverage is counted on the later ones.
    """
    loss = (tested["actual"] - tested["expected"]).abs()
    naive = (tested["actual"] - tested["naive"]).abs()
    by_origin = tested.assign(loss=loss, naive=naive, scaled=loss / tested["naive_scale"]).groupby(
        "origin"
    )
    mase = by_origin["scaled"].mean()
    relative = by_origin["loss"].sum() / by_origin["naive"].sum()
    coverage = _coverage(tested, model)
    return Quality(
        float(mase.mean()),
        float(loss.sum() / naive.sum()),
        float(coverage["in_80"].mean()),
        float(coverage["in_95"].mean()),
        {
            "mase": tuple(map(float, mase)),
            "relative_error": tuple(map(float, relative)),
            "coverage_80": tuple(map(float, coverage.groupby("origin")["in_80"].mean())),
            "coverage_95": tuple(map(float, coverage.groupby("origin")["in_95"].mean())),
        },
    )


def compare_kinds(series: "pd.Series[float]") -> dict[Kind, "pd.DataFrame"]:
    """A back-test of each kind of model on the same origins."""
    return {kind: backtest(series, kind) for kind in KINDS}


def _coverage(tested: "pd.DataFrame", model: Smoothing) -> "pd.DataFrame":
    import pandas as pd

    places = sorted(tested["origin"].unique())
    parts = []
    for place in places[len(places) // 3 :]:
        # An error is known once its day has come: only forecasts that ended before the origin.
        past = tested[tested["origin"] <= place - HORIZON]
        known = replace(model, quantiles=_quantiles(past))
        rows = with_intervals(tested[tested["origin"] == place], known)
        parts.append(
            pd.DataFrame(
                {
                    "origin": place,
                    "in_80": rows["actual"].between(rows["low_80"], rows["high_80"]),
                    "in_95": rows["actual"].between(rows["low_95"], rows["high_95"]),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _quantiles(tested: "pd.DataFrame") -> dict[float, float]:
    errors: Any = tested["error"]
    return {q: float(errors.quantile(q)) for pair in LEVELS.values() for q in pair}
