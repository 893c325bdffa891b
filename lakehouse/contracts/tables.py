"""Delta tables and their columns as data: types in Spark's DDL, grain, keys and partitions.

Money is DECIMAL, times are UTC `_at`, shop-local days are `_date`. Columns marked `personal` stay
out of Delta's statistics, so no name or e-mail can lie in a transaction log.
"""

from dataclasses import dataclass

from lakehouse.contracts.topics import MONEY, ORDINAL, PIECES, SHOP_TIME, UTC


@dataclass(frozen=True)
class Column:
    """A column of a table. `type` is Spark DDL, `unit` what a number or time counts."""

    name: str
    type: str
    nullable: bool = False
    description: str = ""
    personal: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the lake. `grain` completes the sentence "One row per ..."."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition_by: str | None = None

    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def flat_name(self) -> str:
        """The name without its point, as dbt's variables and attached tables have it."""
        return self.name.replace(".", "_")


SOURCE_POSITION = (
    Column("source_topic", "string", description="Topic of the record that won"),
    Column("source_partition", "int", description="Partition of the record that won"),
    Column("source_offset", "bigint", description="Offset of the record that won"),
)
REFINED_BATCH = Column("refined_batch", "bigint", description="Rising number of the refine batch")
IDENTITY = (
    Column("event_id", "string", description="Identity of the fact"),
    Column("content_hash", "string", description="SHA-256 of the business fields"),
)
POSITION = (
    Column("topic", "string"),
    Column("partition", "int"),
    Column("offset", "bigint"),
)

BRONZE_EVENTS = Table(
    "bronze.events",
    "Kafka record",
    ("topic", "partition", "offset"),
    (
        *POSITION,
        Column("key", "binary", nullable=True, personal=True),
        Column("value", "binary", nullable=True, personal=True, description="Raw bytes"),
        Column("producer_session", "string", nullable=True),
        Column("producer_seq", "bigint", nullable=True),
        Column("kafka_at", "timestamp", description="The broker's time of arrival", unit=UTC),
        Column("ingested_at", "timestamp", unit=UTC),
        Column("batch_id", "bigint", description="Batch of the ingest query"),
    ),
)
ORDER_LINES = Table(
    "silver.order_lines",
    "accepted order line of any source",
    ("event_id", "line_number"),
    (
        *IDENTITY,
        Column("source_system", "string", description="erp or web"),
        Column("order_id", "string"),
        Column("line_number", "int", description="Within the order, from 1", unit=ORDINAL),
        Column("line_class", "string"),
        Column("sku", "string", nullable=True, description="Upper-case stock code"),
        Column("description", "string", nullable=True, description="Trimmed text of the line"),
        Column("customer_id", "string", nullable=True, description="Null when unknown"),
        Column("country", "string"),
        Column("ordered_at", "timestamp", unit=UTC),
        Column("order_date", "date", description="Day of the shop", unit=SHOP_TIME),
        Column("order_month", "string", description="yyyy-MM of order_date", unit=SHOP_TIME),
        Column("quantity", "bigint", description="Signed", unit=PIECES),
        Column("unit_price", "decimal(12,4)", unit=MONEY),
        Column("line_amount", "decimal(18,4)", description="Of quantity and price", unit=MONEY),
        Column("currency", "string"),
        REFINED_BATCH,
        *SOURCE_POSITION,
    ),
    partition_by="order_month",
)
WEB_EVENTS = Table(
    "silver.web_events",
    "page view, cart, checkout, purchase or exposure event",
    ("event_id",),
    (
        *IDENTITY,
        Column("session_id", "string"),
        Column("visitor_id", "string"),
        Column("customer_id", "string", nullable=True),
        Column("event_type", "string"),
        Column("sku", "string", nullable=True),
        Column("order_id", "string", nullable=True),
        Column("device_type", "string", nullable=True, description="Null before version 2"),
        Column("experiment", "string", nullable=True, description="Of an exposure"),
        Column("arm", "string", nullable=True, description="Of an exposure"),
        Column("occurred_at", "timestamp", unit=UTC),
        Column("event_date", "date", description="Day of the shop", unit=SHOP_TIME),
        REFINED_BATCH,
        *SOURCE_POSITION,
    ),
)
CUSTOMERS = Table(
    "silver.customers",
    "change of a customer",
    ("event_id",),
    (
        *IDENTITY,
        Column("customer_id", "string"),
        Column("changed_at", "timestamp", unit=UTC),
        Column("country", "string"),
        Column("has_marketing_consent", "boolean"),
        REFINED_BATCH,
        *SOURCE_POSITION,
    ),
)
CUSTOMER_CONTACTS = Table(
    "silver.customer_contacts",
    "change of a customer's contact data; the only silver table with personal data",
    ("event_id",),
    (
        *IDENTITY,
        Column("customer_id", "string"),
        Column("changed_at", "timestamp", unit=UTC),
        Column("name", "string", personal=True),
        Column("email", "string", personal=True),
        Column("address", "string", nullable=True, personal=True),
        REFINED_BATCH,
        *SOURCE_POSITION,
    ),
)
PRODUCTS = Table(
    "silver.products",
    "change of a product",
    ("event_id",),
    (
        *IDENTITY,
        Column("sku", "string"),
        Column("changed_at", "timestamp", unit=UTC),
        Column("description", "string"),
        Column("category", "string"),
        Column("unit_price", "decimal(12,4)", unit=MONEY),
        Column("is_active", "boolean"),
        REFINED_BATCH,
        *SOURCE_POSITION,
    ),
)
QUARANTINE = Table(
    "silver.quarantine",
    "refused record",
    ("topic", "partition", "offset"),
    (
        *POSITION,
        Column("event_id", "string", nullable=True),
        Column("reason", "string", description="Of the closed list"),
        Column("detail", "string", nullable=True, description="Field and value class, no content"),
        Column("raw_value", "binary", nullable=True, personal=True),
        Column(
            "amount",
            "decimal(18,4)",
            nullable=True,
            description="Where it parses",
            unit=MONEY,
        ),
        Column("first_seen_at", "timestamp", unit=UTC),
        Column(
            "replayed_at",
            "timestamp",
            nullable=True,
            description="Set when a replay took it",
            unit=UTC,
        ),
        REFINED_BATCH,
    ),
)
DUPLICATES = Table(
    "silver.duplicates",
    "record that repeats an accepted one",
    ("topic", "partition", "offset"),
    (
        *POSITION,
        Column("event_id", "string"),
        Column("identity", "string", description="event_id; for ERP its hash without occurrence"),
        Column("disposition", "string", description="redelivered or repeated"),
        Column("amount", "decimal(18,4)", nullable=True, unit=MONEY),
        REFINED_BATCH,
    ),
)

TABLES = (
    BRONZE_EVENTS,
    ORDER_LINES,
    WEB_EVENTS,
    CUSTOMERS,
    CUSTOMER_CONTACTS,
    PRODUCTS,
    QUARANTINE,
    DUPLICATES,
)
ENTITIES = (ORDER_LINES, WEB_EVENTS, CUSTOMERS, PRODUCTS)
"""The table of each kind of fact: a record whose row it holds is accepted."""
GOLD_SOURCES = (ORDER_LINES, CUSTOMERS, CUSTOMER_CONTACTS, PRODUCTS, WEB_EVENTS)
"""The tables that gold is built from; a build pins a version of each."""

_BY_NAME = {each.name: each for each in TABLES}


def table(name: str) -> Table:
    """The contract of a Delta table. Raises: KeyError for an unknown name."""
    return _BY_NAME[name]
