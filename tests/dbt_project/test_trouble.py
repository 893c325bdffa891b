"""What happens when data are odd: the table of docs/data.md, case by case, in the compiled SQL."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.contracts.tables import CUSTOMERS, ORDER_LINES, PRODUCTS, WEB_EVENTS

if TYPE_CHECKING:
    from conftest import LiveGold

DAY = date(2011, 11, 29)
FIRST = datetime(1, 1, 1)
SALES = """select order_date, country, order_count, line_count, gross_amount, cancelled_amount,
net_amount from gold.fct_daily_sales order by all"""
ORDERS = """select order_id, customer_id, customer_country, country, line_count, gross_amount,
cancelled_amount, net_amount from gold.fct_orders order by all"""
KPIS = "select kpi, value from gold.fct_daily_kpis where kpi_date = ? order by kpi"


def line(event_id: str, order_id: str = "1", *, day: int = 0, **facts: Any) -> dict[str, Any]:
    """A sale of one lamp for a pound in France, so many days after the first; but for `facts`."""
    at = DAY + timedelta(days=day)
    sound = {
        "event_id": event_id,
        "order_id": order_id,
        "line_number": 1,
        "source_system": "erp",
        "line_class": "sale",
        "sku": "LAMP",
        "description": "red lamp",
        "customer_id": "7",
        "country": "France",
        "ordered_at": datetime.combine(at, datetime.min.time(), UTC),
        "order_date": at,
        "order_month": f"{at:%Y-%m}",
        "quantity": 1,
        "line_amount": Decimal(1),
    }
    return {**sound, **facts}


def credit(event_id: str, *, day: int = 0, amount: int = -1) -> dict[str, Any]:
    return line(
        event_id, "C1", day=day, line_class="cancellation", quantity=-1, line_amount=Decimal(amount)
    )


@pytest.fixture
def shop(live_gold: "LiveGold") -> "LiveGold":
    """Gold over silver without a row."""
    for table in (ORDER_LINES, CUSTOMERS, PRODUCTS, WEB_EVENTS):
        live_gold.fill(table, [])
    return live_gold


def kpis(shop: "LiveGold", day: int) -> dict[str, Decimal]:
    found = shop.connection.execute(KPIS, [DAY + timedelta(days=day)]).fetchall()
    return dict(found)


def money(*amounts: int) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def fill(shop: "LiveGold", lines: Iterable[dict[str, Any]]) -> None:
    shop.fill(ORDER_LINES, list(lines))


def test_a_new_country_appears_under_its_own_name_and_its_sales_count(shop: "LiveGold") -> None:
    fill(shop, [line("e1", country="Atlantis"), line("e2", "2")])
    assert shop.rows(SALES) == [
        (DAY, "Atlantis", 1, 1, *money(1, 0, 1)),
        (DAY, "France", 1, 1, *money(1, 0, 1)),
    ]
    assert shop.rows("select * from gold.dim_countries order by country") == [
        ("Atlantis", "Atlantis", None, "Unknown", False, False),
        ("France", "France", "FR", "Europe", False, True),
        ("Unknown", "Unknown", None, "Unknown", False, False),
    ]


def test_a_product_with_two_names_bears_the_usual_one_and_its_lines_their_own(
    shop: "LiveGold",
) -> None:
    lines = [line("e1"), line("e2"), line("e3", description="crimson lamp")]
    named = "select distinct description from gold.dim_products where sku = 'LAMP'"
    fill(shop, lines)
    assert shop.rows(named) == [("red lamp",)]
    later = [line(f"f{n}", day=1, description="crimson lamp") for n in range(2)]
    fill(shop, [*lines, *later])
    assert shop.rows(named) == [("crimson lamp",)]
    assert shop.rows(
        "select description, count(*), count(distinct product_key) from gold.fct_order_lines "
        "group by description order by description"
    ) == [("crimson lamp", 3, 1), ("red lamp", 2, 1)]


def test_a_customer_in_two_countries_is_one_customer_and_each_order_keeps_its_own(
    shop: "LiveGold",
) -> None:
    fill(shop, [line("e1"), line("e2", "2", day=1, country="Spain")])
    assert shop.rows(
        "select customer_id, country, first_order_date, is_current from gold.dim_customers "
        "where customer_id is not null"
    ) == [("7", "Spain", DAY, True)]
    assert shop.rows(ORDERS) == [
        ("1", "7", "Spain", "France", 1, *money(1, 0, 1)),
        ("2", "7", "Spain", "Spain", 1, *money(1, 0, 1)),
    ]
    assert [row[1] for row in shop.rows(SALES)] == ["France", "Spain"]
    assert shop.rows("select customer_id, order_count from gold.fct_customer_rfm") == [("7", 2)]


def test_a_day_without_sales_has_zeros_and_no_averages(shop: "LiveGold") -> None:
    fill(shop, [line("e1"), line("e2", "2", day=2)])
    assert kpis(shop, 1) == {
        "gross_revenue": Decimal(0),
        "cancelled_amount": Decimal(0),
        "net_revenue": Decimal(0),
        "order_count": Decimal(0),
        "item_quantity": Decimal(0),
        "active_customers": Decimal(0),
        "new_customers": Decimal(0),
        "freshness_days": Decimal(1),
    }
    assert [row[0] for row in shop.rows(SALES)] == [DAY, DAY + timedelta(days=2)]
    assert shop.rows("select date_day, is_trading_day from gold.dim_dates order by date_day") == [
        (DAY + timedelta(days=n), n != 1) for n in range(3)
    ]


def test_a_partial_last_month_holds_what_there_is_and_grows_with_its_days(
    shop: "LiveGold",
) -> None:
    retention = """select cohort_month, month_number, cohort_size, active_customers
        from gold.fct_cohort_retention order by all"""
    lines = [line("e1"), line("e2", "2", customer_id="8"), line("e3", "3", day=2)]
    fill(shop, lines)
    assert shop.rows(retention) == [("2011-11", 0, 2, 2), ("2011-11", 1, 2, 1)]
    assert shop.rows("select max(date_day) from gold.dim_dates") == [(DAY + timedelta(days=2),)]
    fill(shop, [*lines, line("e4", "4", day=20, customer_id="8")])
    assert shop.rows(retention) == [("2011-11", 0, 2, 2), ("2011-11", 1, 2, 2)]


def test_an_order_whose_lines_arrive_in_two_batches_is_one_order_in_the_end(
    shop: "LiveGold",
) -> None:
    first = [line("e1", refined_batch=1), line("o1", "2", refined_batch=1)]
    second = [line("e2", line_number=2, sku="SHADE", refined_batch=2)]
    fill(shop, first)
    assert shop.rows(SALES) == [(DAY, "France", 2, 2, *money(2, 0, 2))]
    fill(shop, [*first, *second])
    assert shop.rows(SALES) == [(DAY, "France", 2, 3, *money(3, 0, 3))]
    assert shop.rows(ORDERS) == [
        ("1", "7", "France", "France", 2, *money(2, 0, 2)),
        ("2", "7", "France", "France", 1, *money(1, 0, 1)),
    ]
    assert kpis(shop, 0)["average_order_value"] == Decimal("1.5")
    whole = shop.rows("select * from gold.fct_customer_orders order by all")
    fill(shop, [{**each, "refined_batch": 1} for each in (*second, *first)])
    assert shop.rows("select * from gold.fct_customer_orders order by all") == whole


def test_a_cancellation_before_its_order_counts_at_once_and_makes_nobody_a_customer(
    shop: "LiveGold",
) -> None:
    fill(shop, [credit("c1")])
    assert shop.rows(ORDERS) == [("C1", "7", "France", "France", 0, *money(0, -1, -1))]
    assert shop.rows("select * from gold.fct_customer_rfm") == []
    assert shop.rows("select * from gold.fct_cohort_retention") == []
    found = kpis(shop, 0)
    assert (found["net_revenue"], found["order_count"], found["active_customers"]) == money(
        -1, 0, 0
    )
    assert not {"return_rate", "average_order_value", "repeat_rate"} & set(found)
    fill(shop, [credit("c1"), line("e1", day=-3), line("e2", day=-3, sku="SHADE")])
    assert shop.rows(SALES) == [
        (DAY - timedelta(days=3), "France", 1, 2, *money(2, 0, 2)),
        (DAY, "France", 0, 0, *money(0, -1, -1)),
    ]
    assert kpis(shop, -3)["new_customers"] == 1
    assert kpis(shop, 0)["new_customers"] == 0


def test_a_product_that_the_catalog_never_named_is_sold_and_keeps_its_key_when_it_does(
    shop: "LiveGold",
) -> None:
    fill(shop, [line("e1")])
    lines = "select product_key, is_product, list_price from gold.fct_order_lines"
    members = """select product_key, description, catalog_description, category, unit_price,
        valid_from, valid_to from gold.dim_products where sku = 'LAMP'"""
    ((key, is_product, list_price),) = shop.rows(lines)
    assert (is_product, list_price) == (True, None)
    assert shop.rows(members) == [(key, "red lamp", None, None, None, FIRST, None)]
    facts = {"sku": "LAMP", "description": "lamp, red", "category": "light", "is_active": True}
    changed = {"event_id": "p1", "changed_at": datetime(2012, 1, 1, tzinfo=UTC), **facts}
    shop.fill(PRODUCTS, [{**changed, "unit_price": Decimal("1.25")}])
    assert shop.rows(lines) == [(key, True, Decimal("1.25"))]
    assert shop.rows(members) == [
        (key, "red lamp", "lamp, red", "light", Decimal("1.25"), FIRST, None)
    ]
