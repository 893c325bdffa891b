"""Slowly changing dimensions over random histories, in the SQL that dbt compiled."""

import itertools
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.contracts.tables import CUSTOMERS, ORDER_LINES, PRODUCTS, WEB_EVENTS

if TYPE_CHECKING:
    from conftest import LiveGold

FIRST = datetime(1, 1, 1)
NOON = datetime(2012, 3, 24, 12, tzinfo=UTC)
HOURS = st.integers(0, 6)
"""Few moments, so that several changes fall on one; the clock changes among them."""

Change = dict[str, Any]
random_changes = st.lists(
    st.fixed_dictionaries(
        {
            "sku": st.sampled_from(["A", "B", "POST"]),
            "changed_at": HOURS.map(lambda hour: NOON + timedelta(hours=6 * hour)),
            "description": st.just("lamp"),
            "category": st.sampled_from(["home", "garden"]),
            "unit_price": st.sampled_from([Decimal("1.2500"), Decimal("1.2501")]),
            "is_active": st.just(True),
        }
    ),
    max_size=12,
).map(lambda changes: [{**each, "event_id": f"e{n:02}"} for n, each in enumerate(changes)])
few_examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
VERSIONS = """select product_key, sku, category, unit_price, valid_from, valid_to, is_current
from gold.dim_products where sku is not null order by sku, valid_from"""


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def valid_state(changes: Iterable[Change], sku: str, at: datetime) -> tuple[Any, ...]:
    """What the catalog said at a moment; before its first word, that first word."""
    known = sorted(
        (each for each in changes if each["sku"] == sku),
        key=lambda each: (each["changed_at"], each["event_id"]),
    )
    first = [each for each in known if each["changed_at"] == known[0]["changed_at"]][-1]
    until = [each for each in known if each["changed_at"] <= at]
    found = until[-1] if until else first
    return found["category"], found["unit_price"]


@few_examples
@given(changes=random_changes, chance=st.randoms(use_true_random=False))
def test_a_history_has_no_gap_no_overlap_and_one_current_version_in_any_order_of_arrival(
    live_gold: "LiveGold", changes: list[Change], chance: random.Random
) -> None:
    live_gold.fill(ORDER_LINES, [])
    live_gold.fill(PRODUCTS, changes)
    found = live_gold.rows(VERSIONS)
    by_sku: dict[str, list[tuple[Any, ...]]] = {}
    for row in found:
        by_sku.setdefault(row[1], []).append(row)
    assert set(by_sku) == {each["sku"] for each in changes}
    for versions in by_sku.values():
        starts = [row[4] for row in versions]
        assert starts[0] == FIRST
        assert [row[5] for row in versions] == [*starts[1:], None]
        assert starts == sorted(set(starts))
        assert [row[6] for row in versions] == [False] * (len(versions) - 1) + [True]
        states = [row[2:4] for row in versions]
        assert all(before != after for before, after in itertools.pairwise(states))
    assert len({row[0] for row in found}) == len(found)
    live_gold.fill(PRODUCTS, chance.sample(changes, len(changes)))
    assert live_gold.rows(VERSIONS) == found


@few_examples
@given(changes=random_changes)
def test_later_changes_leave_the_keys_of_earlier_versions(
    live_gold: "LiveGold", changes: list[Change]
) -> None:
    cut = NOON + timedelta(hours=18)
    live_gold.fill(ORDER_LINES, [])
    live_gold.fill(PRODUCTS, [each for each in changes if each["changed_at"] <= cut])
    before = [row[:5] for row in live_gold.rows(VERSIONS)]
    live_gold.fill(PRODUCTS, changes)
    known = {row[1] for row in before}
    after = [row[:5] for row in live_gold.rows(VERSIONS) if row[1] in known]
    assert [row for row in after if row[4] <= naive(cut)] == before


