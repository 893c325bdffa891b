"""Rules that order lines of every source share: class of a line, product code, shop-local day."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.settings import SHOP_TIME_ZONE


def line_class(
    quantity: Column, *, unit_price: Column, is_adjustment: Column, is_cancellation: Column
) -> Column:
    """Class of a line; the first rule that fits wins.

    Args:
        quantity: Pieces, signed.
        unit_price: Pounds.
        is_adjustment: The order is a bad-debt adjustment.
        is_cancellation: The order is a credit note.
    """
    return (
        F.when(is_adjustment, "adjustment")
        .when(is_cancellation, "cancellation")
        .when(quantity < 0, "stock_movement")
        .when(unit_price == 0, "zero_price")
        .otherwise("sale")
    )


def sku_of(code: Column) -> Column:
    """Product key of a stock code: upper case, no outer blanks, null when empty."""
    return F.nullif(F.upper(F.trim(code)), F.lit(""))


def text_of(text: Column) -> Column:
    """A text without outer blanks, null when empty."""
    return F.nullif(F.trim(text), F.lit(""))


def shop_day(at: Column) -> Column:
    """Day of a UTC timestamp on the shop's wall calendar."""
    return F.to_date(F.from_utc_timestamp(at, SHOP_TIME_ZONE))


def content_hash(*columns: str) -> Column:
    """SHA-256 over named business fields, with names, so that null and empty stay apart."""
    return F.sha2(F.to_json(F.struct(*columns)), 256)
