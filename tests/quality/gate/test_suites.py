"""The rules as data: complete against the contracts, unique by name, severe where they must be."""

from collections import Counter

from lakehouse.contracts.tables import BRONZE_EVENTS, ORDER_LINES, TABLES
from quality.gate.suites import RULES, rules_for
from quality.gate.table_frames import FRAMES

BUSINESS = {
    "order_lines.erp_line.once": "block",
    "order_lines.line_amount.exact": "block",
    "order_lines.sale.quantity_not_negative": "block",
    "order_lines.sale.price_not_zero": "block",
    "order_lines.stock_movement.quantity_negative": "block",
    "order_lines.zero_price.price_is_zero": "block",
    "order_lines.zero_price.quantity_not_negative": "block",
    "order_lines.adjustment.order_id": "block",
    "order_lines.cancellation.order_id": "block",
    "order_lines.stock_movement.order_id": "block",
    "order_lines.zero_price.order_id": "block",
    "order_lines.sale.order_id": "block",
    "order_lines.sale.quantity_positive": "warn",
    "order_lines.sale.price_positive": "warn",
    "order_lines.cancellation.quantity_negative": "warn",
    "order_lines.order.one_customer": "warn",
    "order_lines.order.one_country": "warn",
    "order_lines.order_date.plausible": "warn",
    "order_lines.customer_id.known": "warn",
    "web_events.purchase.names_its_order": "warn",
    "customer_contacts.customer.known": "block",
    "products.unit_price.not_negative": "warn",
}
HISTORY = {
    "order_lines.volume.not_low": "warn",
    "order_lines.volume.not_high": "warn",
    "order_lines.price_level.steady": "warn",
    "order_lines.description.not_cut": "warn",
    "order_lines.unknown_customers.not_rising": "warn",
    "order_lines.day.not_missing": "warn",
    "order_lines.source.fresh": "warn",
}


def test_every_rule_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(rule.name for rule in RULES).items() if times > 1] == []


def test_every_column_that_must_be_there_has_a_rule() -> None:
    wanted = {
        f"{table.name.partition('.')[2]}.{column.name}.not_null"
        for table in TABLES
        if table is not BRONZE_EVENTS
        for column in table.columns
        if not column.nullable
    }
    assert {rule.name for rule in RULES if rule.name.endswith(".not_null")} == wanted


def test_every_silver_table_has_rules_on_its_columns_and_its_key() -> None:
    shorts = [table.name.partition(".")[2] for table in TABLES if table is not BRONZE_EVENTS]
    wanted = {
        f"{short}.{rule}" for short in shorts for rule in ("columns.as_contract", "key.unique")
    }
    assert wanted <= {rule.name for rule in RULES if rule.severity == "block"}


def test_business_rules_block_only_what_the_data_rules_imply() -> None:
    found = {rule.name: rule.severity for rule in RULES if rule.suite.endswith(": business")}
    assert found == BUSINESS


def test_what_was_learned_from_the_shops_past_only_warns() -> None:
    found = {rule.name: rule.severity for rule in RULES if rule.suite.endswith(": history")}
    assert found == HISTORY


def test_every_rule_reads_a_frame_that_exists_and_every_frame_is_read() -> None:
    assert {(rule.table, rule.frame) for rule in RULES} == {
        (frame.table, frame.name) for frame in FRAMES
    }


def test_every_rule_says_what_it_means_in_a_sentence() -> None:
    assert [rule.name for rule in RULES if not rule.meaning.endswith(".")] == []


def test_rules_are_found_by_table_and_a_table_outside_silver_has_none() -> None:
    assert {rule.table for rule in rules_for(ORDER_LINES.name)} == {ORDER_LINES.name}
    assert sum(len(rules_for(table.name)) for table in TABLES) == len(RULES)
    assert rules_for(BRONZE_EVENTS.name) == ()
