"""Money, numbers and days by the shop's locale; the default one writes as it always did."""

from datetime import date
from decimal import Decimal

import pytest

from lakehouse import shop_format
from lakehouse.shop import Shop
from tests.shops import working_for

BRITISH = Shop("GBP", "Europe/London", "en_GB")
GERMAN = Shop("EUR", "Europe/Berlin", "de_DE")
JAPANESE = Shop("JPY", "Asia/Tokyo", "ja_JP")
SWISS = Shop("CHF", "Europe/Zurich", "de_CH")
INDIAN = Shop("INR", "Asia/Kolkata", "en_IN")


@pytest.mark.parametrize(
    ("shop", "written", "plain", "short"),
    [
        (BRITISH, "−£1,234,567.90", "£-1,234,567.90", "−£1.5M"),
        (GERMAN, "−1.234.567,90 €", "-1.234.567,90 €", "−1,5M €"),
        (JAPANESE, "−￥1,234,568", "￥-1,234,568", "−￥1.5M"),
        (SWISS, "−CHF 1’234’567.90", "CHF -1’234’567.90", "−CHF 1.5M"),
        (INDIAN, "−₹12,34,567.90", "₹-12,34,567.90", "−₹1.5M"),
    ],
)
def test_money_has_the_currencys_sign_and_decimals_where_the_shop_writes_them(
    shop: Shop, written: str, plain: str, short: str
) -> None:
    amount = Decimal("-1234567.895")
    with working_for(shop):
        found = (
            shop_format.money(amount),
            shop_format.plain_money(amount),
            shop_format.short_money(Decimal(-1_500_000)),
        )
    assert tuple(text.replace("\N{NO-BREAK SPACE}", " ") for text in found) == (
        written,
        plain,
        short,
    )


@pytest.mark.parametrize(
    ("shop", "figures", "days"),
    [
        (
            BRITISH,
            ("1,234,567", "−1,234.6", "12.3%", "<0.1%"),
            ("9 Sep 2011", "9 Sep", "Sep 2011", "Sep", "Fri"),
        ),
        (
            GERMAN,
            ("1.234.567", "−1.234,6", "12,3 %", "<0,1 %"),
            ("9. Sept. 2011", "9. Sept.", "Sept. 2011", "Sep", "Fr"),
        ),
    ],
)
def test_numbers_and_days_are_the_locales(
    shop: Shop, figures: tuple[str, ...], days: tuple[str, ...]
) -> None:
    at = date(2011, 9, 9)
    with working_for(shop):
        numbers = (
            shop_format.number(1_234_567),
            shop_format.number(Decimal("-1234.56"), places=1),
            shop_format.percent(Decimal("0.12345")),
            shop_format.percent(Decimal("0.0001")),
        )
        dates = (
            shop_format.day(at),
            shop_format.day_of_year(at),
            shop_format.month(at),
            shop_format.month_of_year(at),
            shop_format.weekday(at),
        )
    assert tuple(text.replace("\N{NO-BREAK SPACE}", " ") for text in numbers) == figures
    assert dates == days


@pytest.mark.parametrize(
    ("amount", "places", "written"),
    [
        ("0.005", 2, "£0.01"),
        ("-0.004", 2, "£0.00"),
        ("2.5", 0, "£3"),
        ("-2.5", 0, "−£3"),
        ("99999999999999.9999", 4, "£99,999,999,999,999.9999"),
    ],
)
def test_money_is_rounded_half_up_and_never_to_a_minus_nothing(
    amount: str, places: int, written: str
) -> None:
    with working_for(BRITISH):
        assert shop_format.money(Decimal(amount), places=places) == written


def test_what_is_no_number_is_shown_as_such() -> None:
    assert [shop_format.number(float(text), places=4) for text in ("nan", "inf")] == ["nan", "inf"]
    assert shop_format.counted(1_302.0) == "1,302"
