"""Web shop, CRM and catalog: one Kafka record -> typed rows, or why it is refused.

In: the bytes of a record of one topic. Out: `Accepted` or `Refused`. A web order has one row per
line, and one bad line refuses the order; a customer's change has a row without and a row with the
contact data. Rules: docs/data.md.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lakehouse.contracts.amounts import amount_of, is_quantity, price_fault, price_of
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CONSENTS,
    CRM_CUSTOMERS,
    ORDER_KINDS,
    ORDER_LINE_FIELDS,
    PRODUCT_STATUS,
    WEB_DEVICE_TYPES,
    WEB_EVENT_TYPES,
    WEB_EVENTS,
    WEB_ORDERS,
    Topic,
)
from lakehouse.shop import shop
from pipelines.transforms.envelope import has_control_characters, open_message, text_fault, utc_time
from pipelines.transforms.order_rules import (
    content_hash,
    line_class,
    shop_day,
    sku_of,
    text_of,
)
from pipelines.transforms.records import (
    Accepted,
    Customer,
    CustomerContact,
    Fault,
    OrderLine,
    Product,
    Refused,
    Row,
    WebEvent,
)

Fields = Mapping[str, Any]
_LARGEST_TOTAL = Decimal(10) ** 14
EXPOSURES_NAME_ARMS = 3
"""Schema version of web events from which an exposure says of which experiment it is."""


def refine_web_order(
    value: bytes | None, *, currencies: Sequence[str] | None = None
) -> Accepted | Refused:
    """An order or a credit note of the web shop as its lines; by itself in the shop's currency."""
    accepted = (shop().currency,) if currencies is None else currencies

    def fault_of(fields: Fields) -> Fault | None:
        if not fields["order_id"].strip(" "):
            return Fault("missing_order_id")
        if not fields["lines"]:
            return Fault("missing_field", "lines")
        if fields["currency"] not in accepted:
            return Fault("unknown_currency", "currency")
        if fields["order_kind"] not in ORDER_KINDS:
            return Fault("unknown_value", "order_kind")
        codes = enumerate(map(line_fault, fields["lines"]), 1)
        return next((Fault("bad_line", f"line {n} {code}") for n, code in codes if code), None)

    def content_of(fields: Fields) -> Fields:
        names = [field.name for field in ORDER_LINE_FIELDS]
        lines = [{name: line.get(name) for name in names} for line in fields["lines"]]
        return {**fields, "lines": lines}

    return _refined(
        value,
        WEB_ORDERS,
        fault_of=fault_of,
        rows_of=_order_lines,
        amount_of_message=lambda fields: order_amount(fields["lines"]),
        content_of=content_of,
    )


def refine_web_event(value: bytes | None) -> Accepted | Refused:
    """A page view, cart, checkout, purchase or exposure."""

    def fault_of(fields: Fields) -> Fault | None:
        if fields["event_type"] not in WEB_EVENT_TYPES:
            return Fault("unknown_value", "event_type")
        if fields["device_type"] not in (None, *WEB_DEVICE_TYPES):
            return Fault("unknown_value", "device_type")
        if fields["event_type"] == "exposure" and fields["schema_version"] >= EXPOSURES_NAME_ARMS:
            empty = (name for name in ("experiment", "arm") if not (fields[name] or "").strip(" "))
            return next((Fault("missing_field", name) for name in empty), None)
        return None

    def rows_of(fields: Fields, at: datetime, day: date) -> tuple[Row, ...]:
        return (
            WebEvent(
                fields["session_id"],
                fields["visitor_id"],
                fields["customer_id"],
                fields["event_type"],
                sku_of(fields["sku"]),
                fields["order_id"],
                fields["device_type"],
                fields["experiment"],
                fields["arm"],
                at,
                day,
            ),
        )

    return _refined(value, WEB_EVENTS, fault_of=fault_of, rows_of=rows_of)


def refine_customer(value: bytes | None) -> Accepted | Refused:
    """A change of a customer's profile."""

    def fault_of(fields: Fields) -> Fault | None:
        if not fields["customer_id"].strip(" "):
            return Fault("missing_field", "customer_id")
        if fields["marketing_consent"] not in CONSENTS:
            return Fault("unknown_value", "marketing_consent")
        return None

    def rows_of(fields: Fields, at: datetime, _: date) -> tuple[Row, ...]:
        customer_id = fields["customer_id"]
        has_consent = fields["marketing_consent"] == "yes"
        return (
            CustomerContact(customer_id, at, fields["name"], fields["email"], fields["address"]),
            Customer(customer_id, at, text_of(fields["country"]) or "Unspecified", has_consent),
        )

    return _refined(value, CRM_CUSTOMERS, fault_of=fault_of, rows_of=rows_of)


