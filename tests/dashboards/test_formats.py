"""Figures as people read them: exact decimals in, rounded half up once, at the very end."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from dashboards import formats


@pytest.mark.parametrize(
    ("amount", "places", "text"),
    [
        ("10631048.7440", 2, "£10,631,048.74"),
        ("0.0050", 2, "£0.01"),
        ("2.6750", 2, "£2.68"),
        ("-893979.7300", 2, "−£893,979.73"),
        ("-0.0050", 2, "−£0.01"),
        ("-0.0049", 2, "£0.00"),
        ("99999999999999.9950", 2, "£100,000,000,000,000.00"),
        ("1234.5000", 0, "£1,235"),
    ],
)
def test_money_is_rounded_half_up_and_grouped(amount: str, places: int, text: str) -> None:
    assert formats.money(Decimal(amount), places=places) == text


def test_an_amount_that_is_not_there_is_a_dash() -> None:
    assert formats.money(None) == formats.count(None) == formats.seconds(None) == "–"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [("0.0841", "8.4%"), ("0.00001", "<0.1%"), ("0", "0.0%"), ("-0.25", "−25.0%"), ("1", "100.0%")],
)
def test_shares_are_per_cent_and_a_trace_is_not_nothing(ratio: str, text: str) -> None:
    assert formats.percent(Decimal(ratio)) == text


def test_counts_days_and_times_are_written_one_way() -> None:
    assert formats.count(541909) == "541,909"
    assert formats.period(date(2010, 12, 1), date(2011, 12, 9)) == "1 Dec 2010 – 9 Dec 2011"
    assert formats.period(date(2011, 12, 9), date(2011, 12, 9)) == "9 Dec 2011"
    summer = datetime(2026, 7, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert formats.moment(summer) == "30 Jun 2026, 23:30 UTC"
    assert formats.moment(datetime(2026, 11, 9, 14, 3, tzinfo=UTC)) == "9 Nov 2026, 14:03 UTC"
    assert formats.moment(None) == "at an unknown time"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.84, "0.8 s"), (59.94, "59.9 s"), (65.2, "1 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations_fit_their_length(value: float, text: str) -> None:
    assert formats.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(512, "512 bytes"), (3 * 1024**3, "3.0 GiB"), (1536, "1.5 KiB")]
)
def test_sizes_are_in_binary_units(value: int, text: str) -> None:
    assert formats.size(value) == text
