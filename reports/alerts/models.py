"""What alerts read of the models: columns that have drifted, and what each day was expected to be.

In: the tables of scores. Out: a reading by model, and expectations by KPI and day; nothing where no
model has been trained or looked at. Run standalone: `lake job drift`, `lake job score`.
"""

from datetime import date

from lakehouse.contracts.scores import DAILY_SALES_FORECAST, MODEL_DRIFT
from lakehouse.duck import delta_relation, open_lake
from lakehouse.settings import Settings
from lakehouse.tables import current_version
from reports.alerts.history import Foreseen
from reports.alerts.judging import Reading

KPI_FORESEEN = "net_revenue"
"""What the forecast is of."""


def read_drift(settings: Settings) -> dict[str, Reading]:
    """For each model, how many columns its last look found drifted; their names as detail."""
    if current_version(MODEL_DRIFT, settings=settings) is None:
        return {}
    with open_lake(settings) as lake:
        rows = lake.execute(
            f"""select model, count(*) filter (is_drift)::double,
              coalesce(string_agg(column_name, ', ' order by column_name) filter (is_drift), '')
            from {delta_relation(settings, MODEL_DRIFT)}
            where (model, measured_at) in (
              select model, max(measured_at) from {delta_relation(settings, MODEL_DRIFT)}
              group by model
            )
            group by model order by model"""
        ).fetchall()
    return {model: Reading(drifted, "columns", names) for model, drifted, names in rows}


def read_foreseen(settings: Settings) -> dict[str, dict[date, Foreseen]]:
    """What the model in use expected of each past day on the day before, by KPI."""
    if current_version(DAILY_SALES_FORECAST, settings=settings) is None:
        return {}
    with open_lake(settings) as lake:
        rows = lake.execute(
            f"""select forecast_date, expected_value, low_95, high_95, error_spreads, actual_value,
              model_version
            from {delta_relation(settings, DAILY_SALES_FORECAST)}
            where alias = 'champion' and not is_future
              and isfinite(error_spreads) and isfinite(actual_value) and isfinite(expected_value)"""
        ).fetchall()
    found = {
        day: Foreseen(expected, low, high, 0.0, f"model {version}", actual, error)
        for day, expected, low, high, error, actual, version in rows
    }
    return {KPI_FORESEEN: found}
