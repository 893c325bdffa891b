"""Planted order lines: each is caught by the rule that is named for it, and by no other."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from lakehouse.contracts.tables import ORDER_LINES
from quality.suites import rules_for

Line = Callable[..., dict[str, Any]]

DAY_LATE = {"order_date": date(2011, 4, 6)}
YEAR_2100 = {
    "ordered_at": datetime(2100, 5, 5, 12, tzinfo=UTC),
    "order_date": date(2100, 5, 5),
    "order_month": "2100-05",
}
LINE_DEFECTS = [
    ("currency.known", {"currency": "EUR"}, "currency EUR, {at}"),
    ("line_class.known", {"line_class": "refund"}, "line_class refund, {at}"),
    ("source_system.known", {"source_system": "till"}, "source_system till, {at}"),
    (
        "source_system.of_its_topic",
        {"source_system": "web"},
        (
            "source_topic erp.invoice_lines.v1, topic_of_source web.orders.v1, "
            "source_partition 7, first_offset {place}"
        ),
    ),
    ("event_id.filled", {"event_id": "  "}, "has_event_id False, {at}"),
    ("order_id.filled", {"order_id": "  "}, "has_order_id False, {at}"),
    ("sku.upper_case", {"sku": "sku1"}, "is_sku_upper_case False, {at}"),
    ("order_date.is_shop_day", DAY_LATE, "days_off 1, {at}"),
    ("order_date.in_range", YEAR_2100, "order_year 2100, {at}"),
    ("line_amount.exact", {"line_amount": Decimal("7.6501")}, "amount_gap -0.0001, {at}"),
    (
        "line_amount.in_range",
        {
            "quantity": 20_000,
            "unit_price": Decimal(50_000_000),
            "line_amount": Decimal(1_000_000_000_000),
        },
        "widest_amount 1000000000000.0000, {at}",
    ),
    (
        "quantity.in_range",
        {
            "line_class": "zero_price",
            "quantity": 1_000_000_001,
            "unit_price": Decimal(0),
            "line_amount": Decimal(0),
        },
        "widest_quantity 1000000001, {at}",
    ),
    (
        "sale.quantity_not_negative",
        {"quantity": -3, "line_amount": Decimal("-7.65")},
        "quantity_sign -1, {at}",
    ),
    (
        "sale.price_not_zero",
        {"unit_price": Decimal(0), "line_amount": Decimal(0)},
        "price_sign 0, {at}",
    ),
    ("stock_movement.quantity_negative", {"line_class": "stock_movement"}, "quantity_sign 1, {at}"),
    ("zero_price.price_is_zero", {"line_class": "zero_price"}, "price_sign 1, {at}"),
    (
        "zero_price.quantity_not_negative",
        {
            "line_class": "zero_price",
            "quantity": -3,
            "unit_price": Decimal(0),
            "line_amount": Decimal(0),
        },
        "quantity_sign -1, {at}",
    ),
    (
        "stock_movement.order_id",
        {
            "line_class": "stock_movement",
            "order_id": "A1",
            "quantity": -3,
            "line_amount": Decimal("-7.65"),
        },
        "order_id_prefix A, {at}",
    ),
    (
        "zero_price.order_id",
        {
            "line_class": "zero_price",
            "order_id": "C2",
            "unit_price": Decimal(0),
            "line_amount": Decimal(0),
        },
        "order_id_prefix C, {at}",
    ),
    ("sale.order_id", {"order_id": "c700001"}, "order_id_prefix C, {at}"),
    ("adjustment.order_id", {"line_class": "adjustment"}, "order_id_prefix other, {at}"),
    (
        "cancellation.order_id",
        {"line_class": "cancellation", "quantity": -3, "line_amount": Decimal("-7.65")},
        "order_id_prefix other, {at}",
    ),
]

ODD_LINES = [
    ("sale.quantity_positive", {"quantity": 0, "line_amount": Decimal(0)}, "quantity_sign 0, {at}"),
    (
        "sale.price_positive",
        {"unit_price": Decimal(-1), "line_amount": Decimal(-3)},
        "price_sign -1, {at}",
    ),
    (
        "cancellation.quantity_negative",
        {"order_id": "C700001", "line_class": "cancellation"},
        "quantity_sign 1, {at}",
    ),
    ("line_number.from_one", {"line_number": 0}, "line_number_sign 0, {at}"),
    (
        "customer_id.known",
        {
            "source_system": "web",
            "source_topic": "web.orders.v1",
            "order_id": "W-1",
            "customer_id": "stranger",
        },
        "customer_id stranger, first_order_id W-1",
    ),
    (
        "order.one_customer",
        {"order_id": "700002", "customer_id": "2"},
        "customer_count 2, source_system erp, first_order_id 700002",
    ),
    (
        "order.one_country",
        {"order_id": "700003", "country": "France"},
        "country_count 2, source_system erp, first_order_id 700003",
    ),
]
SOUND_LINES = ({"order_id": "700002"}, {"order_id": "700003"})


def test_every_defect_of_a_line_is_caught_by_its_rule_alone(shop: Any, line_with: Line) -> None:
    with shop.changed():
        for place, (_, changes, _) in enumerate(LINE_DEFECTS):
            names = {"event_id": f"planted-{place}", "source_offset": place}
            shop.add("order_lines", **line_with(**{**names, **changes}))
        result = shop.judge(rules=rules_for(ORDER_LINES.name), since_batch=8)
    expected = {
        (f"order_lines.{rule}", "block", "1", found.format(at=_at(place), place=place))
        for place, (rule, _, found) in enumerate(LINE_DEFECTS)
    }
    found = [
        (row["rule"], row["severity"], row["observed"].split(" of ")[0], row["detail"])
        for row in result.results
        if not row["success"]
    ]
    assert sorted(found) == sorted(expected)
    assert not result.passed


def test_every_blocking_rule_on_the_values_of_a_line_has_a_planted_defect() -> None:
    planted = {f"order_lines.{rule}" for rule, *_ in LINE_DEFECTS}
    assert planted == {
        rule.name
        for rule in rules_for(ORDER_LINES.name)
        if (rule.severity, rule.frame) == ("block", "rows") and not rule.name.endswith(".not_null")
    }


def test_what_another_shop_may_do_warns_by_its_rule_alone_and_passes(
    shop: Any, line_with: Line
) -> None:
    with shop.changed():
        for place, (_, changes, _) in enumerate(ODD_LINES):
            names = {"event_id": f"odd-{place}", "source_offset": place}
            shop.add("order_lines", **line_with(**{**names, **changes}))
        for place, changes in enumerate(SOUND_LINES):
            shop.add("order_lines", **line_with(event_id=f"sound-{place}", **changes))
        result = shop.judge(rules=rules_for(ORDER_LINES.name), since_batch=8)
    expected = {
        (f"order_lines.{rule}", "warn", found.format(at=_at(place)))
        for place, (rule, _, found) in enumerate(ODD_LINES)
    }
    found = [
        (row["rule"], row["severity"], row["detail"])
        for row in result.results
        if not row["success"]
    ]
    assert sorted(found) == sorted(expected)
    assert result.passed


def test_a_month_that_is_not_that_of_the_day_is_caught_by_its_rule_alone(
    shop: Any, line_with: Line
) -> None:
    with shop.changed():
        shop.add("order_lines", **line_with(order_month="2011-05"))
        result = shop.judge(rules=rules_for(ORDER_LINES.name))
    observed = f"1 of {shop.count('order_lines') + 1:,} rows"
    detail = "order_month 2011-05, month_of_order_date 2011-04, first_order_id 700001"
    assert [
        (row["rule"], row["severity"], row["observed"], row["detail"])
        for row in result.results
        if not row["success"]
    ] == [("order_lines.order_month.of_order_date", "block", observed, detail)]


def _at(place: int) -> str:
    return f"source_topic erp.invoice_lines.v1, source_partition 7, first_offset {place}"
