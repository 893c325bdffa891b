"""Every query over a small shop whose figures can be checked by hand."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from dashboards.periods import Extent
from dashboards.queries import sales

D = Decimal
DAYS = ("2011-01-03", "2011-01-11")
KPIS = (
    *("gross_revenue", "cancelled_amount", "net_revenue"),
    *("order_count", "average_order_value", "active_customers"),
)
Days = Callable[..., Any]


@pytest.fixture
def cursor(shop: Any) -> Any:
    shop.publish("run-1")
    with shop.gold.reader() as reader:
        yield reader.cursor


def frame(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split(), dtype=object)


def test_the_extent_names_days_and_countries_by_revenue(cursor: Any) -> None:
    assert sales.extent(cursor) == Extent(
        date(2011, 1, 3),
        date(2011, 1, 11),
        ("United Kingdom", "France", "Germany"),
        sources=("erp", "web"),
    )


def test_an_outlying_day_is_counted_and_moves_no_period(shop: Any) -> None:
    line = ("erp", "1", "sale", "A1", "TEA TOWEL", "10", "Spain", "2011-01-11", 1, "2.5000")
    shop.publish("run-1", lines=(line, (*line[:7], "2091-01-11", *line[8:])))
    with shop.gold.reader() as reader:
        found = sales.extent(reader.cursor)
    day = date(2011, 1, 11)
    assert found == Extent(day, day, ("Spain",), outlier_count=1, sources=("erp",))


def test_an_empty_shop_has_no_extent(shop: Any) -> None:
    shop.publish("run-1", lines=())
    with shop.gold.reader() as reader:
        assert sales.extent(reader.cursor) is None


def test_values_are_exact_and_orders_and_customers_distinct(cursor: Any, selection: Days) -> None:
    assert sales.values_of(cursor, selection("2011-01-03", "2011-01-11"), KPIS) == {
        "gross_revenue": D("843.2550"),
        "cancelled_amount": D("-100.0000"),
        "net_revenue": D("743.2550"),
        "order_count": 6,
        "average_order_value": D("140.5425"),
        "active_customers": 3,
    }


def test_customers_are_distinct_over_the_period_not_summed_over_days(
    cursor: Any, selection: Days
) -> None:
    def customers(*chosen: str) -> Any:
        return sales.values_of(cursor, selection(*chosen), ["active_customers"])["active_customers"]

    days = ("2011-01-03", "2011-01-10")
    assert [customers(day, day) for day in days] == [1, 1]
    assert customers(*days, "United Kingdom") == 1


def test_a_credit_note_is_no_order(cursor: Any, selection: Days) -> None:
    day = selection("2011-01-05", "2011-01-05", "United Kingdom")
    found = sales.values_of(cursor, day, KPIS)
    assert list(found.values()) == [0, D(-100), D(-100), 0, None, 0]


def test_visits_know_no_country_so_they_have_no_value_for_one(cursor: Any, selection: Days) -> None:
    every, france = selection(*DAYS), selection(*DAYS, "France")
    assert sales.values_of(cursor, every, ["conversion_rate"]) == {"conversion_rate": D("0.2500")}
    assert sales.values_of(cursor, france, ["conversion_rate"]) == {"conversion_rate": None}
    assert sales.not_filtered(france, "conversion_rate") == ("country",)
    assert sales.not_filtered(france, "net_revenue") == ()


def test_equal_order_numbers_of_two_sources_are_two_orders(shop: Any, selection: Days) -> None:
    line = ("sale", "A1", "TEA TOWEL", "10", "United Kingdom", "2011-01-03", 1, "1.0000")
    shop.publish("run-1", lines=(("erp", "1", *line), ("web", "1", *line)))
    with shop.gold.reader() as reader:
        found = sales.values_of(reader.cursor, selection("2011-01-03", "2011-01-03"), KPIS)
    assert found["order_count"] == 2


def test_sales_over_time_keep_every_penny_by_source(cursor: Any, selection: Days) -> None:
    expected = frame(
        "bucket_date source_system gross_revenue cancelled_amount net_revenue",
        (date(2011, 1, 3), "erp", D("130.0050"), D("0.0000"), D("130.0050")),
        (date(2011, 1, 4), "erp", D("400.0000"), D("0.0000"), D("400.0000")),
        (date(2011, 1, 5), "erp", D("25.0000"), D("-100.0000"), D("-75.0000")),
        (date(2011, 1, 10), "erp", D("250.0000"), D("0.0000"), D("250.0000")),
        (date(2011, 1, 10), "web", D("12.7500"), D("0.0000"), D("12.7500")),
        (date(2011, 1, 11), "web", D("25.5000"), D("0.0000"), D("25.5000")),
    )
    found = sales.sales_over_time(cursor, selection("2011-01-03", "2011-01-11"))
    assert_frame_equal(found, expected)


def test_long_periods_come_by_week_and_by_month(cursor: Any, selection: Days) -> None:
    names = ("order_count", "active_customers")
    by_week = sales.over_time(cursor, selection("2011-01-01", "2011-03-07"), names)
    by_month = sales.over_time(cursor, selection("2011-01-01", "2011-12-31"), names)
    weeks = by_week.to_numpy().tolist()
    assert weeks[:4] == [
        [date(2010, 12, 27), 0, 0],
        [date(2011, 1, 3), 3, 2],
        [date(2011, 1, 10), 3, 2],
        [date(2011, 1, 17), 0, 0],
    ]
    assert (len(weeks), list(by_month["order_count"])) == (11, [6] + [0] * 11)


def test_top_products_are_by_net_without_services_or_what_was_given_back(
    cursor: Any, selection: Days
) -> None:
    columns = "sku description item_quantity gross_revenue cancelled_amount net_revenue"
    tea = ("A1", "TEA TOWEL", 32, D("400.0000"), D("0.0000"), D("400.0000"))
    lantern = ("B2", "LANTERN", 4, D("400.0000"), D("-100.0000"), D("300.0000"))
    mug = ("C3", "MUG", 9, D("38.2500"), D("0.0000"), D("38.2500"))
    every = selection("2011-01-03", "2011-01-11")
    assert_frame_equal(sales.top_products(cursor, every), frame(columns, tea, lantern, mug))
    assert_frame_equal(sales.top_products(cursor, every, limit=1), frame(columns, tea))
    back = sales.top_products(cursor, selection("2011-01-05", "2011-01-05", "United Kingdom"))
    assert_frame_equal(back, frame(columns))


def test_countries_are_by_net_with_their_orders(cursor: Any, selection: Days) -> None:
    columns = "country order_count gross_revenue cancelled_amount net_revenue"
    kingdom = ("United Kingdom", 4, D("792.7550"), D("-100.0000"), D("692.7550"))
    france = ("France", 1, D("25.5000"), D("0.0000"), D("25.5000"))
    germany = ("Germany", 1, D("25.0000"), D("0.0000"), D("25.0000"))
    every = ("2011-01-03", "2011-01-11")
    assert_frame_equal(
        sales.sales_by_country(cursor, selection(*every)), frame(columns, kingdom, france, germany)
    )
    assert_frame_equal(
        sales.sales_by_country(cursor, selection(*every, "Germany")), frame(columns, germany)
    )


def test_a_value_is_never_read_as_sql(cursor: Any, selection: Days) -> None:
    hostile = selection("2011-01-03", "2011-01-11", "x') or true or ('a' = 'a")
    assert list(sales.values_of(cursor, hostile, KPIS).values()) == [0, 0, 0, 0, None, 0]
