"""What becomes of one record: it is accepted with its rows, or refused with a reason.

The functions of `erp` and `web` take the bytes of one Kafka record and return one of the two. They
know no Spark and no table format, and never raise, whatever the bytes.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


class OrderLine(NamedTuple):
    """A row of `silver.order_lines`, but for where it came from."""

    source_system: str
    order_id: str
    line_number: int
    line_class: str
    sku: str | None
    description: str | None
    customer_id: str | None
    country: str
    ordered_at: datetime
    order_date: date
    order_month: str
    quantity: int
    unit_price: Decimal
    line_amount: Decimal
    currency: str


class WebEvent(NamedTuple):
    """A row of `silver.web_events`, but for where it came from."""

    session_id: str
    visitor_id: str
    customer_id: str | None
    event_type: str
    sku: str | None
    order_id: str | None
    device_type: str | None
    experiment: str | None
    arm: str | None
    occurred_at: datetime
    event_date: date


class Customer(NamedTuple):
    """A row of `silver.customers`, but for where it came from."""

    customer_id: str
    changed_at: datetime
    country: str
    has_marketing_consent: bool


class CustomerContact(NamedTuple):
    """A row of `silver.customer_contacts`, but for where it came from."""

    customer_id: str
    changed_at: datetime
    name: str
    email: str
    address: str | None


class Product(NamedTuple):
    """A row of `silver.products`, but for where it came from."""

    sku: str
    changed_at: datetime
    description: str
    category: str
    unit_price: Decimal
    is_active: bool


Row = OrderLine | WebEvent | Customer | CustomerContact | Product


class Accepted(NamedTuple):
    """A sound record.

    `identity` is what its duplicates share, `content_hash` covers the business fields alone,
    `amount` is its money (None where it states none), `day` its day in the shop.
    """

    event_id: str
    identity: str
    content_hash: str
    amount: Decimal | None
    day: date
    rows: tuple[Row, ...]


class Refused(NamedTuple):
    """A record that breaks a rule: the first one, of the closed list, and where it was broken.

    `detail` names fields, never content. The rest is given where it can be read.
    """

    reason: str
    detail: str = ""
    event_id: str | None = None
    identity: str | None = None
    amount: Decimal | None = None
    day: date | None = None


class Fault(NamedTuple):
    """A broken rule: a reason of the closed list, and the field."""

    reason: str
    detail: str = ""
