"""What an alert says: figures and days as the shop writes them."""

import pytest

from lakehouse.shop import Shop
from reports.alerts.judging import Judgement
from reports.alerts.words import figure, summary_of
from tests.reports.alerts.shop import day, rule
from tests.shops import working_for

BERLIN = Shop("EUR", "Europe/Berlin", "de_DE")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "money", "no value"),
        (-1234.5, "money", "−£1,234.50"),
        (0.0512, "rate", "5.1%"),
        (12345.0, "count", "12,345"),
        (2.25, "", "2.3"),
        (50.04, "hours", "50 hours"),
        (1234.56, "records", "1,234.6 records"),
    ],
)
def test_a_figure_is_written_by_its_unit(value: float | None, unit: str, expected: str) -> None:
    assert figure(value, unit) == expected


def test_a_sentence_is_written_as_the_shop_writes_money_and_days() -> None:
    found = Judgement(
        "gross_revenue", "bad", day(70), 1234.5, -4.5, 9876.0, 8000.0, 12000.0, "money"
    )
    fell = rule(kind="anomaly", kpi="gross_revenue", fire_beyond=4)
    assert summary_of(fell, found) == (
        "gross revenue of Mon 12 Mar 2012: £1,234.50, expected £9,876.00 "
        "(−88%, 95% between £8,000.00 and £12,000.00)"
    )
    with working_for(BERLIN):
        assert "1.234,50\xa0€, expected 9.876,00\xa0€" in summary_of(fell, found)