def refine_product(value: bytes | None) -> Accepted | Refused:
    """A change of a product."""

    def fault_of(fields: Fields) -> Fault | None:
        if not fields["sku"].strip(" "):
            return Fault("missing_field", "sku")
        if code := price_fault(fields["unit_price"]):
            return Fault(code)
        if fields["status"] not in PRODUCT_STATUS:
            return Fault("unknown_value", "status")
        return None

    def rows_of(fields: Fields, at: datetime, _: date) -> tuple[Row, ...]:
        sku, price = sku_of(fields["sku"]), price_of(fields["unit_price"])
        assert sku is not None and price is not None  # noqa: S101, PT018 - `fault_of` has seen both
        is_active = fields["status"] == "active"
        return (Product(sku, at, fields["description"], fields["category"], price, is_active),)

    def content_of(fields: Fields) -> Fields:
        return {**fields, "unit_price": price_of(fields["unit_price"])}

    return _refined(
        value, CATALOG_PRODUCTS, fault_of=fault_of, rows_of=rows_of, content_of=content_of
    )


def line_fault(line: Fields) -> str | None:
    """Why a line of a web order is refused, as a code of the closed list of reasons."""
    sku, quantity, price = line.get("sku") or "", line.get("quantity"), line.get("unit_price") or ""
    if has_control_characters(sku + (line.get("description") or "")):
        return "control_characters"
    if not sku.strip(" "):
        return "missing_field"
    if quantity is None or not is_quantity(quantity):
        return "bad_quantity" if quantity is None else "quantity_out_of_range"
    has_amount = amount_of(quantity, price_of(price)) is not None
    return None if has_amount else price_fault(price) or "amount_out_of_range"


def order_amount(lines: Sequence[Fields]) -> Decimal | None:
    """Money of all lines; None where one has none."""
    total = Decimal(0)
    for line in lines:
        amount = amount_of(line.get("quantity"), price_of(line.get("unit_price") or ""))
        if amount is None:
            return None
        total += amount
    return total if abs(total) < _LARGEST_TOTAL else None


def _order_lines(fields: Fields, at: datetime, day: date) -> tuple[Row, ...]:
    return tuple(
        _order_line(fields, line, number, at, day) for number, line in enumerate(fields["lines"], 1)
    )


def _order_line(fields: Fields, line: Fields, number: int, at: datetime, day: date) -> OrderLine:
    price = price_of(line["unit_price"])
    amount = amount_of(line["quantity"], price)
    assert price is not None and amount is not None  # noqa: S101, PT018 - `line_fault` has seen both
    return OrderLine(
        source_system="web",
        order_id=fields["order_id"],
        line_number=number,
        line_class=line_class(
            line["quantity"],
            unit_price=price,
            is_adjustment=False,
            is_cancellation=fields["order_kind"] == "cancellation",
        ),
        sku=sku_of(line["sku"]),
        description=text_of(line.get("description")),
        customer_id=text_of(fields["customer_id"]),
        country=text_of(fields["country"]) or "Unspecified",
        ordered_at=at,
        order_date=day,
        order_month=f"{day:%Y-%m}",
        quantity=line["quantity"],
        unit_price=price,
        line_amount=amount,
        currency=fields["currency"],
    )


def _refined(
    value: bytes | None,
    topic: Topic,
    *,
    fault_of: Callable[[Fields], Fault | None],
    rows_of: Callable[[Fields, datetime, date], tuple[Row, ...]],
    amount_of_message: Callable[[Fields], Decimal | None] = lambda _: None,
    content_of: Callable[[Fields], Fields] = lambda fields: fields,
) -> Accepted | Refused:
    """A record of any of these topics: its envelope, its own rules, then its rows."""
    fields, fault = open_message(value, topic)
    if fields is None:
        return Refused(*(fault or Fault("not_json")))
    at, event_id, amount = utc_time(fields["occurred_at"]), fields["event_id"], None
    day = shop_day(at) if at else None
    amount = amount_of_message(fields)
    fault = fault or text_fault(fields, _texts(topic)) or fault_of(fields)
    if fault or at is None or day is None:
        return Refused(*(fault or Fault("bad_time")), event_id, event_id, amount, day)
    business = {name: fields[name] for name in _names(topic)}
    content = content_hash({**content_of(business), "at": at})
    return Accepted(event_id, event_id, content, amount, day, rows_of(fields, at, day))


def _names(topic: Topic) -> tuple[str, ...]:
    return tuple(field.name for field in topic.fields)


def _texts(topic: Topic) -> tuple[str, ...]:
    return tuple(field.name for field in topic.fields if field.kind == "string")
