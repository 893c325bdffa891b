"""The producer and Spark must read the same texts as the same money, to the last digit."""

import random
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from lakehouse.contracts.erp_lines import line_amount
from pipelines.transforms.amounts import amount_of, money_rules, price_of, quantity_of
from pipelines.transforms.envelope import refuse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

CORNERS = (
    *(
        "",
        " ",
        "0",
        "-0",
        "+0",
        "00",
        "0.0",
        "-0.000",
        ".",
        "-",
        "+",
        "+.",
        "1.",
        "-1.",
        ".5",
        "-.5",
    ),
    *("1", " 1 ", "\t1", "1\n", "1\r\n", "1\u2028", "1\u00a0", "\u06f1", "１", "1 000", "1,000"),
    *("1e2", "1E2", "0x1", "NaN", "Infinity", "1d", "1f", "1L", "--1", "+-1", "1-", "$1", "£1"),
    *("1000000000", "1000000001", "-1000000000", "-1000000001", "999999999999999", "9" * 16),
    *("99999999.9999", "100000000", "99999999.99990", "-99999999.9999", "99999999.99999"),
    *("0.0001", "0.00001", "0.00010", "0.12340000000000000000000", "0." + "0" * 60 + "1"),
    *("0." + "0" * 60, "0" * 14 + "5", "0" * 15 + "5", "0" * 40 + "5", "12.0", "12." + "0" * 16),
    *(
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "2.55",
        "2.550",
        "12.50",
    ),
)


def random_text(dice: random.Random) -> str:
    """A number as people and programs write it, sometimes with a slip."""
    whole = "".join(dice.choices("0123456789", k=dice.choice((0, 1, 1, 2, 3, 5, 8, 9, 10, 15, 16))))
    fraction = "".join(dice.choices("0123456789", weights=[9, *[1] * 9], k=dice.choice(range(8))))
    text = dice.choice(("", "", "", "-", "+")) + whole
    text += dice.choice(("", ".")) + dice.choice(("", fraction))
    if dice.random() < 0.1:
        at = dice.randint(0, len(text))
        text = text[:at] + dice.choice(" \t\n-+.,eE%xA\u2028\u00a0") + text[at:]
    return dice.choice(("", " ")) + text + dice.choice(("", "  "))


def test_producer_and_spark_agree_on_every_amount(spark: "SparkSession") -> None:
    dice = random.Random(20_111_209)  # noqa: S311 - the same dice each time
    texts = [*CORNERS, *(random_text(dice) for _ in range(1_500))]
    pairs: list[tuple[str | None, str | None]] = [
        *((text, price) for text in texts for price in ("1", "0.0001")),
        *((quantity, text) for text in texts for quantity in ("1", "-3", "1000000000")),
        *((dice.choice(texts), dice.choice(texts)) for _ in range(2_000)),
        *((None, "1"), ("1", None), (None, None)),
        *(("1000000000", "1000"), ("1000000000", "999.9999"), ("-1000000000", "1000")),
    ]
    frame = spark.createDataFrame(pairs, "q string, p string")

    found = frame.select(
        "q", "p", amount_of(quantity_of(F.col("q")), price_of(F.col("p"))).alias("amount")
    ).collect()

    read = [(row["q"], row["p"], row["amount"]) for row in found]
    assert read == [(*pair, line_amount(*pair)) for pair in pairs]
    assert sum(1 for _, _, amount in read if amount is not None) > len(pairs) // 4
    assert line_amount("3", "2.55") == Decimal("7.65")


def test_a_refused_number_has_its_reason(spark: "SparkSession") -> None:
    cases = {
        ("3", "2.5500"): None,
        ("x", "2.55"): "bad_quantity:",
        ("3.5", "2.55"): "bad_quantity:",
        (None, "2.55"): "bad_quantity:",
        ("3\n", "2.55"): "bad_quantity:",
        ("1000000001", "1"): "quantity_out_of_range:",
        ("1" + "0" * 15, "1"): "quantity_out_of_range:",
        ("-" + "9" * 400, "1"): "quantity_out_of_range:",
        ("3", None): "bad_price:",
        ("3", "2,55"): "bad_price:",
        ("3", "2.55\n"): "bad_price:",
        ("3", "2.55001"): "too_many_decimals:",
        ("3", "100000000"): "price_out_of_range:",
        ("3", "9" * 400): "price_out_of_range:",
        ("1000000000", "1000"): "amount_out_of_range:",
        ("x", "y"): "bad_quantity:",
    }
    typed = (
        spark.createDataFrame(list(cases), "q string, p string")
        .withColumn("quantity", quantity_of(F.col("q")))
        .withColumn("unit_price", price_of(F.col("p")))
        .withColumn("amount", amount_of(F.col("quantity"), F.col("unit_price")))
        .withColumn("refusal", F.lit(None).cast("string"))
    )
    judged = refuse(typed, money_rules(F.col("q"), F.col("p"))).collect()
    assert {(row["q"], row["p"]): row["refusal"] for row in judged} == cases
