"""Money, numbers and days as the shop writes them: screens, terminal, mails and files share it.

In: exact values. Out: text by the shop's locale and currency (Babel). Rounded half up, never
through a float; the words around a figure stay English. Run standalone:
`python -c "from decimal import Decimal; from lakehouse.shop_format import money; ..."`.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from lakehouse.shop import Shop, shop

if TYPE_CHECKING:
    from babel import Locale
    from babel.numbers import NumberPattern

MINUS = "\N{MINUS SIGN}"


def rounded(value: Decimal, places: int) -> Decimal:
    """`value` rounded half up to `places` decimals."""
    with localcontext(prec=60):
        return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def money(amount: Decimal, *, places: int | None = None) -> str:
    """An amount with the currency's sign: £1,234.50 or 1.234,50 €, with a true minus before it.

    Args:
        amount: In the shop's currency.
        places: Decimals; None for as many as the currency has.
    """
    return _apply(_money_pattern(shop(), _places(places), minus=MINUS), amount)


def plain_money(amount: Decimal, *, places: int | None = None) -> str:
    """The same for a terminal, with a hyphen right before the figures: £-1,234.50."""
    return _apply(_money_pattern(shop(), _places(places), hyphen="-"), amount)


def short_money(amount: Decimal) -> str:
    """A round amount for an axis, in thousands or millions: £200k, 1.5M €."""
    value, unit = abs(amount), ""
    for unit, size in (("M", 1_000_000), ("k", 1_000), ("", 1)):  # noqa: B007
        if value >= size:
            value /= size
            break
    places = max(0, -int(value.normalize().as_tuple().exponent))
    pattern = _money_pattern(shop(), places, minus=MINUS, unit=unit)
    return _apply(pattern, value.copy_sign(amount))


def number(value: Decimal | float, *, places: int = 0) -> str:
    """A number with the shop's thousands and decimal signs, and a true minus; nan stays nan."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if not exact.is_finite():
        return str(value)
    return _apply(_number_pattern(shop(), places), exact)


def counted(value: float) -> str:
    """A whole number with the shop's thousands sign."""
    return number(int(value))


def percent(ratio: Decimal, *, places: int = 1) -> str:
    """A ratio as per cent; what would round to zero keeps its first place."""
    if ratio and not rounded(ratio * 100, places):
        return "<" + _apply(_percent_pattern(shop(), places), Decimal(1).scaleb(-places - 2))
    return _apply(_percent_pattern(shop(), places), ratio)


def day(value: date) -> str:
    """9 Dec 2011."""
    return _dated(value, "yMMMd")


def day_of_year(value: date) -> str:
    """9 Dec."""
    return _dated(value, "MMMd")


def month(value: date) -> str:
    """Dec 2011."""
    return _dated(value, "yMMM")


def month_of_year(value: date) -> str:
    """Dec."""
    return _dated(value, "MMM")


def weekday(value: date) -> str:
    """Fri."""
    return _dated(value, "E")


def decimal_sign() -> str:
    """What stands before decimals."""
    from babel.numbers import get_decimal_symbol

    return str(get_decimal_symbol(locale=shop().locale))


def currency_sign() -> str:
    """£, or the code of a currency that has no sign."""
    from babel.numbers import get_currency_symbol

    return str(get_currency_symbol(shop().currency, locale=shop().locale))


def is_sign_first() -> bool:
    """Whether the currency's sign stands before the figures."""
    return money(Decimal(1)).startswith(currency_sign())


def _places(places: int | None) -> int:
    from babel.numbers import get_currency_precision

    return int(get_currency_precision(shop().currency)) if places is None else places


@cache
def _money_pattern(
    to: Shop, places: int, *, minus: str = "", hyphen: str = "", unit: str = ""
) -> "NumberPattern":
    """A true minus stands before the currency's sign, a hyphen behind it; a unit at the end."""
    found = _locale(to.locale).currency_formats["standard"]
    prefix, suffix = found.prefix[0], unit + found.suffix[0]
    return _pattern(found, places, prefix=(prefix, minus + prefix + hyphen), suffix=suffix)


@cache
def _number_pattern(to: Shop, places: int) -> "NumberPattern":
    return _pattern(_locale(to.locale).decimal_formats[None], places)


@cache
def _percent_pattern(to: Shop, places: int) -> "NumberPattern":
    return _pattern(_locale(to.locale).percent_formats[None], places)


def _pattern(
    found: "NumberPattern",
    places: int,
    *,
    prefix: tuple[str, str] | None = None,
    suffix: str | None = None,
) -> "NumberPattern":
    """A locale's pattern with a fixed number of decimals and a true minus."""
    from babel.numbers import NumberPattern

    end = found.suffix[0] if suffix is None else suffix
    return NumberPattern(
        found.pattern,
        prefix or (found.prefix[0], MINUS + found.prefix[0]),
        (end, end),
        found.grouping,
        found.int_prec,
        (places, places),
        found.exp_prec,
        found.exp_plus,
        found.number_pattern,
    )


def _apply(pattern: "NumberPattern", value: Decimal) -> str:
    to, places = shop(), pattern.frac_prec[0] + pattern.scale
    exact = rounded(value, places)
    locale = _locale(to.locale)
    return str(
        pattern.apply(exact or abs(exact), locale, currency=to.currency, currency_digits=False)
    )


def _dated(value: date, skeleton: str) -> str:
    return _dated_in(shop().locale, value, skeleton)


@lru_cache(maxsize=10_000)
def _dated_in(locale: str, value: date, skeleton: str) -> str:
    from babel.dates import format_skeleton

    text = str(format_skeleton(skeleton, value, locale=_locale(locale)))
    # Britain's CLDR has one month of four letters, which would be the only one in a column.
    return text.replace("Sept", "Sep") if locale == "en_GB" else text


@cache
def _locale(name: str) -> "Locale":
    from babel import Locale

    return Locale.parse(name)
