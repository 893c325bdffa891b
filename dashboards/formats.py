"""Numbers, money and times as a person reads them; the only place where a figure is rounded.

In: exact values (Decimal, int, date). Out: text. Money is rounded half up, never through a float.
Run standalone: `python -c "from decimal import Decimal; from dashboards.formats import money;
..."`.
"""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

MINUS = "−"
NOTHING = "–"
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def rounded(value: Decimal, places: int) -> Decimal:
    """`value` rounded half up to `places` decimals."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def signed(text: str, *, negative: bool) -> str:
    """`text` with a true minus sign where it is negative."""
    return f"{MINUS}{text}" if negative else text


def money(amount: Decimal | None, *, places: int = 2) -> str:
    """Pounds with thousands separators; a dash where there is no amount."""
    if amount is None:
        return NOTHING
    value = rounded(amount, places)
    return signed(f"£{abs(value):,}", negative=value < 0)


def count(number: float | None) -> str:
    """A whole number with thousands separators."""
    if number is None:
        return NOTHING
    return signed(f"{abs(int(number)):,}", negative=number < 0)


def percent(ratio: Decimal, *, places: int = 1) -> str:
    """A ratio as per cent; what would round to zero keeps its first place."""
    least = Decimal(1).scaleb(-places)
    value = rounded(ratio * 100, places)
    if ratio and not value:
        return f"<{least}%"
    return signed(f"{abs(value):,}%", negative=value < 0)


def points(difference: Decimal) -> str:
    """A difference of two ratios in points of a hundred."""
    return percent(difference).removesuffix("%") + " points"


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """`part` of `whole`, or nothing when there is no whole."""
    return part / whole if whole else None


def day(value: date) -> str:
    """9 Dec 2011."""
    return f"{value.day} {value:%b %Y}"


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
        return f"{value:.1f} s"
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
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{int(value)} {_UNITS[unit]}"
