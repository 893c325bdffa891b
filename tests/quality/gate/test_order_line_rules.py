"""Planted order lines: each is caught by the rule that is named for it, and by no other."""

from collections.abc import Callable, Sequence
from typing import Any

from lakehouse.contracts.tables import ORDER_LINES
from quality.gate.suites import rules_for
from quality.proof.line_defects import LINE_DEFECTS, ODD_LINES, PlantedDefect

Line = Callable[..., dict[str, Any]]

SEEN = {
    "currency.known": "currency XTS, {at}",
    "line_class.known": "line_class refund, {at}",
    "source_system.known": "source_system till, {at}",
    "source_system.of_its_topic": (
        "source_topic erp.invoice_lines.v1, topic_of_source web.orders.v1, "
        "source_partition 7, first_offset {place}"
    ),
    "event_id.filled": "has_event_id False, {at}",
    "order_id.filled": "has_order_id False, {at}",
    "sku.upper_case": "is_sku_upper_case False, {at}",
    "order_date.is_shop_day": "days_off 1, {at}",
    "order_date.in_range": "order_year 2100, {at}",
    "order_month.of_order_date": (
        "order_month 2011-05, month_of_order_date 2011-04, first_order_id 700001"
    ),
    "line_amount.exact": "amount_gap -0.0001, {at}",
    "line_amount.in_range": "widest_amount 1000000000000.0000, {at}",
    "quantity.in_range": "widest_quantity 1000000001, {at}",
    "sale.quantity_not_negative": "quantity_sign -1, {at}",
    "sale.price_not_zero": "price_sign 0, {at}",
    "stock_movement.quantity_negative": "quantity_sign 1, {at}",
    "zero_price.price_is_zero": "price_sign 1, {at}",
    "zero_price.quantity_not_negative": "quantity_sign -1, {at}",
    "stock_movement.order_id": "order_id_prefix A, {at}",
    "zero_price.order_id": "order_id_prefix C, {at}",
    "sale.order_id": "order_id_prefix C, {at}",
    "adjustment.order_id": "order_id_prefix other, {at}",
    "cancellation.order_id": "order_id_prefix other, {at}",
    "sale.quantity_positive": "quantity_sign 0, {at}",
    "sale.price_positive": "price_sign -1, {at}",
    "cancellation.quantity_negative": "quantity_sign 1, {at}",
    "line_number.from_one": "line_number_sign 0, {at}",
    "order_date.plausible": "source_system erp, order_date 2091-04-01, first_order_id 700001",
    "customer_id.known": "customer_id stranger, first_order_id W-1",
    "order.one_customer": "customer_count 2, source_system erp, first_order_id 700002",
    "order.one_country": "country_count 2, source_system erp, first_order_id 700003",
}
MIXED_ORDERS = (
    {"order_id": "700002"},
    {"order_id": "700003"},
    {"order_id": "700002", "customer_id": "2"},
    {"order_id": "700003", "country": "France"},
)


def test_every_defect_of_a_line_is_caught_by_its_rule_alone(shop: Any) -> None:
    with shop.changed():
        _plant(shop, LINE_DEFECTS)
        result = shop.judge(rules=rules_for(ORDER_LINES.name), since_batch=8)
    expected = [(rule, "block", "1", seen) for rule, seen in _seen(LINE_DEFECTS)]
    found = [
        (row["rule"], row["severity"], row["observed"].split(" of ")[0], row["detail"])
        for row in result.results
        if not row["success"]
    ]
    assert sorted(found) == sorted(expected)
    assert not result.passed


def test_every_blocking_rule_on_the_values_of_a_line_has_a_planted_defect() -> None:
    assert {each.check for each in LINE_DEFECTS} == {
        rule.name
        for rule in rules_for(ORDER_LINES.name)
        if rule.severity == "block"
        and rule.frame in ("rows", "months")
        and not rule.name.endswith(".not_null")
    }


def test_what_another_shop_may_do_warns_by_its_rule_alone_and_passes(
    shop: Any, line_with: Line
) -> None:
    with shop.changed():
        _plant(shop, ODD_LINES)
        for place, changes in enumerate(MIXED_ORDERS):
            shop.add("order_lines", **line_with(event_id=f"mixed{place}", **changes))
        result = shop.judge(rules=rules_for(ORDER_LINES.name), since_batch=8)
    orders = [
        (f"order_lines.{name}", SEEN[name]) for name in ("order.one_customer", "order.one_country")
    ]
    expected = [(rule, "warn", seen) for rule, seen in (*_seen(ODD_LINES), *orders)]
    found = [
        (row["rule"], row["severity"], row["detail"])
        for row in result.results
        if not row["success"]
    ]
    assert sorted(found) == sorted(expected)
    assert result.passed


def _plant(shop: Any, defects: Sequence[PlantedDefect]) -> None:
    """All at once, each at a position of its own."""
    for place, defect in enumerate(defects):
        event_id = defect.line["event_id"].replace("planted", f"planted{place}")
        shop.add("order_lines", **{**defect.line, "event_id": event_id, "source_offset": place})


def _seen(defects: Sequence[PlantedDefect]) -> list[tuple[str, str]]:
    return [
        (each.check, SEEN[each.check.partition(".")[2]].format(at=_at(place), place=place))
        for place, each in enumerate(defects)
    ]


def _at(place: int) -> str:
    return f"source_topic erp.invoice_lines.v1, source_partition 7, first_offset {place}"
