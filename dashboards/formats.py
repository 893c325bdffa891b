"""Numbers, money and times as a person reads them; the only place where a figure is rounded.

In: exact values (Decimal, int, date). Out: text. Money is rounded half up, never through a float.
Run standalone: `python -c "from decimal import Decimal; from dashboards.formats import money;
..."`.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

from lakehouse import shop_format
from lakehouse.shop_format import MINUS, day, percent

__all__ = ["MINUS", "NOTHING", "count", "day", "moment", "money", "parted", "percent", "period"]
__all__ += ["estimate", "seconds", "share", "signed", "size"]

NOTHING = "–"
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def signed(text: str, *, negative: bool) -> str:
    """`text` with a true minus sign where it is negative."""
    return f"{MINUS}{text}" if negative else text


def money(amount: Decimal | None, *, places: int | None = None) -> str:
    """An amount of the shop's currency; a dash where there is none."""
    return NOTHING if amount is None else shop_format.money(amount, places=places)


def estimate(amount: float) -> str:
    """An estimate of money, without decimals."""
    return money(Decimal(str(amount)), places=0)


def parted(figure: str) -> tuple[str, str]:
    """A figure as its whole part, and its decimals with the sign before them, where it has some."""
    sign = shop_format.decimal_sign()
    whole, _, decimals = figure.rpartition(sign)
    return (whole, sign + decimals) if whole else (figure, "")


def count(number: float | None) -> str:
    """A whole number with thousands separators."""
    return NOTHING if number is None else shop_format.counted(number)


def points(difference: Decimal) -> str:
    """A difference of two ratios in points of a hundred."""
    return percent(difference).rstrip("%\u00a0\u202f ") + " points"


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """`part` of `whole`, or nothing when there is no whole."""
    return part / whole if whole else None


def period(start: date, end: date) -> str:
    """1 Dec 2010 – 9 Dec 2011, or one day alone."""
    return day(start) if start == end else f"{day(start)} – {day(end)}"


def moment(value: datetime | None) -> str:
    """23 Nov 2026, 11:09 UTC."""
    if value is None:
        return "at an unknown time"
    at = value.astimezone(UTC)
    return f"{day(at.date())}, {at:%H:%M} UTC"


def seconds(value: float | None) -> str:
    """0.8 s, 42.0 s, 3 min 05 s, 2 h 10 min."""
    if value is None:
        return NOTHING
    if value < 60:
        return f"{shop_format.number(value, places=1)} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def size(byte_count: float | None) -> str:
    """3.6 GiB."""
    if byte_count is None:
        return NOTHING
    value, unit = float(byte_count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return (
        f"{shop_format.number(value, places=1)} {_UNITS[unit]}"
        if unit
        else f"{int(value)} {_UNITS[unit]}"
    )
