"""Planted defects in the other tables, in keys, nulls, types and references."""

from typing import Any

from lakehouse.contracts.tables import CUSTOMER_CONTACTS, ORDER_LINES
from quality.gate.suites import RULES, rules_for
from quality.gate.table_frames import JUDGED_TABLES
from quality.gate.verdicts import GateResult

DEFECTS = (
    (
        "update quarantine set reason = 'because' where \"offset\" = 900000",
        "quarantine.reason.known",
        "block",
        "1 of 3 rows",
        "reason because, topic erp.invoice_lines.v1, partition 0, first_offset 900000",
    ),
    (
        "update quarantine set topic = 'live.kpis' where \"offset\" = 900001",
        "quarantine.topic.known",
        "block",
        "1 of 3 rows",
        "topic live.kpis, partition 0, first_offset 900001",
    ),
    (
        "update duplicates set disposition = 'lost' where \"offset\" = 800000",
        "duplicates.disposition.known",
        "block",
        "1 of 3 rows",
        "disposition lost, topic erp.invoice_lines.v1, partition 0, first_offset 800000",
    ),
    (
        "update duplicates set topic = 'live.kpis' where \"offset\" = 800002",
        "duplicates.topic.known",
        "block",
        "1 of 3 rows",
        "topic live.kpis, partition 0, first_offset 800002",
    ),
    (
        "update products set unit_price = -1 where sku = 'SKU3'",
        "products.unit_price.not_negative",
        "warn",
        "1 of 80 rows",
        "price_sign -1, source_topic catalog.products.v1, source_partition 0, first_offset 3",
    ),
    (
        "update products set changed_at = '1989-12-31 23:59:59+00' where sku = 'SKU5'",
        "products.changed_at.in_range",
        "block",
        "1 of 80 rows",
        "change_year 1989, source_topic catalog.products.v1, source_partition 0, first_offset 5",
    ),
    (
        "update customers set event_id = ' ' where event_id = 'crm-8'",
        "customers.event_id.filled",
        "block",
        "1 of 40 rows",
        "has_event_id False, source_topic crm.customers.v1, source_partition 0, first_offset 8",
    ),
    (
        (
            "update customer_contacts set customer_id = 'nobody' where event_id = 'crm-7'; "
            "delete from customer_contacts where event_id = 'crm-8'"
        ),
        "customer_contacts.customer.known",
        "block",
        "orphans: 1",
        "event_id crm-7",
    ),
    (
        (
            "update web_events set event_type = 'click', source_offset = -1 "
            "where event_id = 'event-' || (select min(source_offset) from web_events)"
        ),
        "web_events.event_type.known",
        "block",
        "1 of {events} rows",
        "event_type click, source_topic web.events.v1, source_partition 0, first_offset -1",
    ),
    (
        (
            "update web_events set event_date = event_date - 1, source_offset = -2 "
            "where event_id = 'event-' || (select max(source_offset) from web_events)"
        ),
        "web_events.event_date.is_shop_day",
        "block",
        "1 of {events} rows",
        "days_off -1, source_topic web.events.v1, source_partition 0, first_offset -2",
    ),
    (
        (
            "update web_events set order_id = null, event_type = 'purchase', source_offset = -3 "
            "where event_id = 'event-' || (select max(source_offset) - 20 from web_events)"
        ),
        "web_events.purchase.names_its_order",
        "warn",
        "1 of {events} rows",
        (
            "has_purchased_order False, "
            "source_topic web.events.v1, source_partition 0, first_offset -3"
        ),
    ),
)


def failures(result: GateResult) -> list[tuple[str, str, str, str]]:
    return [
        (row["rule"], row["severity"], row["observed"], row["detail"])
        for row in result.results
        if not row["success"]
    ]


def test_every_defect_of_the_other_tables_is_caught_by_its_rule_alone(shop: Any) -> None:
    rules = [rule for rule in RULES if rule.table != ORDER_LINES.name]
    events = f"{shop.count('web_events'):,}"
    with shop.changed():
        for damage, *_ in DEFECTS:
            shop.connection.execute(damage)
        result = shop.judge(rules=rules)
    expected = [
        (rule, severity, observed.format(events=events), detail)
        for _, rule, severity, observed, detail in DEFECTS
    ]
    assert sorted(failures(result)) == sorted(expected)


def test_a_row_of_nothing_fails_the_null_rule_of_each_required_column_and_no_other(
    shop: Any,
) -> None:
    observed = {}
    with shop.changed():
        for table in JUDGED_TABLES:
            short = table.name.partition(".")[2]
            shop.add(short, **{table.key[0]: None})
            observed[table.name] = f"1 of {shop.count(short):,} rows"
        result = shop.judge()
    expected = [rule for rule in RULES if rule.name.endswith(".not_null")]
    assert [row[:3] for row in failures(result)] == [
        (rule.name, "block", observed[rule.table]) for rule in expected
    ]
    assert {row["detail"] for row in result.blocking if row["table"] == ORDER_LINES.name} == {
        f"{rule.column} missing, source_topic missing, source_partition missing, "
        "first_offset missing"
        for rule in expected
        if rule.table == ORDER_LINES.name
    }


def test_a_key_twice_is_caught_in_the_whole_table_long_after_it_was_judged(shop: Any) -> None:
    expected = []
    with shop.changed():
        for table in JUDGED_TABLES:
            short = table.name.partition(".")[2]
            keys = ", ".join(f'"{name}"' for name in table.key)
            row = f"select * from {short} order by {keys} limit 1"
            key = shop.connection.execute(f"select {keys} from ({row})").fetchall()[0]
            shop.connection.execute(f"insert into {short} {row}")
            told = ", ".join(f"{name} {value}" for name, value in zip(table.key, key, strict=True))
            expected.append(
                (f"{short}.key.unique", "block", "repeated keys: 1", f"{told}, copies 2")
            )
        result = shop.judge(since_batch=1000)
    assert sorted(failures(result)) == sorted(expected)
    assert set(result.rows.values()) == {0}


def test_contact_data_of_a_batch_that_is_still_being_written_are_no_orphans(shop: Any) -> None:
    with shop.changed():
        shop.connection.execute(
            "insert into customer_contacts select * replace "
            "('new' as event_id, 'new' as customer_id, 1 as refined_batch) "
            "from customer_contacts where event_id = 'crm-1'"
        )
        result = shop.judge(rules=rules_for(CUSTOMER_CONTACTS.name))
    assert failures(result) == []


def test_a_column_of_another_type_or_name_is_told_by_the_contract_rule(shop: Any) -> None:
    drifted = (
        "(select * exclude (description) replace (unit_price::double as unit_price), "
        "1 as surprise from order_lines)"
    )
    # Rules on the shop's past read the lost description, and can't be asked.
    rules = [each for each in rules_for(ORDER_LINES.name) if not each.suite.endswith(": history")]
    result = shop.judge(rules=rules, order_lines=drifted)
    assert failures(result) == [
        (
            "order_lines.columns.as_contract",
            "block",
            "3 of 22 columns",
            (
                "contract_type VARCHAR, lake_type no such column, name description; "
                "contract_type no such column, lake_type INTEGER, name surprise; "
                "contract_type DECIMAL(12,4), lake_type DOUBLE, name unit_price"
            ),
        )
    ]
