"""Every KPI of random days, in the SQL that dbt compiled, against plain arithmetic on events."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.contracts.kpis import read_kpis
from lakehouse.contracts.tables import CUSTOMERS, ORDER_LINES, PRODUCTS, WEB_EVENTS
from lakehouse.semantics.question import Question, ask

if TYPE_CHECKING:
    from conftest import LiveGold

FIRST_DAY = date(2011, 3, 26)
"""The day before clocks change."""
DAYS = st.integers(0, 4).map(lambda days: FIRST_DAY + timedelta(days=days))
STEPS = ("page_view", "add_to_cart", "purchase")

random_lines = st.lists(
    st.fixed_dictionaries(
        {
            "order_date": DAYS,
            "source_system": st.sampled_from(["erp", "web"]),
            "order_id": st.sampled_from(["1", "2", "3"]),
            "line_class": st.sampled_from(["sale", "sale", "cancellation", "zero_price"]),
            "customer_id": st.sampled_from([None, "7", "8", "9"]),
            "quantity": st.integers(1, 5),
            "unit_price": st.sampled_from([Decimal("0.001"), Decimal("1.25"), Decimal("9999.99")]),
        }
    ),
    max_size=12,
)
random_visits = st.lists(st.tuples(DAYS, st.integers(1, 3)), max_size=6)


def measured(line: dict[str, Any], number: int) -> dict[str, Any]:
    """A line with its sign and amount, zero where it has no price."""
    sign = -1 if line["line_class"] == "cancellation" else 1
    price = Decimal(0) if line["line_class"] == "zero_price" else line["unit_price"]
    facts = {"event_id": f"e{number}", "line_number": 1, "sku": "A", "country": "France"}
    amount = sign * line["quantity"] * price
    at = datetime.combine(line["order_date"], datetime.min.time(), UTC)
    fixed = {"unit_price": price, "quantity": sign * line["quantity"], "line_amount": amount}
    return {**line, **facts, **fixed, "ordered_at": at}


def all_measured(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [measured(line, number) for number, line in enumerate(lines)]


def quotient(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    if whole <= 0:
        return None
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def expected_kpis(
    lines: list[dict[str, Any]], visits: list[tuple[date, int]]
) -> dict[tuple[date, str], Decimal]:
    days = [line["order_date"] for line in lines] + [day for day, _ in visits]
    if not days:
        return {}
    sales = [line for line in lines if line["line_class"] == "sale"]
    found: dict[tuple[date, str], Decimal] = {}
    day = min(days)
    while day <= max(days):
        sold = [line for line in sales if line["order_date"] == day]
        back = [line for line in lines if line["order_date"] == day]
        back = [line for line in back if line["line_class"] == "cancellation"]
        gross = sum((line["line_amount"] for line in sold), Decimal(0))
        returned = -sum((line["line_amount"] for line in back), Decimal(0))
        orders = len({(line["source_system"], line["order_id"]) for line in sold})
        active = {line["customer_id"] for line in sold} - {None}
        before = {line["customer_id"] for line in sales if line["order_date"] < day}
        steps = [step for at, step in visits if at == day]
        carts, bought = sum(step >= 2 for step in steps), sum(step >= 3 for step in steps)
        traded = [line["order_date"] for line in lines if line["order_date"] <= day]
        values = {
            "gross_revenue": gross,
            "cancelled_amount": -returned,
            "net_revenue": gross - returned,
            "order_count": orders,
            "average_order_value": quotient(gross, orders),
            "item_quantity": sum(line["quantity"] for line in sold),
            "return_rate": quotient(returned, gross),
            "active_customers": len(active),
            "new_customers": len(active - before),
            "repeat_rate": quotient(len(active & before), len(active)),
            "conversion_rate": quotient(bought, len(steps)),
            "cart_abandonment_rate": quotient(carts - bought, carts),
            "freshness_days": (day - max(traded)).days if traded else None,
        }
        found |= {(day, kpi): Decimal(value) for kpi, value in values.items() if value is not None}
        day += timedelta(days=1)
    return found


def fill(
    live_gold: "LiveGold", lines: list[dict[str, Any]], visits: list[tuple[date, int]]
) -> None:
    events = [
        {
            "session_id": f"s{number}",
            "visitor_id": "v",
            "event_id": f"{number}-{step}",
            "event_type": STEPS[step],
            "occurred_at": datetime.combine(day, datetime.min.time(), UTC),
            "event_date": day,
        }
        for number, (day, reached) in enumerate(visits)
        for step in range(reached)
    ]
    live_gold.fill(ORDER_LINES, lines)
    live_gold.fill(WEB_EVENTS, events)
    live_gold.fill(CUSTOMERS, [])
    live_gold.fill(PRODUCTS, [])


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=random_lines.map(all_measured), visits=random_visits)
def test_every_kpi_of_a_day_is_what_its_events_add_up_to(
    live_gold: "LiveGold", lines: list[dict[str, Any]], visits: list[tuple[date, int]]
) -> None:
    fill(live_gold, lines, visits)
    found = live_gold.rows("select kpi_date, kpi, value, unit from gold.fct_daily_kpis")
    codes = {"money": "GBP"}  # gold names the currency
    units = {each.name: codes.get(each.unit, each.unit) for each in read_kpis()}
    assert {(day, name): value for day, name, value, _ in found} == expected_kpis(lines, visits)
    assert all(units[name] == unit for _, name, _, unit in found)
    assert len(found) == len({(day, name) for day, name, _, _ in found})


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=random_lines.map(all_measured), visits=random_visits)
def test_the_semantic_layer_answers_what_the_table_of_kpis_holds(
    live_gold: "LiveGold", lines: list[dict[str, Any]], visits: list[tuple[date, int]]
) -> None:
    fill(live_gold, lines, visits)
    found = live_gold.rows("select kpi_date, kpi, value from gold.fct_daily_kpis")
    days = [day for day, _, _ in found] or [FIRST_DAY]
    metrics = tuple(each.name for each in read_kpis() if each.name != "freshness_days")
    rows = ask(live_gold.connection, Question(metrics, min(days), max(days), "day"))
    answered = {(row.bucket, *each) for row in rows for each in row.values.items()}
    held = {each for each in found if each[1] in metrics}
    assert {each for each in answered if each[2] is not None and found} == held
