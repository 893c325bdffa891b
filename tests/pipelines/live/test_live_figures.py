"""Live figures equal what gold will say, whatever order, doubles and lateness the records have."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from pipelines.live.facts import LiveFacts
from pipelines.live.figures import KPIS, Figure, live_figures
from tests.live_shop import NOW, TODAY, Put, in_batches, random_records, table_of, worth

YESTERDAY = TODAY - timedelta(days=1)


def told(records: list[Put], seed: int) -> LiveFacts:
    facts = LiveFacts()
    for batch in in_batches(records, seed):
        facts.add(batch, since=YESTERDAY)
    return facts


def by_name(figures: tuple[Figure, ...]) -> dict[str, Any]:
    return {f"{each.window}/{each.kpi}": each.rows or each.value for each in figures}


def today(facts: LiveFacts, now: Any = NOW) -> dict[str, Decimal | None]:
    figures = live_figures(facts, now=now)
    return {each.kpi: each.value for each in figures if each.window == "today" and each.kpi in KPIS}


def test_today_is_what_gold_will_say_in_any_order_with_late_and_doubled_records() -> None:
    records = random_records(1)
    expected = worth(records, TODAY)
    assert expected["order_count"]
    assert expected["cancelled_amount"]
    assert expected["conversion_rate"]
    assert today(told(records, 2)) == today(told(records, 3)) == expected


def test_after_midnight_the_new_day_counts_and_the_old_one_is_forgotten() -> None:
    records = random_records(4, visits=30)
    facts = told([each for each in records if each.offset % 2], 5)
    facts.forget(before=TODAY)
    for batch in in_batches([each for each in records if not each.offset % 2], 6):
        facts.add(batch, since=TODAY)
    tomorrow = TODAY + timedelta(days=1)
    assert today(facts, NOW + timedelta(days=1))["gross_revenue"] == Decimal(0)
    assert worth(records, tomorrow)["gross_revenue"] == Decimal(0)
    assert today(facts)["gross_revenue"] == worth(records, TODAY)["gross_revenue"]


def test_a_record_with_a_smaller_place_takes_the_place_of_a_later_one_that_came_first() -> None:
    records = random_records(7, visits=3)
    backwards = sorted(records, key=lambda each: each.place, reverse=True)
    facts = LiveFacts()
    accepted = [facts.add(table_of([each]), since=YESTERDAY) for each in backwards]
    assert today(facts) == worth(records, TODAY)
    assert facts.add(table_of(backwards), since=YESTERDAY) == 0
    assert sum(accepted) > 0


def test_short_windows_hold_what_happened_in_them_and_nothing_of_the_future() -> None:
    records = random_records(8)
    facts = told(records, 9)
    everything = by_name(live_figures(facts, now=NOW))
    later = by_name(live_figures(facts, now=NOW + timedelta(minutes=15)))
    assert everything["last_15_minutes/gross_revenue"] > 0
    assert later["last_minute/gross_revenue"] <= later["last_15_minutes/gross_revenue"]
    assert later["today/gross_revenue"] == everything["today/gross_revenue"]
    night = by_name(live_figures(facts, now=NOW.replace(hour=23, minute=59)))
    assert night["last_minute/gross_revenue"] == Decimal(0)
    assert night["last_minute/average_order_value"] is None
    assert night["last_minute/visitor_count"] == Decimal(0)


def test_lists_are_short_ordered_and_add_up() -> None:
    found = by_name(live_figures(told(random_records(10, visits=120), 11), now=NOW))
    countries = found["today/sales_by_country"]
    amounts = [Decimal(row["amount"]) for row in countries]
    assert amounts == sorted(amounts, reverse=True)
    assert sum(amounts) == found["today/gross_revenue"]
    assert "POST" not in {row["sku"] for row in found["today/top_products"]}
    sessions = [row["sessions"] for row in found["today/funnel"]]
    assert sessions == sorted(sessions, reverse=True)
    moments = [row["ordered_at"] for row in found["today/latest_orders"]]
    assert moments == sorted(moments, reverse=True)
    assert 3 < len(moments) <= 10
    assert "customer_id" not in found["today/latest_orders"][0]


def test_a_shop_without_a_record_has_figures_all_the_same() -> None:
    found = by_name(live_figures(LiveFacts(), now=NOW))
    assert found["today/gross_revenue"] == found["today/order_count"] == Decimal(0)
    assert found["today/average_order_value"] is found["today/conversion_rate"] is None
    assert found["today/latest_orders"] is None
