"""Quantities and prices as texts -> exact numbers, with the reason where they are none.

The texts are tested before they are cast: a cast alone would round a fifth decimal silently.
`storefront.erp.line_identity` applies the same limits when it states the money of what it sent.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.contracts.business import AMOUNT_LIMIT, MAX_DECIMALS, PRICE_LIMIT, QUANTITY_LIMIT
from pipelines.transforms.envelope import CONTROL_CHARACTERS, Rule

# `\z` is the very end; `$` would let a line break follow, which a cast then drops.
QUANTITY = r"^[+-]?[0-9]{1,15}(\.0{1,15})?\z"
PRICE = r"^[+-]?([0-9]{1,15}(\.[0-9]*)?|\.[0-9]+)\z"
ANY_WHOLE = r"^[+-]?[0-9]+(\.0+)?\z"
ANY_PLAIN = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\z"


def quantity_of(text: Column) -> Column:
    """Whole number of a text, in pieces (bigint); null when it is none."""
    plain = F.trim(text)
    whole = F.regexp_replace(plain, r"\.0+\z", "")
    return F.when(plain.rlike(QUANTITY), F.regexp_replace(whole, r"^\+", "").try_cast("bigint"))


def too_many(quantity: Column) -> Column:
    """Whether a quantity is beyond the limit; `abs` would overflow at the smallest bigint."""
    return ~quantity.between(-QUANTITY_LIMIT, QUANTITY_LIMIT)


def price_of(text: Column) -> Column:
    """Plain decimal of a text, in pounds (decimal(24,4)); null when it is none or too fine."""
    plain = F.trim(text)
    return F.when(
        plain.rlike(PRICE) & ~too_fine(text),
        F.regexp_replace(plain, r"^\+", "").try_cast("decimal(24,4)"),
    )


def too_fine(text: Column) -> Column:
    """Whether a plain decimal has more decimals than the platform keeps."""
    plain = F.trim(text)
    return plain.rlike(PRICE) & plain.rlike(rf"\.[0-9]{{{MAX_DECIMALS}}}[0-9]*[1-9]")


def amount_of(quantity: Column, price: Column) -> Column:
    """Quantity x price in pounds (decimal(18,4)), null where either or the product is too large.

    Args:
        quantity: bigint, pieces.
        price: decimal(24,4), pounds.
    """
    product = quantity.try_cast("decimal(13,0)") * price.try_cast("decimal(15,4)")
    sound = (
        quantity.between(-QUANTITY_LIMIT, QUANTITY_LIMIT)
        & (F.abs(price) < PRICE_LIMIT)
        & (F.abs(product) < AMOUNT_LIMIT)
    )
    return F.when(sound, product).try_cast("decimal(18,4)")


def money_rules(quantity_text: Column, price_text: Column) -> list[Rule]:
    """Rules that a quantity and a price must keep, in the order of the closed list of reasons.

    Needs the columns quantity (bigint), unit_price (decimal(24,4)) and amount (decimal(18,4)):
    a rule that parsed the texts once more would cost as much as the parsing.
    """
    none = F.lit(None)
    return [
        ("bad_quantity", F.col("quantity").isNull() & ~_has_form(quantity_text, ANY_WHOLE), none),
        (
            "quantity_out_of_range",
            F.col("quantity").isNull() | too_many(F.col("quantity")),
            none,
        ),
        *price_rules(price_text, F.col("unit_price")),
        ("amount_out_of_range", F.col("amount").isNull(), none),
    ]


def price_rules(text: Column, price: Column) -> list[Rule]:
    """Rules that a price's text and its value (decimal(24,4)) must keep."""
    none = F.lit(None)
    return [
        ("bad_price", price.isNull() & ~_has_form(text, ANY_PLAIN), none),
        ("too_many_decimals", price.isNull() & too_fine(text), none),
        ("price_out_of_range", price.isNull() | (F.abs(price) >= PRICE_LIMIT), none),
    ]


def _has_form(text: Column, form: str) -> Column:
    return F.coalesce(F.trim(text).rlike(form), F.lit(False))


def line_amount(line: Column) -> Column:
    """Amount of a web order's line, a struct with quantity and unit_price (decimal(18,4))."""
    return amount_of(line["quantity"], price_of(line["unit_price"]))


def line_refusal(line: Column, index: Column) -> Column:
    """Why a web order's line is refused ("line N: reason"), null when it is sound."""
    price = price_of(line["unit_price"])
    number = (index + 1).cast("string")
    found: Column = F.lit(None).cast("string")
    for code, condition in reversed(
        [
            (
                "control_characters",
                F.concat_ws("", line["sku"], line["description"]).rlike(CONTROL_CHARACTERS),
            ),
            ("missing_field", F.coalesce(F.trim(line["sku"]), F.lit("")) == ""),
            ("bad_quantity", line["quantity"].isNull()),
            ("quantity_out_of_range", too_many(line["quantity"])),
            *[(code, condition) for code, condition, _ in price_rules(line["unit_price"], price)],
            ("amount_out_of_range", line_amount(line).isNull()),
        ]
    ):
        text = F.concat(F.lit("line "), number, F.lit(f" {code}"))
        found = F.when(F.coalesce(condition, F.lit(False)), text).otherwise(found)
    return found
