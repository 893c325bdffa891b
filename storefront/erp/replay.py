"""Replays an ERP extract: each row becomes a message with its eight columns as raw texts.

In: a validated `Extract`. Out: `Message`s of `erp.invoice_lines.v1` in the order of the file.
Identity comes from content: the same line gets the same `event_id` from csv, Parquet, today or
tomorrow, whatever range of dates is sent.
"""

from collections.abc import Iterator
from datetime import date, datetime

from lakehouse.contracts.amounts import line_amount
from lakehouse.contracts.erp_lines import canonical_row, event_id_of, line_digest, read_time
from lakehouse.contracts.topics import ENVELOPE, ERP_COLUMNS, ERP_INVOICE_LINES
from lakehouse.errors import LakeError
from storefront.erp.extract import Extract
from storefront.messages import Message, encode, rfc3339

UNKNOWN_KEY = "unknown"
_WIDTH = len(ERP_COLUMNS)
_FIELDS = tuple(field.name for field in (*ENVELOPE, *ERP_INVOICE_LINES.fields))
_FIRST_DAY, _LAST_DAY = "0000-00-00", "9999-99-99"


def erp_messages(
    extract: Extract,
    *,
    extracted_at: datetime,
    date_from: date | None = None,
    date_until: date | None = None,
) -> Iterator[Message]:
    """One message per row whose InvoiceDate lies in the range; memory grows by 0.2 kB per line.

    Occurrence numbers and line numbers count over the whole extract, so a range gives the very
    messages that a full send gives for those days.

    Args:
        extract: A validated extract.
        extracted_at: Time of the extraction, with a time zone; `occurred_at` of every message.
        date_from: First day, inclusive; None from the start.
        date_until: Last day, inclusive; None to the end. Rows with unreadable dates always go.

    Raises:
        LakeError: The range ends before it starts.
        ValueError: `extracted_at` has no time zone.
    """
    if date_from and date_until and date_from > date_until:
        raise LakeError(f"The range from {date_from} until {date_until} holds no day.")
    return _messages(
        extract,
        occurred_at=rfc3339(extracted_at),
        first_day=date_from.isoformat() if date_from else _FIRST_DAY,
        last_day=date_until.isoformat() if date_until else _LAST_DAY,
    )


def _messages(
    extract: Extract, *, occurred_at: str, first_day: str, last_day: str
) -> Iterator[Message]:
    topic, version = ERP_INVOICE_LINES.name, ERP_INVOICE_LINES.schema_version
    date_order = extract.date_order
    occurrences: dict[bytes, int] = {}
    lines_of: dict[str | None, int] = {}
    for texts, row_number, column_count in extract.rows():
        invoice, _, _, quantity, invoice_date, unit_price, _, _ = texts
        canonical = canonical_row(texts, date_order=date_order)
        digest = line_digest(canonical)
        occurrences[digest] = occurrence = occurrences.get(digest, 0) + 1
        lines_of[invoice] = line_number = lines_of.get(invoice, 0) + 1
        time = read_time(invoice_date, date_order=date_order) if invoice_date else None
        if time is not None and not first_day <= time[:10] <= last_day:
            continue
        event_id = event_id_of(canonical, digest, occurrence)
        values = [event_id, version, occurred_at, *texts, row_number, line_number]
        fields: dict[str, object] = dict(zip(_FIELDS, values, strict=False))
        if column_count != _WIDTH:
            fields["column_count"] = column_count
        if date_order is not None:
            fields["date_order"] = date_order
        amount = line_amount(quantity, unit_price)
        yield Message(topic, invoice or UNKNOWN_KEY, event_id, encode(fields), amount)
