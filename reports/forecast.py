"""What the model in use expects of the days after a report, where one has been scored.

In: the table of forecasts. Out: a `Forecast`, or nothing: no model yet, none of the days after this
period, or a value that is no number. Estimates are shown rounded, never counted with.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from lakehouse.contracts.scores import DAILY_SALES_FORECAST
from lakehouse.duck import delta_relation, open_lake
from lakehouse.settings import Settings
from lakehouse.tables import current_version
from reports.periods import Period

DAYS_SHOWN = 7
LEVEL = Decimal("0.8")
"""The share of days that the model's bounds should hold."""


@dataclass(frozen=True)
class Forecast:
    """Day, mean and bounds of money; `level` is the share of days within the bounds."""

    model: str
    level: Decimal
    days: tuple[tuple[date, Decimal, Decimal, Decimal], ...]


def read_forecast(settings: Settings, period: Period) -> Forecast | None:
    """The next trading days after a period, as the champion sees them.

    A forecast that begins more than a week after the period was made long after it: no part of it.
    """
    if current_version(DAILY_SALES_FORECAST, settings=settings) is None:
        return None
    with open_lake(settings) as lake:
        rows = lake.execute(
            f"""select forecast_date, expected_value, low_80, high_80, model_version
            from {delta_relation(settings, DAILY_SALES_FORECAST)}
            where alias = 'champion' and is_future and forecast_date > $end
            order by forecast_date limit $most""",
            {"end": period.end, "most": DAYS_SHOWN},
        ).fetchall()
    if not rows or rows[0][0] - period.end > timedelta(days=7):
        return None
    days = tuple((day, *(Decimal(repr(each)) for each in values)) for day, *values, _ in rows)
    if not all(each.is_finite() for _, *values in days for each in values):
        return None
    return Forecast(str(rows[0][4]), LEVEL, days)
