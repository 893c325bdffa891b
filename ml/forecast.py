"""The model `daily_sales`: net revenue of the coming trading days, with intervals.

In: gold's daily KPIs. Out: a `Smoothing` chosen by a back-test against the seasonal naive rule,
what a hold-out of ten weeks costs it, and the rows of the table of forecasts.
Run standalone: `lake retrain daily_sales`, `lake job score`.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.scores import DAILY_SALES_FORECAST
from lakehouse.duck import open_gold
from lakehouse.settings import Settings
from ml import artifacts, scores, serving, smoothing
from ml.anomalies import of_series
from ml.artifacts import Artifact
from ml.backtest import (
    FIRST_ORIGIN,
    HORIZON,
    STEP,
    Quality,
    calibrated,
    compare_kinds,
    foreseen,
    quality,
)
from ml.daily_series import dates, kpi_series, open_days
from ml.serving import Served
from ml.smoothing import KINDS, Kind, Smoothing, fit, forecast
from ml.trained import Losses, Trained, Unfit

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

NAME = "daily_sales"
KPI = "net_revenue"
HOLD_OUT = 60
"""Trading days that no training sees: ten weeks of six."""
DAYS_AHEAD = 24
LOSS = "error in those of the seasonal naive rule"
_LEAST = FIRST_ORIGIN + HORIZON + 3 * STEP + HOLD_OUT


def train(gold: "duckdb.DuckDBPyConnection") -> Trained:
    """Choose and fit a model on all trading days but those of the hold-out.

    The kind is the simplest whose back-test is within one standard error of the best one's.
    Source: Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, 7.10.

    Raises:
        Unfit: There are too few trading days.
        LakeError: Gold holds no such series.
    """
    known = _learned_from(gold)
    tested = compare_kinds(known)
    figures = {kind: quality(tested[kind], fit(known, kind)) for kind in KINDS}
    kind = simplest_of_the_best(figures)
    chosen, own = calibrated(fit(known, kind), tested[kind]), figures[kind]
    shown = {f"mase_{each}": found.mase for each, found in figures.items()}
    ahead = forecast(chosen, known, days=HORIZON)
    return Trained(
        artifacts.of_values(chosen.as_json()),
        {"kind": kind, "kpi": KPI, **_parameters(chosen), "trading_days": len(known)},
        {
            "mase": own.mase,
            "relative_error": own.relative_error,
            "coverage_80": own.coverage_80,
            "coverage_95": own.coverage_95,
            **shown,
        },
        own.folds,
        known.rename_axis("day").rename("value").reset_index(),
        ahead[list(OUTPUTS)],
        last_day(gold),
        card(chosen, own, figures, days=len(known)),
    )


def watched(
    gold: "duckdb.DuckDBPyConnection", artifact: Artifact, served: Served
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Errors of the days that the training knew, and of the days since, in usual errors."""
    import pandas as pd

    found = of_series(kpi_series(gold, KPI), _model(artifact))
    errors = found.set_index("day")["error_spreads"].rename("error").to_frame()
    is_new = errors.index > pd.Timestamp(served.known_until)
    return errors[~is_new], errors[is_new]


OUTPUTS = ("day", "expected", "low_80", "high_80", "low_95", "high_95")


def losses(gold: "duckdb.DuckDBPyConnection", artifact: Artifact) -> Losses:
    """Mean error for each day of the hold-out, foreseen from each day of it before.

    Raises:
        Unfit: The artifact is no model of this kind, or there are too few trading days.
    """
    return _losses(gold, _model(artifact))


def baselines(gold: "duckdb.DuckDBPyConnection") -> dict[str, Losses]:
    """The same for the seasonal naive rule."""
    return {"the weekday's last value": _losses(gold, fit(_learned_from(gold), "seasonal_naive"))}


def predict(artifact: Artifact, frame: "pd.DataFrame") -> "pd.DataFrame":
    """Forecast the trading days after a series given as columns `day` and `value`."""
    import pandas as pd

    series = frame.set_index(pd.DatetimeIndex(frame["day"]))["value"].sort_index()
    return forecast(_model(artifact), open_days(series), days=DAYS_AHEAD)[list(OUTPUTS)]


def score(settings: Settings) -> int:
    """Write what the champion, and a challenger in its shadow, expect; returns the rows.

    Raises:
        LakeError: No version serves, its file is refused, or gold holds no such series.
    """
    import pandas as pd

    with open_gold(settings) as gold:
        series = kpi_series(gold, KPI)
    parts = []
    for alias, served in serving.in_use(NAME, settings=settings).items():
        model = _model(serving.load(served, settings=settings))
        parts.append(scored(series, model).assign(alias=alias, model_version=served.label))
    frame = pd.concat(parts, ignore_index=True)
    frame["scored_at"] = pd.Timestamp.now("UTC")
    metadata = {"query": "score", "model": NAME}
    scores.replace(DAILY_SALES_FORECAST, frame, settings=settings, metadata=metadata)
    return len(frame)


