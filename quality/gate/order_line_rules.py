"""Rules of the order lines beyond their columns: what data rules 1 to 5 imply for any shop.

In: the contracts. Out: `CONTRACT_RULES` and `BUSINESS_RULES`, rows of data that
`quality.gate.suites` joins. What blocks follows from the rules; what only most shops do (a
cancelled quantity is negative, an order has one customer) warns.
"""

from collections.abc import Mapping
from functools import partial

from lakehouse.contracts.business import AMOUNT_LIMIT, LINE_CLASSES, QUANTITY_LIMIT
from lakehouse.contracts.tables import ORDER_LINES
from quality.gate.rule import (
    BETWEEN,
    IN_SET,
    NOT_IN_SET,
    PAIR_EQUAL,
    ROW_COUNT,
    suite_rule,
)

_line = partial(suite_rule, ORDER_LINES)


def _rows_of(line_class: str, *sources: str) -> Mapping[str, tuple[str, ...]]:
    where = {"line_class": (line_class,)}
    return {**where, "source_system": sources} if sources else where


CONTRACT_RULES = (
    _line(
        "order_id.filled",
        IN_SET,
        "has_order_id",
        "order_id is more than blanks.",
        suite="contract",
        column="order_id",
        value_set=[True],
    ),
    _line(
        "sku.upper_case",
        IN_SET,
        "is_sku_upper_case",
        "A stock code is in upper case, so that two spellings are one product.",
        suite="contract",
        column="sku",
        value_set=[True],
    ),
    _line(
        "quantity.in_range",
        BETWEEN,
        "widest_quantity",
        "No line moves more than a thousand million pieces.",
        suite="contract",
        column="quantity",
        min_value=-QUANTITY_LIMIT,
        max_value=QUANTITY_LIMIT,
    ),
    _line(
        "line_amount.in_range",
        BETWEEN,
        "widest_amount_e4",
        "Each amount stays below a million million.",
        suite="contract",
        column="line_amount",
        min_value=-AMOUNT_LIMIT * 10**4,
        max_value=AMOUNT_LIMIT * 10**4,
        strict_min=True,
        strict_max=True,
    ),
    _line(
        "line_number.from_one",
        IN_SET,
        "line_number_sign",
        "Lines are counted from 1.",
        suite="contract",
        column="line_number",
        severity="warn",
        value_set=[1],
    ),
    _line(
        "source_system.of_its_topic",
        PAIR_EQUAL,
        ("source_topic", "topic_of_source"),
        "The source system is the one whose topic brought the record.",
        suite="contract",
        column="source_system",
    ),
    _line(
        "order_date.is_shop_day",
        IN_SET,
        "days_off",
        "order_date is the day of ordered_at on the shop's wall calendar.",
        suite="contract",
        column="order_date",
        value_set=[0],
    ),
    _line(
        "order_month.of_order_date",
        PAIR_EQUAL,
        ("order_month", "month_of_order_date"),
        "order_month is the month of order_date: it decides the partition.",
        suite="contract",
        frame="months",
    ),
)
BUSINESS_RULES = (
    _line(
        "erp_line.once",
        ROW_COUNT,
        (),
        "Each line of the ERP counts once: a repeated one lies among the duplicates.",
        frame="erp_lines",
        column="event_id",
        value=0,
    ),
    _line(
        "line_amount.exact",
        IN_SET,
        "amount_gap_e4",
        "line_amount is quantity x unit_price to the last of its four decimals.",
        column="line_amount",
        value_set=[0],
    ),
    _line(
        "sale.quantity_not_negative",
        IN_SET,
        "quantity_sign",
        "A sale has no negative quantity: that is a stock movement.",
        column="quantity",
        where=_rows_of("sale"),
        value_set=[0, 1],
    ),
    _line(
        "sale.price_not_zero",
        NOT_IN_SET,
        "price_sign",
        "A sale has a price: a line without one has the class zero_price.",
        column="unit_price",
        where=_rows_of("sale"),
        value_set=[0],
    ),
    _line(
        "stock_movement.quantity_negative",
        IN_SET,
        "quantity_sign",
        "A stock movement takes pieces away.",
        column="quantity",
        where=_rows_of("stock_movement"),
        value_set=[-1],
    ),
    _line(
        "zero_price.price_is_zero",
        IN_SET,
        "price_sign",
        "A line of the class zero_price costs nothing.",
        column="unit_price",
        where=_rows_of("zero_price"),
        value_set=[0],
    ),
    _line(
        "zero_price.quantity_not_negative",
        IN_SET,
        "quantity_sign",
        "A line without a price and with a negative quantity is a stock movement.",
        column="quantity",
        where=_rows_of("zero_price"),
        value_set=[0, 1],
    ),
    *(
        _line(
            f"{line_class}.order_id",
            IN_SET,
            "order_id_prefix",
            f"In the ERP the invoice number decides the class {line_class}.",
            column="order_id",
            where=_rows_of(line_class, "erp"),
            value_set=[prefix],
        )
        for line_class, prefix in zip(
            LINE_CLASSES, ("A", "C", "other", "other", "other"), strict=True
        )
    ),
    _line(
        "sale.quantity_positive",
        NOT_IN_SET,
        "quantity_sign",
        "A sale of no piece is possible and odd.",
        severity="warn",
        column="quantity",
        where=_rows_of("sale"),
        value_set=[0],
    ),
    _line(
        "sale.price_positive",
        NOT_IN_SET,
        "price_sign",
        "A sale at a negative price is possible and odd.",
        severity="warn",
        column="unit_price",
        where=_rows_of("sale"),
        value_set=[-1],
    ),
    _line(
        "cancellation.quantity_negative",
        IN_SET,
        "quantity_sign",
        "Cancelled pieces are negative in most shops; positive ones would raise net sales.",
        severity="warn",
        column="quantity",
        where=_rows_of("cancellation"),
        value_set=[-1],
    ),
    _line(
        "order.one_customer",
        BETWEEN,
        "customer_count",
        "An order belongs to one customer.",
        severity="warn",
        frame="orders",
        column="customer_id",
        max_value=1,
    ),
    _line(
        "order.one_country",
        BETWEEN,
        "country_count",
        "An order goes to one country.",
        severity="warn",
        frame="orders",
        column="country",
        max_value=1,
    ),
    _line(
        "order_date.plausible",
        ROW_COUNT,
        (),
        "No line lies years away from all others: such a date is mistyped, as a rule.",
        severity="warn",
        frame="outlying_days",
        column="order_date",
        value=0,
    ),
    _line(
        "customer_id.known",
        ROW_COUNT,
        (),
        "A customer of the web shop has a profile or has bought before.",
        severity="warn",
        frame="references",
        column="customer_id",
        value=0,
    ),
)