@few_examples
@given(changes=random_changes, hours=st.lists(HOURS, min_size=1, max_size=3))
def test_an_order_line_finds_the_state_that_was_valid_when_it_was_ordered(
    live_gold: "LiveGold", changes: list[Change], hours: list[int]
) -> None:
    ordered = [NOON + timedelta(hours=6 * hour, seconds=hour - 3) for hour in hours]
    lines = [
        {"event_id": f"{n}", "line_number": 1, "sku": sku, "ordered_at": at, "line_class": "sale"}
        for n, (sku, at) in enumerate((sku, at) for sku in ("A", "B", "X") for at in ordered)
    ]
    live_gold.fill(ORDER_LINES, lines)
    live_gold.fill(PRODUCTS, changes)
    found = live_gold.rows(
        "select lines.event_id, lines.list_price, products.category, products.unit_price "
        "from gold.fct_order_lines as lines inner join gold.dim_products as products "
        "using (product_key) order by lines.event_id::int"
    )
    skus = {each["sku"] for each in changes}
    expected = []
    for line in lines:
        known = line["sku"] in skus
        state = valid_state(changes, line["sku"], line["ordered_at"]) if known else (None, None)
        expected.append((line["event_id"], state[1], *state))
    assert found == expected


@few_examples
@given(
    countries=st.lists(
        st.tuples(HOURS, st.sampled_from(["France", "Spain"]), st.booleans()), max_size=8
    ),
    hour=HOURS,
)
def test_an_order_and_a_session_find_the_customer_as_valid_when_they_began(
    live_gold: "LiveGold", countries: list[tuple[int, str, bool]], hour: int
) -> None:
    changes = [
        {
            "event_id": f"e{n}",
            "customer_id": "7",
            "changed_at": NOON + timedelta(hours=6 * at),
            "country": country,
            "has_marketing_consent": consent,
        }
        for n, (at, country, consent) in enumerate(countries)
    ]
    began = NOON + timedelta(hours=6 * hour)
    line = {"event_id": "l", "line_number": 1, "sku": "A", "line_class": "sale", "quantity": 1}
    order = {"source_system": "web", "order_id": "W", "customer_id": "7", "country": "Malta"}
    live_gold.fill(ORDER_LINES, [{**line, **order, "ordered_at": began, "line_amount": 1}])
    live_gold.fill(CUSTOMERS, changes)
    event = {"event_id": "v", "session_id": "s", "visitor_id": "v", "event_type": "page_view"}
    live_gold.fill(WEB_EVENTS, [{**event, "customer_id": "7", "occurred_at": began}])
    in_order = sorted(changes, key=lambda each: (each["changed_at"], each["event_id"]))
    until = [each for each in in_order if each["changed_at"] <= began]
    first = [each for each in in_order if each["changed_at"] == in_order[0]["changed_at"]][-1:]
    state = (until or first)[-1] if in_order else {"country": "Malta"}
    assert live_gold.rows("select customer_country from gold.fct_orders") == [(state["country"],)]
    assert live_gold.rows(
        "select country, has_marketing_consent from gold.fct_sessions "
        "inner join gold.dim_customers using (customer_key)"
    ) == [(state["country"], state.get("has_marketing_consent", False))]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("valid_to = valid_to - interval 1 day where sku = 'A' and not is_current", "a gap"),
        ("valid_to = valid_to + interval 1 day where sku = 'A' and not is_current", "an overlap"),
        ("is_current = true where sku = 'A'", "two current versions"),
        ("is_current = false where sku = 'A'", "no current version"),
        ("valid_to = timestamp '2013-01-01' where sku = 'A' and is_current", "an end"),
        ("valid_from = timestamp '2000-01-01' where sku = 'A' and not is_current", "a late start"),
    ],
)
def test_the_test_of_whole_histories_finds(
    dbt_run: "Any", live_gold: "LiveGold", change: str, what: str
) -> None:
    facts = {"sku": "A", "description": "lamp", "category": "home", "is_active": True}
    changes = [
        {**facts, "event_id": f"e{n}", "changed_at": NOON + timedelta(days=n), "unit_price": n + 1}
        for n in range(2)
    ]
    live_gold.fill(ORDER_LINES, [])
    live_gold.fill(PRODUCTS, changes)
    test = next(
        each
        for each in dbt_run.manifest["nodes"].values()
        if each["name"] == "dim_products_have_a_whole_history"
    )
    failing = test["compiled_code"].replace('"gold_build"."gold"."dim_products"', "damaged")
    assert "damaged" in failing
    live_gold.rows("create or replace temp table damaged as from gold.dim_products")
    assert live_gold.rows(failing) == []
    live_gold.rows(f"update damaged set {change}")
    assert live_gold.rows(failing) != [], what
