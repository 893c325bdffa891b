"""Identity of an ERP line, derived from its content alone.

In: the eight raw texts of a row. Out: their canonical form, its SHA-256, the line's id.
The csv and the Parquet of one extract differ as text ("2.550" and "2.55"); here they become equal.
Blanks are spaces (U+0020), as for Spark's `trim`; digits are ASCII.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from lakehouse.remembered import remembered

Texts = Sequence[str | None]

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?"
)
_AMERICAN = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
)
_CANONICAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_CUSTOMER = re.compile(r"([0-9]+)(?:\.0+)?")
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


@remembered
def read_time(text: str) -> str | None:
    """Shop-local time of an InvoiceDate as `yyyy-MM-dd HH:mm:ss`; None when it is none.

    Reads `yyyy-MM-dd HH:mm[:ss]` (also with a `T`) and `M/d/yyyy H:mm[:ss]`, real days only.
    """
    plain = text.strip(" ")
    if found := _ISO.fullmatch(plain):
        year, month, day, hour, minute, second = found.groups(default="0")
    elif found := _AMERICAN.fullmatch(plain):
        month, day, year, hour, minute, second = found.groups(default="0")
    else:
        return None
    try:
        time = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))
    except ValueError:
        return None
    return time.isoformat(sep=" ")


def canonical_time(text: str) -> str:
    """`12/1/2010 8:26` becomes `2010-12-01 08:26:00`; a text that is no time stays."""
    return read_time(text) or text


@remembered
def canonical_customer(text: str) -> str:
    """`17850.0` becomes `17850`; other texts stay."""
    found = _CUSTOMER.fullmatch(text.strip(" "))
    return found[1] if found else text


def canonical_row(texts: Texts) -> tuple[str | None, ...]:
    """Eight texts in the order of `ERP_COLUMNS` in canonical form; an empty text becomes None."""
    invoice, sku, description, quantity, time, price, customer, country = texts
    return (
        invoice or None,
        sku or None,
        description or None,
        canonical_number(quantity) if quantity else None,
        canonical_time(time) if time else None,
        canonical_number(price) if price else None,
        canonical_customer(customer) if customer else None,
        country or None,
    )


def line_digest(canonical: Texts) -> bytes:
    """SHA-256 of a canonical row: of its compact JSON array in UTF-8.

    JSON keeps null and texts apart and quotes each text, so two different rows never join to the
    same bytes. `json.dumps(row, ensure_ascii=False, separators=(",", ":"))` gives the same array.
    """
    return hashlib.sha256(_encode(canonical)).digest()


def line_hash(texts: Texts) -> str:
    """Identity of an ERP line as 64 hexadecimal digits, whatever file it came in."""
    return line_digest(canonical_row(texts)).hex()


def event_id_of(canonical: Texts, digest: bytes, occurrence: int) -> str:
    """The line's `event_id`: its day, its digest, and which occurrence in the extract it is.

    Ids that begin with the day let a look-up pass over files of other days. A line without a
    readable date has no day in its id.
    """
    time = canonical[4] or ""
    day = f"{time[:4]}{time[5:7]}{time[8:10]}-" if _CANONICAL_TIME.fullmatch(time) else ""
    return f"{day}{digest.hex()}-{occurrence}"
