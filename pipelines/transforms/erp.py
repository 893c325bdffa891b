"""ERP invoice lines: bronze records -> typed order lines, refusals with their reason.

In: bronze rows of the ERP topic. Out: one row per record with identity, content_hash, amount,
refusal and `payload`, the typed silver columns (null when refused). Rules: docs/data.md.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.contracts.topics import ERP_COLUMNS, ERP_INVOICE_LINES
from lakehouse.settings import SHOP_TIME_ZONE
from pipelines.transforms.amounts import amount_of, money_rules, price_of, quantity_of
from pipelines.transforms.envelope import (
    FIRST_YEAR,
    LAST_YEAR,
    Rule,
    parse_envelope,
    refuse,
    text_rules,
)
from pipelines.transforms.order_rules import content_hash, line_class, sku_of, text_of

ISO_DATE = r"^(?!0000)[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.0+)?)?\z"
US_DATE = r"^[0-9]{1,2}/[0-9]{1,2}/(?!0000)[0-9]{4} [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\z"


def invoice_time(text: Column) -> Column:
    """Shop-local time of an invoice date, as a zone-less value carried in a timestamp.

    Reads `yyyy-MM-dd HH:mm[:ss]` and `M/d/yyyy H:mm[:ss]`; null for any other text and for a day
    that is in no calendar. A pattern is applied only where the text has its form.
    """
    plain = F.trim(text)
    iso = F.regexp_replace(F.regexp_replace(plain, "T", " "), r"\.0+\z", "")
    return F.coalesce(
        *[
            F.when(plain.rlike(form), F.try_to_timestamp(value, F.lit(pattern)))
            for form, value, pattern in (
                (ISO_DATE, iso, "yyyy-M-d H:mm:ss"),
                (ISO_DATE, iso, "yyyy-M-d H:mm"),
                (US_DATE, plain, "M/d/yyyy H:mm"),
                (US_DATE, plain, "M/d/yyyy H:mm:ss"),
            )
        ]
    )


def read_invoice_lines(records: DataFrame) -> DataFrame:
    """One row per record: topic, partition, offset, kafka_at, value, event_id, identity,
    content_hash, amount, refusal, day (of refused records, too, where it can be read), payload."""
    opened = parse_envelope(records, ERP_INVOICE_LINES).withColumnsRenamed(
        {column: f"raw_{column}" for column in ERP_COLUMNS}
    )
    typed = opened.select(
        "*",
        quantity_of(F.col("raw_Quantity")).alias("quantity"),
        price_of(F.col("raw_UnitPrice")).alias("unit_price"),
        invoice_time(F.col("raw_InvoiceDate")).alias("invoiced_at"),
        F.upper(F.trim("raw_InvoiceNo")).alias("_invoice"),
    ).withColumn("amount", amount_of(F.col("quantity"), F.col("unit_price")))
    judged = refuse(typed, _rules())
    lines = judged.select(
        "*",
        F.lit("erp").alias("source_system"),
        F.trim("raw_InvoiceNo").alias("order_id"),
        line_class(
            F.col("quantity"),
            unit_price=F.col("unit_price"),
            is_adjustment=F.col("_invoice").startswith("A"),
            is_cancellation=F.col("_invoice").startswith("C"),
        ).alias("line_class"),
        sku_of(F.col("raw_StockCode")).alias("sku"),
        text_of(F.col("raw_Description")).alias("text"),
        _customer_id().alias("customer_id"),
        F.coalesce(text_of(F.col("raw_Country")), F.lit("Unspecified")).alias("country"),
        F.to_utc_timestamp("invoiced_at", SHOP_TIME_ZONE).alias("ordered_at"),
        F.to_date("invoiced_at").alias("order_date"),
    )
    texts = ("raw_InvoiceNo", "raw_StockCode", "raw_Description", "raw_Country")
    content = (*texts, "quantity", "unit_price", "invoiced_at", "customer_id")
    return lines.select(
        "topic",
        "partition",
        "offset",
        "kafka_at",
        "value",
        "event_id",
        line_identity().alias("identity"),
        F.when(F.col("refusal").isNull(), content_hash(*content)).alias("content_hash"),
        "amount",
        "refusal",
        F.col("order_date").alias("day"),
        F.when(F.col("refusal").isNull(), F.array(_payload())).alias("payload"),
    )


def line_identity() -> Column:
    """The line's hash without its occurrence number: every occurrence is the same line."""
    return F.regexp_replace("event_id", r"^([0-9a-f]{64})-[0-9]+\z", "$1")


def _customer_id() -> Column:
    return F.regexp_replace(text_of(F.col("raw_CustomerID")), r"^([0-9]+)\.0+\z", "$1")


def _rules() -> list[Rule]:
    counted = F.col("column_count")
    year = F.year("invoiced_at")
    return [
        ("wrong_type", ~F.col("line_number").between(1, 2**31 - 1), F.lit("line_number")),
        ("wrong_column_count", counted.isNotNull() & (counted != len(ERP_COLUMNS)), counted),
        *text_rules([f"raw_{column}" for column in ERP_COLUMNS]),
        ("missing_order_id", F.coalesce(F.trim("raw_InvoiceNo"), F.lit("")) == "", F.lit(None)),
        *money_rules(F.col("raw_Quantity"), F.col("raw_UnitPrice")),
        ("bad_date", F.col("invoiced_at").isNull(), F.lit(None)),
        ("date_out_of_range", ~year.between(FIRST_YEAR, LAST_YEAR), year.cast("string")),
    ]


def _payload() -> Column:
    return F.struct(
        "source_system",
        "order_id",
        F.col("line_number").try_cast("int").alias("line_number"),
        "line_class",
        "sku",
        F.col("text").alias("description"),
        "customer_id",
        "country",
        "ordered_at",
        "order_date",
        F.date_format("order_date", "yyyy-MM").alias("order_month"),
        "quantity",
        F.col("unit_price").cast("decimal(12,4)").alias("unit_price"),
        F.col("amount").alias("line_amount"),
        F.lit("GBP").alias("currency"),
    )
