"""Kafka topics and the fields of their messages.

Every message is one JSON object in UTF-8. Its key is the entity's id; two headers,
`producer_session` and `producer_seq` (0, 1, 2 ... per session), let the audit find a hole.
`event_id` is the message's identity: the same fact sent again carries the same id.
"""

from dataclasses import dataclass
from typing import Literal

DateOrder = Literal["day-first", "month-first"]
"""How the dates with slashes of one extract are read."""

Kind = Literal["string", "integer", "lines", "rows"]


@dataclass(frozen=True)
class Field:
    """A field of a message. A `nullable` field may be null or absent; others must be present.

    Kinds: `string` a JSON string; `integer` a JSON number without fraction; `lines` an array of
    order-line objects (`ORDER_LINE_FIELDS`); `rows` one of any objects. Money travels as a string,
    so no float can touch it. `unit` says what a number or time counts, `values` is the closed list
    of a coded field, and `since` the schema version that brought the field: older messages don't
    have it.
    """

    name: str
    kind: Kind
    nullable: bool = False
    description: str = ""
    unit: str = ""
    values: tuple[str, ...] = ()
    since: int = 1


@dataclass(frozen=True)
class Topic:
    """A topic: its message key, its fields beyond the envelope, and its layout.

    Messages of every version from `oldest_version` to `schema_version`, the newest, are read.
    """

    name: str
    key: str
    fields: tuple[Field, ...]
    description: str
    schema_version: int = 1
    oldest_version: int = 1
    partitions: int = 2

    @property
    def versions(self) -> tuple[int, ...]:
        """Schema versions that are supported, oldest first."""
        return tuple(range(self.oldest_version, self.schema_version + 1))

    def fields_of(self, version: int) -> tuple[Field, ...]:
        """Fields of a message of one schema version, those of the envelope first."""
        return tuple(each for each in (*ENVELOPE, *self.fields) if each.since <= version)


ERP_COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
"""The eight columns of an ERP extract, in the order of their canonical form."""

MONEY, PIECES, UTC, SHOP_TIME, ORDINAL = "money", "pieces", "UTC", "shop time", "ordinal"
"""Units of the contracts: the shop's currency, quantities, moments, the shop's clock, places."""

WEB_EVENT_TYPES = (
    "page_view",
    "product_view",
    "add_to_cart",
    "checkout",
    "purchase",
    "exposure",
)
WEB_DEVICE_TYPES = ("desktop", "mobile", "tablet")
DATE_ORDERS: tuple[DateOrder, ...] = ("day-first", "month-first")
ORDER_KINDS = ("sale", "cancellation")
CONSENTS = ("yes", "no")
PRODUCT_STATUS = ("active", "discontinued")

ENVELOPE = (
    Field("event_id", "string", description="Identity of the fact; at most 200 characters"),
    Field("schema_version", "integer", description="Version of the topic's contract"),
    Field("occurred_at", "string", description="RFC 3339", unit=UTC),
)

ORDER_LINE_FIELDS = (
    Field("sku", "string"),
    Field("description", "string", nullable=True),
    Field("quantity", "integer", description="Negative in a cancellation", unit=PIECES),
    Field("unit_price", "string", description="Plain, at most four decimals", unit=MONEY),
)

