"""ERP lines: identity and dates as the producer has them, and the typed rows that come out."""

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from lakehouse.contracts.erp_lines import line_hash, read_time
from lakehouse.contracts.topics import ERP_COLUMNS, ERP_INVOICE_LINES
from pipelines.transforms.erp import invoice_time, read_invoice_lines
from tests.lake_state import Record, bronze_frame, erp, texts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

TIMES = (
    *("12/1/2010 8:26", "12/1/2010 08:26", "12/01/2010 08:26:00", "2010-12-01 08:26:00"),
    *("2010-12-01T08:26", "2010-12-1 8:26", "2010-12-01 08:26:00.000", " 12/1/2010 8:26 "),
    *(
        "2/29/2012 0:00",
        "2/29/2011 0:00",
        "2/30/2012 0:00",
        "2012-02-29 23:59:59",
        "1900-02-29 1:00",
    ),
    *("3/27/2011 1:30", "10/30/2011 1:30", "2011-03-27 01:30:00"),  # the clocks change
    *(
        "0000-01-01 00:00",
        "0001-01-01 00:00",
        "9999-12-31 23:59:59",
        "1/1/0000 0:00",
        "1/1/0001 0:00",
    ),
    *(
        "12:30",
        "2011-01-04",
        "1/4/2011",
        "2011-01-04 24:00",
        "2011-01-04 23:60",
        "2011-01-04 23:59:60",
    ),
    *("13/1/2010 8:26", "0/1/2010 8:26", "1/0/2010 8:26", "1/4/11 10:00", "1/4/2011  10:00", ""),
    *("2011-01-04 10:00\n", "1/4/2011 10:00\u2028", "١/4/2011 10:00", "2011-01-04 10:00Z", "now"),
    *("2011-01-04 10:00:00.001", "2011-01-04 10:00:00.", "2011-01-04t10:00", "1/4/2011T10:00"),
    *(
        "1582-10-04 10:00",
        "1582-10-10 10:00",
        "1582-10-15 10:00",
        "1/4/2011 10:00:00.0",
        "1-4-2011 10:00",
    ),
)


def random_time(dice: random.Random) -> str:
    year, month = (
        dice.choice((1, 99, 1582, 1600, 1900, 2000, 2011, 2012, 9999)),
        dice.randint(0, 13),
    )
    day, hour, minute = dice.randint(0, 32), dice.randint(0, 25), dice.randint(0, 60)
    pad = dice.choice(("", "02"))
    second = dice.choice(("", "", f":{dice.randint(0, 60):02}", ":00.0"))
    clock = f"{hour:{pad}}:{minute:{dice.choice(('02', pad))}}{second}"
    if dice.random() < 0.5:
        return f"{month:{pad}}/{day:{pad}}/{year:04} {clock}"
    return f"{year:04}-{month:{pad}}-{day:{pad}}{dice.choice(' T')}{clock}"


def test_producer_and_spark_agree_on_every_date(spark: "SparkSession") -> None:
    dice = random.Random(4)  # noqa: S311 - the same dice each time
    written = [(text,) for text in (*TIMES, *(random_time(dice) for _ in range(3_000)))]
    found = (
        spark.createDataFrame(written, "text string")
        .select(
            "text", F.date_format(invoice_time(F.col("text")), "yyyy-MM-dd HH:mm:ss").alias("time")
        )
        .collect()
    )
    read = {row["text"]: row["time"] for row in found}
    assert read == {text: read_time(text) for (text,) in written}
    assert sum(1 for time in read.values() if time) > 500


def variants(dice: random.Random) -> tuple[str | None, ...]:
    """One of few lines, in one of many spellings."""
    return texts(
        Quantity=dice.choice(("6", "+6", "6.0", "06", " 6", "7", "7.00")),
        InvoiceDate=dice.choice(
            ("12/1/2010 8:26", "2010-12-01 08:26:00", "2010-12-01T08:26", "12/1/2010 8:27")
        ),
        UnitPrice=dice.choice(("2.55", "2.550", "+2.55", "02.55", "2.5500000", "2.56")),
        CustomerID=dice.choice(("17850", "17850.0", "17850.00", " 17850", None, "17851")),
        Description=dice.choice(("HEART", "HEART ", None)),
    )


def test_lines_of_one_identity_have_one_content(spark: "SparkSession") -> None:
    dice = random.Random(5)  # noqa: S311 - the same dice each time
    lines = [variants(dice) for _ in range(600)]
    records = [
        erp(offset, **dict(zip(ERP_COLUMNS, line, strict=True)))
        for offset, line in enumerate(lines)
    ]
    found = read_invoice_lines(bronze_frame(spark, records)).collect()
    contents: dict[str, set[str]] = {}
    for row in found:
        assert row["refusal"] is None
        assert row["identity"] == line_hash(lines[row["offset"]])
        contents.setdefault(row["identity"], set()).add(row["content_hash"])
    assert {len(each) for each in contents.values()} == {1}
    assert len({min(each) for each in contents.values()}) == len(contents) > 50


def payload(row: Any) -> dict[str, Any]:
    (line,) = row["payload"]
    return {str(name): value for name, value in line.asDict().items()}


