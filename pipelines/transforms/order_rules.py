"""Rules that records of every source share: class of a line, product code, day in the shop."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from lakehouse.shop import shop

_encode = msgspec.json.Encoder().encode


def line_class(
    quantity: int, *, unit_price: Decimal, is_adjustment: bool, is_cancellation: bool
) -> str:
    """Class of a line; the first rule that fits wins.

    Args:
        quantity: Pieces, signed.
        unit_price: Money.
        is_adjustment: The order is a bad-debt adjustment.
        is_cancellation: The order is a credit note.
    """
    if is_adjustment:
        return "adjustment"
    if is_cancellation:
        return "cancellation"
    if quantity < 0:
        return "stock_movement"
    return "sale" if unit_price else "zero_price"


def text_of(text: str | None) -> str | None:
    """A text without outer blanks, None when empty."""
    return (text.strip(" ") or None) if text else None


def sku_of(code: str | None) -> str | None:
    """Product key of a stock code: upper case, no outer blanks, None when empty."""
    return (code.strip(" ").upper() or None) if code else None


def shop_day(at: datetime) -> date:
    """Day of a moment on the shop's wall calendar."""
    return _day(at, shop().zone)


@lru_cache(1 << 12)
def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def shop_moment(wall_clock: datetime) -> datetime:
    """The moment in UTC of a time on the shop's wall clock, which has no zone.

    Of an hour that there is twice the first is meant; one that there is not is read an hour later.
    """
    return wall_clock.replace(tzinfo=shop().zone).astimezone(UTC)


def content_hash(fields: Mapping[str, object]) -> str:
    """SHA-256 over named business fields; a field that is None is no part of the content."""
    content = {name: value for name, value in fields.items() if value is not None}
    return hashlib.sha256(_encode(content)).hexdigest()
