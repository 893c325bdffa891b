"""An order whose lines differ in customer, day and country is counted by its lines everywhere."""

import shutil
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboards.periods import Selection
from dashboards.queries import sales
from lakehouse.contracts.tables import GOLD_SOURCES, ORDER_LINES
from lakehouse.duck import open_gold, open_lake
from lakehouse.settings import Settings
from pipelines.gold.build import build_gold
from pipelines.gold.dbt_worker import GoldWorker
from pipelines.publishing.key_figures import key_figures
from quality.audit.dispositions import gold_equals_silver
from quality.audit.equation import Equation, Pinned
from tests.silver_commits import commit

VERSIONS = {table.name: 0 for table in GOLD_SOURCES}
LINES = (
    ("1001", "2020-05-04 10:00", 3, "70", "France"),
    ("1001", "2020-05-04 10:00", 100, None, "France"),
    ("1002", "2020-05-04 10:00", 5, "71", "France"),
    ("1002", "2020-05-04 10:00", 7, "72", "France"),
    ("1003", "2020-05-04 10:00", 20, None, "France"),
    ("1004", "2020-05-05 23:59", 2, "73", "France"),
    ("1004", "2020-05-06 00:01", 4, "73", "France"),
    ("1005", "2020-05-04 10:00", 1, "74", "France"),
    ("1005", "2020-05-04 10:00", 9, "74", "Spain"),
)
"""Order, shop time, pounds, customer, country. Of all £151.00 £31.00 are those of 5 customers."""
DAMAGES = {
    "fct_customer_orders": "set gross_amount = gross_amount + 100 where order_id = '1001'",
    "fct_daily_customers": "set customer_count = customer_count - 1 where customer_kind = 'new' "
    "and order_date = '2020-05-04'",
    "fct_customer_rfm": "set monetary_amount = monetary_amount - 7 where customer_id = '72'",
    "fct_cohort_retention": "set cohort_size = cohort_size - 1",
    "fct_daily_kpis": "set value = value + 1 where kpi = 'new_customers' "
    "and kpi_date = '2020-05-05'",
}


def line(number: int, facts: tuple[str, str, int, str | None, str]) -> dict[str, Any]:
    order, time, pounds, customer, country = facts
    at = datetime.fromisoformat(time)
    return {
        "event_id": f"e{number}",
        "content_hash": f"h{number}",
        "source_system": "erp",
        "order_id": order,
        "line_number": number,
        "line_class": "sale",
        "sku": "K1",
        "description": f"THING {number}",
        "customer_id": customer,
        "country": country,
        "ordered_at": f"{at} Europe/London",
        "order_date": at.date(),
        "order_month": f"{at:%Y-%m}",
        "quantity": 1,
        "unit_price": Decimal(pounds),
        "line_amount": Decimal(pounds),
        "currency": "GBP",
        "refined_batch": 1,
        "source_topic": "t",
        "source_partition": 0,
        "source_offset": number,
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("state"))
    for table in GOLD_SOURCES:
        is_sold = table is ORDER_LINES
        rows = [line(number, facts) for number, facts in enumerate(LINES)] if is_sold else []
        commit(settings, table, rows)
    return settings


@pytest.fixture(scope="module")
def gold(settings: Settings, gold_worker: GoldWorker) -> Path:
    return build_gold(settings, run_id="1", table_versions=VERSIONS, worker=gold_worker).path


def equations(settings: Settings, gold: Path) -> list[Equation]:
    with open_lake(settings) as lake:
        return gold_equals_silver(Pinned(lake, settings, VERSIONS, gold))