def test_a_line_becomes_a_typed_row_of_the_shops_day(spark: "SparkSession") -> None:
    sale = {
        "source_system": "erp",
        "order_id": "536365",
        "line_number": 1,
        "line_class": "sale",
        "sku": "85123A",
        "description": "WHITE HEART",
        "customer_id": "17850",
        "country": "France",
        "ordered_at": datetime(2010, 12, 1, 8, 26),
        "order_date": date(2010, 12, 1),
        "order_month": "2010-12",
        "quantity": 6,
        "unit_price": Decimal("2.5500"),
        "line_amount": Decimal("15.3000"),
        "currency": "GBP",
    }
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        (
            {"StockCode": " 85123a ", "Description": "  ", "CustomerID": None, "Country": None},
            {"description": None, "customer_id": None, "country": "Unspecified"},
        ),
        (
            {"InvoiceNo": "c536379", "Quantity": "-1"},
            {"order_id": "c536379", "line_class": "cancellation", "quantity": -1}
            | {"line_amount": Decimal("-2.5500")},
        ),
        (
            {"InvoiceNo": "A563186", "UnitPrice": "-11062.06", "Quantity": "1"},
            {"order_id": "A563186", "line_class": "adjustment", "quantity": 1}
            | {"unit_price": Decimal("-11062.0600"), "line_amount": Decimal("-11062.0600")},
        ),
        (
            {"Quantity": "-10", "UnitPrice": "0"},
            {"line_class": "stock_movement", "quantity": -10}
            | {"unit_price": Decimal("0.0000"), "line_amount": Decimal("0.0000")},
        ),
        (
            {"UnitPrice": "0.0"},
            {"line_class": "zero_price", "unit_price": Decimal("0.0000")}
            | {"line_amount": Decimal("0.0000")},
        ),
        (  # summer time: the evening's order is of the same day, though an hour earlier in UTC
            {"InvoiceDate": "2011-06-30T23:30"},
            {"ordered_at": datetime(2011, 6, 30, 22, 30), "order_date": date(2011, 6, 30)}
            | {"order_month": "2011-06"},
        ),
    ]
    records = [erp(offset, **line) for offset, (line, _) in enumerate(cases)]
    found = read_invoice_lines(bronze_frame(spark, records)).orderBy("offset")
    times = {
        row["offset"]: row["at"]
        for row in found.select(
            "offset", F.col("payload")[0]["ordered_at"].cast("string").alias("at")
        ).collect()
    }
    rows = found.withColumn(
        "payload", F.array(F.col("payload")[0].dropFields("ordered_at"))
    ).collect()
    assert [
        {**payload(row), "ordered_at": datetime.fromisoformat(times[row["offset"]])} for row in rows
    ] == [{**sale, **change} for _, change in cases]
    assert [row["refusal"] for row in rows] == [None] * len(cases)


def test_a_refused_line_keeps_its_money_and_says_why(spark: "SparkSession") -> None:
    money = Decimal("15.3000")
    cases: list[tuple[dict[str, Any], str, Decimal | None]] = [
        ({"InvoiceNo": " "}, "missing_order_id:", money),
        ({"InvoiceDate": "12:30"}, "bad_date:", money),
        ({"InvoiceDate": "1/4/1989 10:00"}, "date_out_of_range:1989", money),
        ({"Quantity": "six"}, "bad_quantity:", None),
        ({"Quantity": "6\n"}, "control_characters:raw_Quantity", None),
        ({"Description": "a\x07b"}, "control_characters:raw_Description", money),
        ({"Description": "a\x00b"}, "control_characters:raw_Description", money),
        ({"Country": "x" * 1001}, "text_too_long:raw_Country", money),
        ({"fields": {"column_count": 7}}, "wrong_column_count:7", money),
        ({"fields": {"event_id": ""}}, "bad_event_id:", money),
        ({"fields": {"occurred_at": "yesterday"}}, "bad_time:occurred_at", money),
        ({"fields": {"schema_version": 3}}, "unknown_version:3", money),
        ({"fields": {"row_number": "1"}}, "wrong_type:row_number", None),
        ({"fields": {"row_number": None}}, "missing_field:row_number", None),
    ]
    records = [erp(offset, **line) for offset, (line, _, _) in enumerate(cases)]
    found = read_invoice_lines(bronze_frame(spark, records)).orderBy("offset").collect()
    assert [(row["refusal"], row["amount"]) for row in found] == [
        (refusal, amount) for _, refusal, amount in cases
    ]
    assert {(row["payload"], row["content_hash"]) for row in found} == {(None, None)}


def test_the_time_of_extraction_and_the_row_are_no_content(spark: "SparkSession") -> None:
    later = {"occurred_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat().replace("+00:00", "Z")}
    records = [erp(0), erp(1, fields={**later, "row_number": 77, "line_number": 5})]
    rows = read_invoice_lines(bronze_frame(spark, records)).collect()
    assert len({row["content_hash"] for row in rows}) == 1
    value = json.dumps({**json.loads(records[0].value or b""), "loyalty": "gold"}).encode()
    extra = Record(ERP_INVOICE_LINES.name, value, 2)
    (row,) = read_invoice_lines(bronze_frame(spark, [extra])).collect()
    assert row["content_hash"] == rows[0]["content_hash"]
