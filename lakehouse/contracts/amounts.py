"""What the texts of a quantity and a price are worth, exactly, and why they are refused.

In: texts as they were sent. Out: whole pieces, money with at most four decimals, their product.
The producer states the money of what it sends by these functions, and silver's rows are made by
them: one set of limits. Texts are tested before they are converted, so nothing is ever rounded.
Blanks are spaces (U+0020), digits are ASCII.
"""

import re
from decimal import Decimal

from lakehouse.contracts.business import AMOUNT_LIMIT, MAX_DECIMALS, PRICE_LIMIT, QUANTITY_LIMIT
from lakehouse.remembered import remembered

_QUANTITY = re.compile(r"[+-]?[0-9]{1,15}(\.0{1,15})?")
_PRICE = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]*)?|\.[0-9]+)")
_ANY_WHOLE = re.compile(r"[+-]?[0-9]+(\.0+)?")
_ANY_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_TOO_FINE = re.compile(rf"\.[0-9]{{{MAX_DECIMALS}}}[0-9]*[1-9]")
_UNIT = Decimal(1).scaleb(-MAX_DECIMALS)
_ZERO = Decimal(0)


@remembered
def quantity_of(text: str) -> int | None:
    """Whole pieces of a text, signed; None when it is none, or far beyond the limit."""
    plain = text.strip(" ")
    return int(plain.partition(".")[0]) if _QUANTITY.fullmatch(plain) else None


@remembered
def price_of(text: str) -> Decimal | None:
    """Money of a text with four decimals; None when it is none, too fine, or far too large."""
    plain = text.strip(" ")
    if not _PRICE.fullmatch(plain) or _TOO_FINE.search(plain):
        return None
    whole, _, decimals = plain.partition(".")
    price = Decimal(f"{whole}.{decimals[:MAX_DECIMALS]}").quantize(_UNIT)
    return price or abs(price)  # no minus before zero


def amount_of(quantity: int | None, price: Decimal | None) -> Decimal | None:
    """Money of a line; None where a part is missing, or anything is beyond its limit."""
    if quantity is None or price is None or not is_quantity(quantity) or not is_price(price):
        return None
    amount = quantity * price
    return (amount or _ZERO) if abs(amount) < AMOUNT_LIMIT else None


def line_amount(quantity: str | None, unit_price: str | None) -> Decimal | None:
    """Money of a line by its two texts; None where one is none or anything is out of range."""
    return amount_of(quantity_of(quantity or ""), price_of(unit_price or ""))


def is_quantity(quantity: int) -> bool:
    """Whether a quantity is within its limit."""
    return -QUANTITY_LIMIT <= quantity <= QUANTITY_LIMIT


def is_price(price: Decimal) -> bool:
    """Whether a price is within its limit."""
    return abs(price) < PRICE_LIMIT


def quantity_fault(text: str) -> str | None:
    """Why a quantity's text is refused, as a code of the closed list of reasons."""
    quantity = quantity_of(text)
    if quantity is not None:
        return None if is_quantity(quantity) else "quantity_out_of_range"
    is_whole = _ANY_WHOLE.fullmatch(text.strip(" "))
    return "quantity_out_of_range" if is_whole else "bad_quantity"


def price_fault(text: str) -> str | None:
    """Why a price's text is refused, as a code of the closed list of reasons."""
    price = price_of(text)
    if price is not None:
        return None if is_price(price) else "price_out_of_range"
    plain = text.strip(" ")
    if not _ANY_PLAIN.fullmatch(plain):
        return "bad_price"
    is_too_fine = _PRICE.fullmatch(plain) and _TOO_FINE.search(plain)
    return "too_many_decimals" if is_too_fine else "price_out_of_range"
