"""ERP invoice lines: one Kafka record -> a typed order line, or why it is refused.

In: the bytes of a record of the ERP topic. Out: `Accepted` or `Refused`. Rules: docs/data.md.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from lakehouse.contracts.amounts import (
    amount_of,
    price_fault,
    price_of,
    quantity_fault,
    quantity_of,
)
from lakehouse.contracts.business import FIRST_YEAR, LAST_YEAR
from lakehouse.contracts.erp_lines import canonical_row, is_canonical_time, line_digest
from lakehouse.contracts.identity import line_identity
from lakehouse.contracts.topics import DATE_ORDERS, ERP_COLUMNS, ERP_INVOICE_LINES
from lakehouse.remembered import remembered
from lakehouse.shop import shop
from pipelines.transforms.envelope import open_message, text_fault
from pipelines.transforms.order_rules import line_class, shop_moment, sku_of, text_of
from pipelines.transforms.records import Accepted, Fault, OrderLine, Refused

_LARGEST_LINE = 2**31 - 1


class InvoiceTime(NamedTuple):
    """When an invoice was made: the moment in UTC, the day and month of the shop."""

    at: datetime
    day: date
    month: str


def refine_invoice_line(value: bytes | None) -> Accepted | Refused:
    """One row of an ERP extract as an order line."""
    fields, fault = open_message(value, ERP_INVOICE_LINES)
    if fields is None:
        return Refused(*(fault or Fault("not_json")))
    texts = [fields[column] for column in ERP_COLUMNS]
    date_order = fields["date_order"] if fields["date_order"] in DATE_ORDERS else None
    canonical = canonical_row(texts, date_order=date_order)
    invoice, sku, _, _, time, _, customer, country = canonical
    quantity, price = quantity_of(fields["Quantity"] or ""), price_of(fields["UnitPrice"] or "")
    amount, order_id = amount_of(quantity, price), text_of(invoice)
    invoiced = invoice_time(time or "")
    event_id, identity = fields["event_id"], line_identity(fields["event_id"])
    fault = fault or _fault(fields, order_id, amount, invoiced)
    if fault or not order_id or quantity is None or price is None or not invoiced or amount is None:
        day = invoiced.day if invoiced else None
        return Refused(*(fault or Fault("not_json")), event_id, identity, amount, day)
    line = OrderLine(
        source_system="erp",
        order_id=order_id,
        line_number=fields["line_number"],
        line_class=line_class(
            quantity,
            unit_price=price,
            is_adjustment=order_id[0] in "Aa",
            is_cancellation=order_id[0] in "Cc",
        ),
        sku=sku_of(sku),
        description=text_of(fields["Description"]),
        customer_id=text_of(customer),
        country=text_of(country) or "Unspecified",
        ordered_at=invoiced.at,
        order_date=invoiced.day,
        order_month=invoiced.month,
        quantity=quantity,
        unit_price=price,
        line_amount=amount,
        currency=shop().currency,
    )
    content = line_digest(canonical).hex()
    return Accepted(event_id, identity, content, amount, invoiced.day, (line,))


@remembered
def invoice_time(text: str) -> InvoiceTime | None:
    """When an invoice was made, by its canonical text; None for a text that is no time."""
    if not is_canonical_time(text):
        return None
    wall_clock = datetime.fromisoformat(text)
    return InvoiceTime(shop_moment(wall_clock), wall_clock.date(), text[:7])


def _fault(
    fields: Mapping[str, Any],
    order_id: str | None,
    amount: Decimal | None,
    invoiced: InvoiceTime | None,
) -> Fault | None:
    """The first rule that a readable message breaks."""
    return (
        _row_fault(fields)
        or text_fault(fields, ERP_COLUMNS)
        or (None if order_id else Fault("missing_order_id"))
        or (_money_fault(fields) if amount is None else None)
        or _date_fault(invoiced)
    )


def _row_fault(fields: Mapping[str, Any]) -> Fault | None:
    counted = fields["column_count"]
    if not 1 <= fields["line_number"] <= _LARGEST_LINE:
        return Fault("wrong_type", "line_number")
    if counted is not None and counted != len(ERP_COLUMNS):
        return Fault("wrong_column_count", str(counted))
    if fields["date_order"] not in (None, *DATE_ORDERS):
        return Fault("unknown_value", "date_order")
    return None


def _money_fault(fields: Mapping[str, Any]) -> Fault:
    code = quantity_fault(fields["Quantity"] or "") or price_fault(fields["UnitPrice"] or "")
    return Fault(code or "amount_out_of_range")


def _date_fault(invoiced: InvoiceTime | None) -> Fault | None:
    if invoiced is None:
        return Fault("bad_date")
    if not FIRST_YEAR <= invoiced.day.year <= LAST_YEAR:
        return Fault("date_out_of_range", str(invoiced.day.year))
    return None