def scored(series: "pd.Series[float]", model: Smoothing) -> "pd.DataFrame":
    """The trading days that were, each as expected the day before, and those to come."""
    import pandas as pd

    past = of_series(series, model).assign(horizon=1, is_future=False)
    future = forecast(model, open_days(series), days=DAYS_AHEAD).assign(
        is_future=True, is_anomaly=False
    )
    frame = pd.concat([past, future], ignore_index=True)
    names = {"day": "forecast_date", "expected": "expected_value", "actual": "actual_value"}
    return frame.rename(columns={**names, "horizon": "horizon_days"})


def simplest_of_the_best(figures: Mapping[Kind, Quality]) -> Kind:
    """The first kind, in the order of `KINDS`, within one standard error of the best MASE."""
    import numpy as np

    best = min(figures.values(), key=lambda found: found.mase)
    folds = np.array(best.folds["mase"])
    allowed = best.mase + float(folds.std(ddof=1) / np.sqrt(len(folds)))
    return next(kind for kind in KINDS if figures[kind].mase <= allowed)


def last_day(gold: "duckdb.DuckDBPyConnection") -> date:
    """The last day of the series."""
    found: date = dates(kpi_series(gold, KPI))[-1].date()
    return found


def _learned_from(gold: "duckdb.DuckDBPyConnection") -> "pd.Series[float]":
    series = open_days(kpi_series(gold, KPI))
    if len(series) < _LEAST:
        raise Unfit(
            f"There are {len(series)} trading days, and {_LEAST} are needed: {HOLD_OUT} to judge "
            "the model by and the others to learn from."
        )
    return series.iloc[:-HOLD_OUT]


def _losses(gold: "duckdb.DuckDBPyConnection", model: Smoothing) -> Losses:
    series = open_days(kpi_series(gold, KPI))
    if len(series) < _LEAST:
        raise Unfit(f"There are {len(series)} trading days, and {_LEAST} are needed to compare.")
    start = len(series) - HOLD_OUT
    scale = _naive_error(series.iloc[:start])
    errors: dict[Any, list[float]] = {day: [] for day in series.index[start:]}
    for at in range(start, len(series)):
        rows = foreseen(model, series.iloc[:at], series.iloc[at : at + HORIZON])
        for day, actual, expected in zip(
            rows["day"], rows["actual"], rows["expected"], strict=True
        ):
            errors[day].append(abs(actual - expected) / scale)
    import numpy as np

    found = {day: float(np.mean(each)) for day, each in errors.items() if each}
    return Losses(
        LOSS,
        np.array(list(found.values())),
        tuple(f"{day:%Y-%m-%d}" for day in found),
        block=STEP,
        facts={"hold_out_days": len(found)},
    )


def _naive_error(series: "pd.Series[float]") -> float:
    """Mean error of the seasonal naive rule, one week ahead."""
    return float(series.groupby(dates(series).dayofweek).diff().abs().mean())


def _model(artifact: Artifact) -> Smoothing:
    try:
        return smoothing.from_json(artifacts.values_of(artifact))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unfit(f"The stored model is not of this kind: {error}.") from error


def _parameters(model: Smoothing) -> dict[str, float]:
    return {name: getattr(model, name) for name in ("alpha", "beta", "phi", "spread")}


def card(model: Smoothing, own: Quality, figures: Mapping[Kind, Quality], *, days: int) -> str:
    """The model card: what it is for, what it was fitted to, how good it is, what it can't do."""
    others = ", ".join(f"{kind} {found.mase:.3f}" for kind, found in figures.items())
    return f"""# daily_sales

Foresees {KPI} of the next {DAYS_AHEAD} trading days. Kind: {model.kind}, fitted to {days} trading
days, chosen as the simplest within one standard error of the best back-test.

- MASE over {len(own.folds["mase"])} weekly origins and {HORIZON} trading days: {others}.
- Error by that of the seasonal naive rule on the same days: {own.relative_error:.3f}.
- Coverage of the 80 % interval {own.coverage_80:.1%}, of the 95 % interval {own.coverage_95:.1%}.

Limits: a year of history shows no yearly season, holidays are unknown, and days without any sale
are left out of the fit and of the figures. Odd days move the level as one of two spreads.
"""
