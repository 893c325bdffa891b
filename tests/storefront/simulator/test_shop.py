"""The simulated shop keeps its contracts, its clock, its money and its promises of determinism."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from experiments.assignment import arm_of
from experiments.registry import OWN_REGISTRY, read_registry
from experiments.shop_arms import _experiments, arms_of
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    ENVELOPE,
    ORDER_KINDS,
    ORDER_LINE_FIELDS,
    WEB_DEVICE_TYPES,
    WEB_EVENT_TYPES,
    WEB_EVENTS,
    WEB_ORDERS,
    Field,
    topic,
)
from lakehouse.errors import LakeError
from storefront.messages import Message, encode
from storefront.simulator import Catalog, ShopParameters, simulate

OPENING = date(2011, 12, 10)
DAY = timedelta(days=1)
LONDON = ZoneInfo("Europe/London")
LIVELY = ShopParameters(
    sessions_per_day=150,
    refund_rate=0.5,
    price_change_rate=0.1,
    profile_change_rate=0.1,
    discontinue_rate=0.3,
    memory_days=3,
)
KINDS = {"string": str, "integer": int, "lines": list}


def days_of(catalog: Catalog, count: int, **changes: Any) -> list[Message]:
    wanted = {"seed": 1, "start_date": OPENING, "parameters": LIVELY} | changes
    return list(simulate(days=count, catalog=catalog, **wanted))


def of(messages: Iterable[Message], *topics: Any) -> list[dict[str, Any]]:
    names = {each.name for each in topics}
    return [json.loads(message.value) for message in messages if message.topic in names]


def of_version_one(message: Message) -> bytes:
    value = json.loads(message.value)
    known = {field.name for field in topic(message.topic).fields_of(1)}
    kept = {name: each for name, each in value.items() if name in known}
    return encode({**kept, "schema_version": 1})


def faults(value: dict[str, Any], fields: Iterable[Field]) -> list[str]:
    """Every way in which a JSON object breaks its contract."""
    contract = {field.name: field for field in fields}
    found = [f"{name} is not in the contract" for name in value if name not in contract]
    for name, field in contract.items():
        if name not in value:
            found.append(f"{name} is absent")
        elif value[name] is None:
            found += [] if field.nullable else [f"{name} is null"]
        elif type(value[name]) is not KINDS[field.kind]:
            found.append(f"{name} is {type(value[name])}")
    return found


def test_every_message_keeps_the_contract_of_its_topic(catalog: Catalog) -> None:
    messages = days_of(catalog, 4)
    assert {message.topic for message in messages} == {
        each.name for each in (WEB_EVENTS, WEB_ORDERS, CRM_CUSTOMERS, CATALOG_PRODUCTS)
    }
    for message in messages:
        contract, value = topic(message.topic), json.loads(message.value)
        assert faults(value, (*ENVELOPE, *contract.fields)) == []
        for line in value.get("lines", ()):
            assert faults(line, ORDER_LINE_FIELDS) == []
        assert message.key == value[contract.key]
        assert message.event_id == value["event_id"]
        assert value["schema_version"] == contract.schema_version
        assert value.get("event_type", "purchase") in WEB_EVENT_TYPES
        assert value.get("order_kind", "sale") in ORDER_KINDS
        assert value.get("currency", "GBP") == "GBP"
        assert value.get("marketing_consent", "yes") in ("yes", "no")
        assert value.get("status", "active") in ("active", "discontinued")


def test_every_message_has_an_id_of_its_own(catalog: Catalog) -> None:
    messages = days_of(catalog, 6)
    assert len({message.event_id for message in messages}) == len(messages)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_shares_no_id(
    catalog: Catalog,
) -> None:
    once = days_of(catalog, 2)
    assert days_of(catalog, 2) == once
    other = days_of(catalog, 2, seed=2)
    assert not {each.event_id for each in once} & {each.event_id for each in other}
    orders = [{each["order_id"] for each in of(world, WEB_ORDERS)} for world in (once, other)]
    assert not orders[0] & orders[1]


def test_days_one_by_one_are_the_days_at_once(catalog: Catalog) -> None:
    count = LIVELY.memory_days + 4
    at_once = days_of(catalog, count)
    one_by_one = [
        message
        for number in range(count)
        for message in days_of(catalog, 1, start_date=OPENING + number * DAY, opened_on=OPENING)
    ]
    assert one_by_one == at_once


@pytest.mark.parametrize("start", [OPENING, date(2012, 3, 24), date(2012, 10, 27)])
def test_messages_come_in_order_of_time_within_their_london_days(
    catalog: Catalog, start: date
) -> None:
    moments = [
        datetime.fromisoformat(each["occurred_at"])
        for each in of(
            days_of(catalog, 3, start_date=start, opened_on=start),
            *(WEB_EVENTS, WEB_ORDERS, CRM_CUSTOMERS, CATALOG_PRODUCTS),
        )
    ]
    assert moments == sorted(moments)
    days = Counter(moment.astimezone(LONDON).date() for moment in moments)
    assert set(days) == {start, start + DAY, start + 2 * DAY}
    assert moments[0].astimezone(LONDON).hour == 0


def test_the_first_day_announces_every_product_and_later_days_only_changes(
    catalog: Catalog,
) -> None:
    prices: dict[str, tuple[str, str]] = {}
    by_day: Counter[str] = Counter()
    for value in of(days_of(catalog, 4), CATALOG_PRODUCTS):
        now = (value["unit_price"], value["status"])
        assert prices.get(value["sku"]) != now
        prices[value["sku"]] = now
        by_day[value["occurred_at"][:10]] += 1
    assert set(prices) == {product.sku for product in catalog.products}
    assert by_day["2011-12-10"] == len(catalog.products)
    assert all(0 < count < 30 for day, count in by_day.items() if day != "2011-12-10")


def test_orders_sell_active_products_at_the_price_of_their_day(catalog: Catalog) -> None:
    prices: dict[str, tuple[str, str]] = {}
    sold = 0
    for value in of(days_of(catalog, 6), CATALOG_PRODUCTS, WEB_ORDERS):
        if "status" in value:
            prices[value["sku"]] = (value["unit_price"], value["status"])
        elif value["order_kind"] == "sale":
            for line in value["lines"]:
                assert prices[line["sku"]] == (line["unit_price"], "active")
                assert line["quantity"] > 0
                sold += 1
            assert len({line["sku"] for line in value["lines"]}) == len(value["lines"])
    assert sold > 300
    assert any(status == "discontinued" for _, status in prices.values())


def test_refunds_return_lines_of_earlier_orders_and_never_more(catalog: Catalog) -> None:
    orders: dict[str, dict[str, Any]] = {}
    refunds = 0
    for value in of(days_of(catalog, 8), WEB_ORDERS):
        if value["order_kind"] == "sale":
            orders[value["order_id"]] = value
            continue
        refunds += 1
        sale = orders.pop(value["order_id"].removeprefix("C"))  # at most one refund an order
        bought = {(line["sku"], line["unit_price"]): line["quantity"] for line in sale["lines"]}
        assert value["occurred_at"][:10] > sale["occurred_at"][:10]
        assert (value["customer_id"], value["country"]) == (sale["customer_id"], sale["country"])
        for line in value["lines"]:
            assert 0 < -line["quantity"] <= bought.pop((line["sku"], line["unit_price"]))
    assert refunds > 40


def test_the_amount_of_an_order_is_the_exact_sum_of_its_lines(catalog: Catalog) -> None:
    for message in days_of(catalog, 4):
        if message.topic != WEB_ORDERS.name:
            assert message.amount is None
            continue
        lines = json.loads(message.value)["lines"]
        prices = [Decimal(each["unit_price"]) for each in lines]
        assert message.amount == sum(
            price * each["quantity"] for price, each in zip(prices, lines, strict=True)
        )
        assert {price.as_tuple().exponent for price in prices} == {-2}


def test_a_purchase_ends_a_session_whose_carts_are_the_order(catalog: Catalog) -> None:
    messages = days_of(catalog, 3)
    sales = {
        each["session_id"]: each
        for each in of(messages, WEB_ORDERS)
        if each["order_kind"] == "sale"
    }
    sessions = defaultdict(list)
    for click in of(messages, WEB_EVENTS):
        if click["event_type"] != "exposure":
            sessions[click["session_id"]].append(click)
    assert sales.keys() <= sessions.keys()
    for session_id, clicks in sessions.items():
        steps = [click["event_type"] for click in clicks]
        assert steps[0] == "page_view"
        assert ("purchase" in steps) == (session_id in sales)
        assert len({click["visitor_id"] for click in clicks}) == 1
        assert all(one["occurred_at"] < two["occurred_at"] for one, two in pairwise(clicks))
        if session_id in sales:
            sale = sales[session_id]
            carts = [each["sku"] for each in clicks if each["event_type"] == "add_to_cart"]
            assert carts == [line["sku"] for line in sale["lines"]]
            assert steps[-2:] == ["checkout", "purchase"]
            assert clicks[-1]["order_id"] == sale["order_id"]
            assert clicks[-1]["occurred_at"] == sale["occurred_at"]
            assert clicks[-1]["customer_id"] == sale["customer_id"]


def test_the_first_page_of_a_session_tells_whose_arm_it_shows(catalog: Catalog) -> None:
    """One exposure for each experiment of the registry, at the first click, by the salted hash."""
    declared = read_registry(OWN_REGISTRY)
    first: dict[str, dict[str, Any]] = {}
    shown: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in of(days_of(catalog, 2), WEB_EVENTS):
        if event["event_type"] == "exposure":
            shown[event["session_id"]].append(event)
        else:
            first.setdefault(event["session_id"], event)
    assert shown.keys() == first.keys()
    for session_id, events in shown.items():
        known = ("visitor_id", "customer_id", "occurred_at", "device_type")
        assert all(each[name] == first[session_id][name] for each in events for name in known)
        assert {each["experiment"]: each["arm"] for each in events} == {
            name: arm_of(events[0]["visitor_id"], salt=each.salt, weights=each.arms)
            for name, each in declared.items()
        }
    assert {each["arm"] for events in shown.values() for each in events} == {"A", "B"}


def test_an_experiment_exposes_nobody_outside_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = read_registry(OWN_REGISTRY)["one_page_checkout"]
    days = (date(2012, 1, 2), date(2012, 1, 3))
    found = {
        "past": replace(declared, last_day=date(2012, 1, 1)),
        "now": replace(declared, first_day=days[0], last_day=days[0]),
        "customers": replace(declared, unit="customer"),
    }
    monkeypatch.setattr("experiments.shop_arms.read_registry", lambda _: found)
    _experiments.cache_clear()
    shown = [list(arms_of("v", day=day)) for day in days]
    _experiments.cache_clear()
    assert shown == [["now"], []]


def test_a_customer_is_announced_before_the_first_click_and_changes_later(
    catalog: Catalog,
) -> None:
    profiles: dict[str, dict[str, Any]] = {}
    changes = 0
    for value in of(days_of(catalog, 5), CRM_CUSTOMERS, WEB_EVENTS, WEB_ORDERS):
        if "email" in value:
            content = {name: value[name] for name in ("name", "email", "address", "country")}
            content["consent"] = value["marketing_consent"]
            assert profiles.get(value["customer_id"]) != content
            changes += value["customer_id"] in profiles
            profiles[value["customer_id"]] = content
        elif value["customer_id"] is not None:
            assert value["customer_id"] in profiles
    assert changes > 10
    newcomers = profiles.keys() - {customer.customer_id for customer in catalog.customers}
    assert newcomers


def test_a_new_account_is_used_again_on_later_days(catalog: Catalog) -> None:
    parameters = ShopParameters(visitor_conversion_rate=0.2, registered_rate=0.2)
    days: dict[str, set[str]] = defaultdict(set)
    for click in of(days_of(catalog, 4, parameters=parameters), WEB_EVENTS):
        if (click["customer_id"] or "").startswith("N"):
            days[click["customer_id"]].add(click["occurred_at"][:10])
    assert max(len(seen) for seen in days.values()) > 1


def test_strangers_come_back_under_the_same_visitor_id(catalog: Catalog) -> None:
    days: dict[str, set[str]] = defaultdict(set)
    for click in of(days_of(catalog, 5), WEB_EVENTS):
        if click["customer_id"] is None:
            days[click["visitor_id"]].add(click["occurred_at"][:10])
    assert max(len(seen) for seen in days.values()) > 1


# part: history
def test_the_shop_has_the_documented_size_with_the_real_catalog(
    real_catalog: Catalog,
) -> None:
    catalog = real_catalog
    messages = list(simulate(seed=1, start_date=OPENING, days=14, catalog=catalog))
    clicks = of(messages, WEB_EVENTS)
    orders = [each for each in of(messages, WEB_ORDERS) if each["order_kind"] == "sale"]
    sessions = {click["session_id"]: click["occurred_at"] for click in clicks}
    assert 340 < len(sessions) / 14 < 460
    assert 55 < len(orders) / 14 < 90
    by_weekday = Counter(datetime.fromisoformat(at).weekday() for at in sessions.values())
    assert by_weekday[5] < by_weekday[6] < min(by_weekday[day] for day in range(5))
    by_hour = Counter(datetime.fromisoformat(at).hour for at in sessions.values())
    assert by_hour[12] > 5 * by_hour[4]
    assert len(of(messages, CATALOG_PRODUCTS)) > len(catalog.products)
    assert len({each["customer_id"] for each in of(messages, CRM_CUSTOMERS)}) < 3_000


# end part


@pytest.mark.parametrize(("products", "customers"), [(1, 1), (1, 0), (3, 0)])
def test_a_tiny_catalog_is_enough(catalog: Catalog, products: int, customers: int) -> None:
    tiny = Catalog(catalog.products[:products], catalog.customers[:customers], None)
    messages = days_of(tiny, 4)
    assert all(len(each["lines"]) <= products for each in of(messages, WEB_ORDERS))
    assert of(messages, WEB_ORDERS)


def test_a_visitor_holds_the_same_device_on_every_visit(catalog: Catalog) -> None:
    held: dict[str, set[str]] = defaultdict(set)
    for click in of(days_of(catalog, 5), WEB_EVENTS):
        held[click["visitor_id"]].add(click["device_type"])
    assert {len(devices) for devices in held.values()} == {1}
    counts = Counter(devices.pop() for devices in held.values())
    assert counts.keys() == set(WEB_DEVICE_TYPES)
    assert counts["desktop"] > counts["mobile"] > counts["tablet"]


def test_nothing_to_sell_is_refused() -> None:
    with pytest.raises(LakeError, match="nothing to sell"):
        days_of(Catalog((), (), None), 1)


def test_no_day_is_refused(catalog: Catalog) -> None:
    with pytest.raises(LakeError, match="at least one day, not 0"):
        days_of(catalog, 0)


def test_a_start_before_the_opening_is_refused(catalog: Catalog) -> None:
    with pytest.raises(LakeError, match="opens on 2011-12-11; 2011-12-10 is before that"):
        days_of(catalog, 1, opened_on=OPENING + DAY)


_TIME_OF_ID = re.compile(rb'("event_id":")[0-9]{14}-')


def test_an_id_begins_with_the_time_of_its_message(catalog: Catalog) -> None:
    for message in days_of(catalog, 1):
        at = json.loads(message.value)["occurred_at"]
        assert message.event_id.partition("-")[0] == "".join(filter(str.isdigit, at))


def test_a_day_keeps_its_bytes_on_every_machine(catalog: Catalog) -> None:
    """A change here is another simulation: raise GENERATION, so that ids change with it."""
    messages = [
        message._replace(value=_TIME_OF_ID.sub(rb"\1", message.value))
        for message in days_of(catalog, 2)
    ]
    today = b"".join(message.value for message in messages)
    assert (
        hashlib.sha256(today).hexdigest()
        == "92f32d83f214f781459907fdd8d0c768bb2b97cced5fb09078679c42b14e695d"
    )
    # A field that a contract gained changes nothing else: what it was before is in it.
    first = b"".join(
        of_version_one(message) if message.topic == WEB_EVENTS.name else message.value
        for message in messages
        if b'"exposure"' not in message.value
    )
    assert (
        hashlib.sha256(first).hexdigest()
        == "e6796e85d19fdbecfc64ad5fc581c2755b27fa63b44c642cf78a5e9fc25b35ad"
    )
