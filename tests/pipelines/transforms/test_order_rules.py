"""Rules that lines of all sources share."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from pipelines.transforms.order_rules import line_class, shop_day, sku_of, text_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_the_first_rule_that_fits_gives_the_class(spark: "SparkSession") -> None:
    cases = {
        (True, True, -1, 0): "adjustment",
        (False, True, -1, 0): "cancellation",
        (False, True, 1, 5): "cancellation",
        (False, False, -1, 0): "stock_movement",
        (False, False, 1, 0): "zero_price",
        (False, False, 0, 5): "sale",
        (False, False, 1, -5): "sale",
        (False, False, 1, 5): "sale",
    }
    frame = spark.createDataFrame(list(cases), "a boolean, c boolean, q bigint, p bigint")
    found = frame.select(
        "*",
        line_class(
            F.col("q"),
            unit_price=F.col("p").cast("decimal(12,4)"),
            is_adjustment=F.col("a"),
            is_cancellation=F.col("c"),
        ).alias("line_class"),
    ).collect()
    assert {tuple(row)[:4]: row["line_class"] for row in found} == cases


def test_a_day_is_that_of_the_shops_wall_calendar(spark: "SparkSession") -> None:
    days = {
        datetime(2011, 6, 30, 22, 59, 59, tzinfo=UTC): date(2011, 6, 30),
        datetime(2011, 6, 30, 23, 0, tzinfo=UTC): date(2011, 7, 1),
        datetime(2011, 12, 31, 23, 59, 59, tzinfo=UTC): date(2011, 12, 31),
        datetime(2011, 3, 27, 0, 30, tzinfo=UTC): date(2011, 3, 27),
        datetime(2011, 10, 29, 23, 30, tzinfo=UTC): date(2011, 10, 30),
        datetime(2011, 10, 30, 23, 30, tzinfo=UTC): date(2011, 10, 30),
    }
    frame = spark.createDataFrame([(at,) for at in days], "at timestamp")
    assert [row["day"] for row in frame.select(shop_day(F.col("at")).alias("day")).collect()] == [
        *days.values()
    ]


def test_texts_lose_outer_blanks_and_empty_ones_are_null(spark: "SparkSession") -> None:
    frame = spark.createDataFrame([(" a b ",), ("   ",), ("",), (None,)], "text string")
    found = frame.select(sku_of(F.col("text")), text_of(F.col("text"))).collect()
    assert [tuple(row) for row in found] == [("A B", "a b"), *[(None, None)] * 3]
