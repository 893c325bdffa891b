"""Records of the web shop, the CRM and the catalog -> typed rows, refusals with their reason.

In: bronze rows of one topic. Out: one row per record with identity, content_hash, amount, refusal,
day in London (of refused ones, too, where it can be read) and `payload`, an array of typed silver
rows (null when refused): a web order has several lines.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CONSENTS,
    CRM_CUSTOMERS,
    CURRENCIES,
    ORDER_KINDS,
    PRODUCT_STATUS,
    WEB_DEVICE_TYPES,
    WEB_EVENT_TYPES,
    WEB_EVENTS,
    WEB_ORDERS,
)
from pipelines.transforms.amounts import (
    line_amount,
    line_refusal,
    price_of,
    price_rules,
)
from pipelines.transforms.envelope import Rule, parse_envelope, refuse, text_rules, utc_timestamp
from pipelines.transforms.order_rules import content_hash, line_class, shop_day, sku_of, text_of


def read_web_orders(records: DataFrame) -> DataFrame:
    """One row per order message; `payload` holds its lines. A bad line refuses the whole order."""
    opened = parse_envelope(records, WEB_ORDERS)
    refusals = F.transform("lines", line_refusal)
    judged = refuse(
        opened.withColumn("_bad_line", F.get(F.filter(refusals, lambda x: x.isNotNull()), 0)),
        [
            *text_rules(["order_id", "customer_id", "session_id", "country", "currency"]),
            ("missing_order_id", F.trim("order_id") == "", F.lit(None)),
            ("missing_field", F.size("lines") == 0, F.lit("lines")),
            _closed("currency", CURRENCIES, "unknown_currency"),
            _closed("order_kind", ORDER_KINDS),
            ("bad_line", F.col("_bad_line").isNotNull(), F.col("_bad_line")),
        ],
    )
    priced = judged.select(
        "*",
        utc_timestamp("occurred_at").alias("ordered_at"),
        F.aggregate(
            F.transform("lines", line_amount),
            F.lit(0).cast("decimal(18,4)"),
            lambda total, amount: (total + amount).try_cast("decimal(18,4)"),
        ).alias("amount"),
    ).withColumn("order_date", shop_day(F.col("ordered_at")))
    lines = F.transform("lines", _order_line)
    content = [field.name for field in WEB_ORDERS.fields]
    return _records(priced, content=(*content, "ordered_at"), payload=lines)


def read_web_events(records: DataFrame) -> DataFrame:
    """One row per event message of the web shop."""
    opened = parse_envelope(records, WEB_EVENTS)
    names = [field.name for field in WEB_EVENTS.fields]
    judged = refuse(
        opened,
        [
            *text_rules(names),
            _closed("event_type", WEB_EVENT_TYPES),
            _closed("device_type", WEB_DEVICE_TYPES),
        ],
    ).withColumn("happened_at", utc_timestamp("occurred_at"))
    payload = F.struct(
        "session_id",
        "visitor_id",
        "customer_id",
        "event_type",
        sku_of(F.col("sku")).alias("sku"),
        "order_id",
        "device_type",
        F.col("happened_at").alias("occurred_at"),
        shop_day(F.col("happened_at")).alias("event_date"),
    )
    return _records(judged, content=(*names, "happened_at"), payload=F.array(payload))


def read_customers(records: DataFrame) -> DataFrame:
    """One row per change of a customer; contact data rides in the same payload."""
    opened = parse_envelope(records, CRM_CUSTOMERS)
    names = [field.name for field in CRM_CUSTOMERS.fields]
    judged = refuse(
        opened,
        [
            *text_rules(names),
            ("missing_field", F.trim("customer_id") == "", F.lit("customer_id")),
            _closed("marketing_consent", CONSENTS),
        ],
    ).withColumn("changed_at", utc_timestamp("occurred_at"))
    payload = F.struct(
        "customer_id",
        "changed_at",
        F.coalesce(text_of(F.col("country")), F.lit("Unspecified")).alias("country"),
        (F.col("marketing_consent") == "yes").alias("has_marketing_consent"),
        "name",
        "email",
        "address",
    )
    return _records(judged, content=(*names, "changed_at"), payload=F.array(payload))


def read_products(records: DataFrame) -> DataFrame:
    """One row per change of a product."""
    opened = parse_envelope(records, CATALOG_PRODUCTS)
    names = [field.name for field in CATALOG_PRODUCTS.fields]
    typed = opened.withColumn("price", price_of(F.col("unit_price")))
    judged = refuse(
        typed,
        [
            *text_rules(names),
            ("missing_field", F.trim("sku") == "", F.lit("sku")),
            *price_rules(F.col("unit_price"), F.col("price")),
            _closed("status", PRODUCT_STATUS),
        ],
    ).withColumn("changed_at", utc_timestamp("occurred_at"))
    payload = F.struct(
        sku_of(F.col("sku")).alias("sku"),
        "changed_at",
        "description",
        "category",
        F.col("price").cast("decimal(12,4)").alias("unit_price"),
        (F.col("status") == "active").alias("is_active"),
    )
    content = [name for name in names if name != "unit_price"]
    return _records(judged, content=(*content, "price", "changed_at"), payload=F.array(payload))


def _closed(column: str, values: tuple[str, ...], reason: str = "unknown_value") -> Rule:
    return (reason, ~F.col(column).isin(*values), F.lit(column))


def _order_line(line: Column, index: Column) -> Column:
    price = price_of(line["unit_price"]).cast("decimal(12,4)")
    cancelled = F.col("order_kind") == "cancellation"
    return F.struct(
        F.lit("web").alias("source_system"),
        F.col("order_id"),
        (index + 1).cast("int").alias("line_number"),
        line_class(
            line["quantity"],
            unit_price=price,
            is_adjustment=F.lit(False),
            is_cancellation=cancelled,
        ).alias("line_class"),
        sku_of(line["sku"]).alias("sku"),
        text_of(line["description"]).alias("description"),
        text_of(F.col("customer_id")).alias("customer_id"),
        F.coalesce(text_of(F.col("country")), F.lit("Unspecified")).alias("country"),
        F.col("ordered_at"),
        F.col("order_date"),
        F.date_format("order_date", "yyyy-MM").alias("order_month"),
        line["quantity"].alias("quantity"),
        price.alias("unit_price"),
        line_amount(line).alias("line_amount"),
        F.col("currency"),
    )


def _records(judged: DataFrame, *, content: tuple[str, ...], payload: Column) -> DataFrame:
    sound = F.col("refusal").isNull()
    amount = F.col("amount") if "amount" in judged.columns else F.lit(None)
    return judged.select(
        "topic",
        "partition",
        "offset",
        "kafka_at",
        "value",
        "event_id",
        F.col("event_id").alias("identity"),
        F.when(sound, content_hash(*content)).alias("content_hash"),
        amount.cast("decimal(18,4)").alias("amount"),
        "refusal",
        shop_day(utc_timestamp("occurred_at")).alias("day"),
        F.when(sound, payload).alias("payload"),
    )