_ERP_UNITS = {"Quantity": PIECES, "InvoiceDate": SHOP_TIME, "UnitPrice": MONEY}
ERP_INVOICE_LINES = Topic(
    "erp.invoice_lines.v1",
    "InvoiceNo",
    (
        *(
            Field(column, "string", nullable=True, unit=_ERP_UNITS.get(column, ""))
            for column in ERP_COLUMNS
        ),
        Field("row_number", "integer", description="Row in the extract, from 1", unit=ORDINAL),
        Field("line_number", "integer", description="Row in its invoice, from 1", unit=ORDINAL),
        Field(
            "column_count",
            "integer",
            nullable=True,
            description="Only when the row has not eight",
            unit="columns",
        ),
        Field(
            "date_order",
            "string",
            nullable=True,
            description="How the extract's dates with slashes are read; absent where it has none",
            values=DATE_ORDERS,
            since=2,
        ),
    ),
    "One message per row of an ERP extract, its eight columns as raw strings.",
    schema_version=2,
)
WEB_ORDERS = Topic(
    "web.orders.v1",
    "order_id",
    (
        Field("order_id", "string"),
        Field("order_kind", "string", values=ORDER_KINDS),
        Field("customer_id", "string", nullable=True),
        Field("session_id", "string", nullable=True),
        Field("country", "string"),
        Field("currency", "string", description="ISO 4217; the shop's own"),
        Field("lines", "lines"),
    ),
    "One message per order or credit note of the web shop, with its lines.",
)
WEB_EVENTS = Topic(
    "web.events.v1",
    "session_id",
    (
        Field("session_id", "string"),
        Field("visitor_id", "string"),
        Field("customer_id", "string", nullable=True),
        Field("event_type", "string", values=WEB_EVENT_TYPES),
        Field("sku", "string", nullable=True),
        Field("order_id", "string", nullable=True),
        Field(
            "device_type",
            "string",
            nullable=True,
            description="What the visitor holds; null when unknown",
            values=WEB_DEVICE_TYPES,
            since=2,
        ),
        Field(
            "experiment",
            "string",
            nullable=True,
            description="Of an exposure: whose page is shown",
            since=3,
        ),
        Field(
            "arm",
            "string",
            nullable=True,
            description="Of an exposure: as which arm's",
            since=3,
        ),
    ),
    "One message per page view, cart, checkout, purchase or exposure event.",
    schema_version=3,
)
CRM_CUSTOMERS = Topic(
    "crm.customers.v1",
    "customer_id",
    (
        Field("customer_id", "string"),
        Field("name", "string"),
        Field("email", "string"),
        Field("address", "string", nullable=True),
        Field("country", "string"),
        Field("marketing_consent", "string", values=CONSENTS),
    ),
    "One message per change of a customer's profile.",
)
CATALOG_PRODUCTS = Topic(
    "catalog.products.v1",
    "sku",
    (
        Field("sku", "string"),
        Field("description", "string"),
        Field("category", "string"),
        Field("unit_price", "string", unit=MONEY),
        Field("status", "string", values=PRODUCT_STATUS),
    ),
    "One message per change of a product.",
)
LIVE_WINDOWS = ("last_minute", "last_15_minutes", "today")
LIVE_KPIS = Topic(
    "live.kpis.v1",
    "kpi",
    (
        Field("kpi", "string", description="A KPI of gold, a count of visits, or a list"),
        Field("window", "string", values=LIVE_WINDOWS),
        Field("version", "integer", description="Of one key the largest counts", unit=ORDINAL),
        Field("day", "string", description="Today, on the shop's calendar"),
        Field("unit", "string"),
        Field("value", "string", nullable=True, description="A plain decimal; null when undefined"),
        Field("rows", "rows", nullable=True, description="Of a list, in its order"),
    ),
    "One message per KPI and window each time they are told: the whole value, never a change.",
    partitions=1,
)

SOURCE_TOPICS = (ERP_INVOICE_LINES, WEB_ORDERS, WEB_EVENTS, CRM_CUSTOMERS, CATALOG_PRODUCTS)


def dead_letter_topic(name: str) -> str:
    """Name of the topic that takes what a producer refused to send to `name`."""
    return f"{name}.dlq"


def topic(name: str) -> Topic:
    """The contract of a source topic. Raises: KeyError for an unknown name."""
    return _BY_NAME[name]


_BY_NAME = {each.name: each for each in (*SOURCE_TOPICS, LIVE_KPIS)}
TOPICS = (*_BY_NAME, *(dead_letter_topic(each.name) for each in SOURCE_TOPICS))
"""Names of all topics that the broker holds."""


def subscribed_topics() -> tuple[str, ...]:
    """Topics that bronze keeps: the sources and their dead letters."""
    names = [topic.name for topic in SOURCE_TOPICS]
    return (*names, *(dead_letter_topic(name) for name in names))
