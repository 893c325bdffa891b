"""The forecast in a mail: the next days of the model in use, or no such part."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from lakehouse.contracts.scores import DAILY_SALES_FORECAST
from lakehouse.settings import Settings
from ml import scores
from reports.forecast import LEVEL, Forecast, read_forecast
from reports.periods import Period

FRIDAY = date(2011, 12, 9)
DAILY = Period("daily", FRIDAY, FRIDAY, None, (), True)
SUNDAY, MONDAY = date(2011, 12, 11), date(2011, 12, 12)


def scored(settings: Settings, *rows: tuple[date, str, bool, float]) -> None:
    frame = pd.DataFrame(
        [
            {
                "forecast_date": day,
                "alias": alias,
                "horizon_days": 1,
                "is_future": is_future,
                "actual_value": None,
                "expected_value": value,
                "low_80": value - 1.5,
                "high_80": value + 2,
                "low_95": value - 3,
                "high_95": value + 4,
                "error_spreads": None,
                "is_anomaly": False,
                "model_version": "forecast 3",
                "scored_at": datetime(2011, 12, 10, tzinfo=UTC),
            }
            for day, alias, is_future, value in rows
        ]
    )
    scores.replace(DAILY_SALES_FORECAST, frame, settings=settings, metadata={"query": "test"})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "lake")


def test_the_champions_next_days_are_told(settings: Settings) -> None:
    assert read_forecast(settings, DAILY) is None
    scored(
        settings,
        (FRIDAY, "champion", False, 9.0),
        (MONDAY, "champion", True, 20.25),
        (SUNDAY, "champion", True, 10.5),
        (SUNDAY, "challenger", True, 99.0),
    )
    days = (
        (SUNDAY, Decimal("10.5"), Decimal("9.0"), Decimal("12.5")),
        (MONDAY, Decimal("20.25"), Decimal("18.75"), Decimal("22.25")),
    )
    assert read_forecast(settings, DAILY) == Forecast("forecast 3", LEVEL, days)
    whole = Period("weekly", date(2011, 12, 5), SUNDAY, None, (), True)
    later = read_forecast(settings, whole)
    assert later is not None
    assert [day for day, *_ in later.days] == [MONDAY]


def test_a_forecast_made_long_after_or_of_no_number_is_left_out(settings: Settings) -> None:
    scored(settings, (date(2011, 12, 17), "champion", True, 10.0))
    assert read_forecast(settings, DAILY) is None
    scored(settings, (SUNDAY, "champion", True, float("inf")))
    assert read_forecast(settings, DAILY) is None