def test_identified_sales_and_customers_are_those_of_the_lines(gold: Path) -> None:
    figures = key_figures(gold)
    assert {name: Decimal(text) for name, text in figures.items() if name.startswith("erp_")} == {
        "erp_gross_amount": Decimal(151),
        "erp_net_amount": Decimal(151),
        "erp_order_count": 5,
        "erp_line_count": 9,
        "erp_identified_amount": Decimal(31),
        "erp_identified_customer_count": 5,
    }
    with open_gold(gold) as connection:
        orders = connection.execute(
            "select order_id, customer_id, country, order_date, gross_amount from gold.fct_orders "
            "order by order_id"
        ).fetchall()
        histories = connection.execute(
            "select customer_id, order_id, order_date, line_count, gross_amount "
            "from gold.fct_customer_orders order by customer_id"
        ).fetchall()
    fourth, fifth = date(2020, 5, 4), date(2020, 5, 5)
    assert orders == [
        ("1001", "70", "France", fourth, Decimal(103)),
        ("1002", None, "France", fourth, Decimal(12)),
        ("1003", None, "France", fourth, Decimal(20)),
        ("1004", "73", "France", fifth, Decimal(6)),
        ("1005", "74", "France", fourth, Decimal(10)),
    ]
    assert histories == [
        ("70", "1001", fourth, 1, Decimal(3)),
        ("71", "1002", fourth, 1, Decimal(5)),
        ("72", "1002", fourth, 1, Decimal(7)),
        ("73", "1004", fifth, 2, Decimal(6)),
        ("74", "1005", fourth, 2, Decimal(10)),
    ]


@pytest.mark.parametrize(
    ("days", "countries", "shown"),
    [
        ((4, 6), (), (151, 5, 5)),
        ((4, 4), (), (145, 4, 4)),
        ((5, 5), (), (2, 1, 1)),
        ((6, 6), (), (4, 1, 1)),
        ((4, 6), ("Spain",), (9, 1, 1)),
        ((4, 6), ("France",), (142, 5, 5)),
    ],
)
def test_the_filters_of_sales_count_the_orders_and_customers_with_a_line_there(
    gold: Path, days: tuple[int, int], countries: tuple[str, ...], shown: tuple[int, int, int]
) -> None:
    chosen = Selection(date(2020, 5, days[0]), date(2020, 5, days[1]), countries)
    gross, orders, customers = shown
    with open_gold(gold) as cursor:
        names = ("gross_revenue", "order_count", "active_customers")
        totals = sales.values_of(cursor, chosen, names)
        by_country = sales.sales_by_country(cursor, chosen)
        by_day = sales.over_time(cursor, chosen, ["order_count"])
        counted = cursor.execute(
            "select kpi_date, value from gold.fct_daily_kpis where kpi = 'order_count' "
            "and kpi_date between ? and ? order by kpi_date",
            [chosen.start, chosen.end],
        ).fetchall()
    assert tuple(totals.values()) == (Decimal(gross), orders, customers)
    if not countries:
        assert list(zip(by_day["bucket_date"], by_day["order_count"], strict=True)) == counted
    else:
        assert by_country[["country", "order_count"]].to_numpy().tolist() == [[*countries, orders]]


def test_every_mart_that_states_identified_sales_or_customers_states_those_of_silver(
    settings: Settings, gold: Path
) -> None:
    found = equations(settings, gold)
    assert [each.statement for each in found if not each.holds] == []
    sides = {
        (each.statement.partition(":")[0], each.statement.rpartition(" = ")[2]): each.right
        for each in found
    }
    assert {key: right for key, right in sides.items() if key[0].startswith("identified")} == {
        ("identified gross", "gold.fct_order_lines"): "31.0000",
        ("identified gross", "gold.fct_daily_customers"): "31.0000",
        ("identified gross", "gold.fct_customer_orders"): "31.0000",
        ("identified gross", "gold.fct_customer_rfm"): "31.0000",
        ("identified customers", "gold.fct_order_lines"): "5",
        ("identified customers", "gold.fct_daily_kpis"): "5",
        ("identified customers", "gold.fct_daily_customers"): "5",
        ("identified customers", "gold.fct_customer_orders"): "5",
        ("identified customers", "gold.fct_customer_rfm"): "5",
        ("identified customers", "gold.fct_cohort_retention"): "5",
    }


@pytest.mark.parametrize("mart", DAMAGES)
def test_a_mart_with_other_identified_sales_or_customers_fails_the_audit(
    settings: Settings, gold: Path, tmp_path: Path, mart: str
) -> None:
    damaged = tmp_path / gold.name
    shutil.copyfile(gold, damaged)
    with duckdb.connect(str(damaged)) as connection:
        connection.execute(f"update gold.{mart} {DAMAGES[mart]}")
    failed = [each for each in equations(settings, damaged) if not each.holds]
    assert f"gold.{mart}" in {each.statement.rpartition(" = ")[2] for each in failed}
    assert all(f"gold.{mart}" in each.statement for each in failed)
