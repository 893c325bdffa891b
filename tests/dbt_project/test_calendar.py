"""The calendar of gold goes by the same rule of outlying days as the rest of the platform."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from lakehouse.contracts.outliers import Span
from lakehouse.contracts.tables import ORDER_LINES, WEB_EVENTS
from tests.lakehouse.contracts.test_outliers import CASES

if TYPE_CHECKING:
    from conftest import LiveGold


@pytest.mark.parametrize(("given", "span"), CASES)
def test_the_calendar_is_the_shops_span_and_its_outliers(
    live_gold: "LiveGold", given: list[date], span: Span | None
) -> None:
    live_gold.fill(WEB_EVENTS, [])
    rows = [{"event_id": f"e{n}", "line_number": 1, "order_date": d} for n, d in enumerate(given)]
    live_gold.fill(ORDER_LINES, rows)
    expected = {}
    if span:
        own = (span.last - span.first).days + 1
        expected = {span.first + timedelta(days=number): False for number in range(own)}
        expected |= dict.fromkeys(span.outliers, True)
    found = live_gold.rows("select date_day, is_outlier from gold.dim_dates")
    assert sorted(found) == sorted(expected.items())
