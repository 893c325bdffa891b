"""What the raw texts of an ERP line mean: times, numbers, ids, missing values, and its identity.

In: the eight raw texts of a row. Out: their canonical form, its SHA-256 and the line's id. The
source and the platform both read values here, so that two ways to write one value (a csv and a
Parquet file of one extract, "2.550" and "2.55") are one line.
Blanks are spaces (U+0020), as for Spark's `trim`; digits are ASCII.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from lakehouse.contracts.business import FIRST_YEAR
from lakehouse.contracts.topics import DATE_ORDERS, DateOrder
from lakehouse.remembered import remembered

MISSING_TEXTS = ("nan", "null", "none", "n/a", "#n/a", "<na>")
"""What programs write, in any case, where an id or a country is missing."""

Texts = Sequence[str | None]

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?"
)
_SLASHED = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2}) ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
)
_CANONICAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_WHOLE_ID = re.compile(r"([0-9]+)(?:\.0+)?")
_encode = msgspec.json.Encoder().encode


@remembered
def canonical_number(text: str) -> str:
    """`+007.50` becomes `7.5`, `-0` becomes `0`; a text that is no plain number stays."""
    found = _NUMBER.fullmatch(text.strip(" "))
    if found is None or not (found[2] or found[3]):
        return text
    whole = found[2].lstrip("0") or "0"
    fraction = (found[3] or "").rstrip("0")
    plain = f"{whole}.{fraction}" if fraction else whole
    return f"-{plain}" if found[1] == "-" and plain != "0" else plain


def read_time(text: str, *, date_order: DateOrder | None = None) -> str | None:
    """Shop-local time of an InvoiceDate as `yyyy-MM-dd HH:mm:ss`; None when it is none.

    Reads `yyyy-MM-dd HH:mm[:ss]` (also with a `T`) and dates with slashes, real days only.

    Args:
        text: As extracted.
        date_order: Order of the extract's dates with slashes. Without one `M/d/yyyy H:mm[:ss]` is
            read, as in messages before version 2; a year of two digits needs one.
    """
    return _TIME_READERS[date_order](text)


def _time_reader(date_order: DateOrder | None) -> Callable[[str], str | None]:
    @remembered
    def read(text: str) -> str | None:
        plain = text.strip(" ")
        if found := _ISO.fullmatch(plain):
            year, month, day, hour, minute, second = found.groups(default="0")
        elif found := _SLASHED.fullmatch(plain):
            month, day, year, hour, minute, second = found.groups(default="0")
            if date_order == "day-first":
                month, day = day, month
            if len(year) == 2:
                if date_order is None:
                    return None
                year = full_year(year)
        else:
            return None
        try:
            time = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))
        except ValueError:
            return None
        return time.isoformat(sep=" ")

    return read


def full_year(two_digits: str) -> str:
    """The year of the century from 1990 on that ends so: 1990 to 2089."""
    return str(FIRST_YEAR + (int(two_digits) - FIRST_YEAR) % 100)


_TIME_READERS = {order: _time_reader(order) for order in (None, *DATE_ORDERS)}


def slashed_date(text: str) -> tuple[str, str, str] | None:
    """The three parts of a date with slashes, the last one the year; None for another form."""
    found = _SLASHED.fullmatch(text.strip(" "))
    return (found[1], found[2], found[3]) if found else None


@remembered
def canonical_id(text: str) -> str | None:
    """`10.0` becomes `10`, as ids are written once a column was read as floats.

    Of InvoiceNo, StockCode and CustomerID; `nan`, `NULL` and their like are None, other texts stay.
    """
    found = _WHOLE_ID.fullmatch(text.strip(" "))
    return found[1] if found else present(text)


@remembered
def present(text: str) -> str | None:
    """The text as it is; None for blanks and for `nan`, `NULL` and their like."""
    plain = text.strip(" ").lower()
    return None if not plain or plain in MISSING_TEXTS else text


def canonical_row(texts: Texts, *, date_order: DateOrder | None = None) -> tuple[str | None, ...]:
    """Eight texts in the order of `ERP_COLUMNS` in canonical form; what is missing becomes None."""
    invoice, sku, description, quantity, time, price, customer, country = texts
    return (
        canonical_id(invoice) if invoice else None,
        canonical_id(sku) if sku else None,
        description or None,
        canonical_number(quantity) if quantity else None,
        (read_time(time, date_order=date_order) or time) if time else None,
        canonical_number(price) if price else None,
        canonical_id(customer) if customer else None,
        present(country) if country else None,
    )


def line_digest(canonical: Texts) -> bytes:
    """SHA-256 of a canonical row: of its compact JSON array in UTF-8.

    JSON keeps null and texts apart and quotes each text, so two different rows never join to the
    same bytes. `json.dumps(row, ensure_ascii=False, separators=(",", ":"))` gives the same array.
    """
    return hashlib.sha256(_encode(canonical)).digest()


def line_hash(texts: Texts, *, date_order: DateOrder | None = None) -> str:
    """Identity of an ERP line as 64 hexadecimal digits, whatever file it came in."""
    return line_digest(canonical_row(texts, date_order=date_order)).hex()


def event_id_of(canonical: Texts, digest: bytes, occurrence: int) -> str:
    """The line's `event_id`: its day, its digest, and which occurrence in the extract it is.

    Ids that begin with the day let a look-up pass over files of other days. A line without a
    readable date has no day in its id.
    """
    time = canonical[4] or ""
    day = f"{time[:4]}{time[5:7]}{time[8:10]}-" if is_canonical_time(time) else ""
    return f"{day}{digest.hex()}-{occurrence}"


@remembered
def is_canonical_time(text: str) -> bool:
    """Whether a text of a canonical row is a time; one that could not be read stays as it is."""
    return _CANONICAL_TIME.fullmatch(text) is not None and read_time(text) == text
