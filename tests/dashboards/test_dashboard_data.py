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
        date(2011, 1, 3), date(2011, 1, 11), ("United Kingdom", "France", "Germany")
    )


def test_an_outlying_day_is_counted_and_moves_no_period(shop: Any) -> None:
    line = ("erp", "1", "sale", "A1", "TEA TOWEL", "10", "Spain", "2011-01-11", 1, "2.5000")
    shop.publish("run-1", lines=(line, (*line[:7], "2091-01-11", *line[8:])))
    with shop.gold.reader() as reader:
        found = sales.extent(reader.cursor)
    assert found == Extent(date(2011, 1, 11), date(2011, 1, 11), ("Spain",), outlier_count=1)


def test_an_empty_shop_has_no_extent(shop: Any) -> None:
    shop.publish("run-1", lines=())
    with shop.gold.reader() as reader:
        assert sales.extent(reader.cursor) is None


def test_totals_are_exact_and_orders_and_customers_distinct(cursor: Any, selection: Days) -> None:
    assert sales.totals(cursor, selection("2011-01-03", "2011-01-11")) == sales.Totals(
        D("843.2550"), D("-100.0000"), D("743.2550"), 6, 3
    )


def test_customers_are_distinct_over_the_period_not_summed_over_days(
    cursor: Any, selection: Days
) -> None:
    days = ("2011-01-03", "2011-01-10")
    by_day = [sales.totals(cursor, selection(day, day)).customer_count for day in days]
    both = sales.totals(cursor, selection(*days, "United Kingdom"))
    assert (by_day, both.customer_count) == ([1, 1], 1)


def test_a_credit_note_is_no_order(cursor: Any, selection: Days) -> None:
    day = sales.totals(cursor, selection("2011-01-05", "2011-01-05", "United Kingdom"))
    assert day == sales.Totals(D("0.0000"), D("-100.0000"), D("-100.0000"), 0, 0)
    assert day.average_order_value is None


def test_the_average_order_value_is_gross_by_orders(cursor: Any, selection: Days) -> None:
    totals = sales.totals(cursor, selection("2011-01-03", "2011-01-11"))
    assert totals.average_order_value == D("843.2550") / 6


def test_equal_order_numbers_of_two_sources_are_two_orders(shop: Any, selection: Days) -> None:
    line = ("sale", "A1", "TEA TOWEL", "10", "United Kingdom", "2011-01-03", 1, "1.0000")
    shop.publish("run-1", lines=(("erp", "1", *line), ("web", "1", *line)))
    with shop.gold.reader() as reader:
        assert sales.totals(reader.cursor, selection("2011-01-03", "2011-01-03")).order_count == 2


def test_sales_over_time_keep_every_penny_by_source(cursor: Any, selection: Days) -> None:
    expected = frame(
        "bucket_date source_system gross_amount cancelled_amount net_amount",
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
    columns = "bucket_date order_count customer_count"
    by_week = sales.activity_over_time(cursor, selection("2010-12-01", "2011-03-01"))
    by_month = sales.activity_over_time(cursor, selection("2010-01-01", "2011-12-31"))
    assert_frame_equal(by_week, frame(columns, (date(2011, 1, 3), 3, 2), (date(2011, 1, 10), 3, 2)))
    assert_frame_equal(by_month, frame(columns, (date(2011, 1, 1), 6, 3)))


def test_top_products_are_by_net_without_services_or_what_was_given_back(
    cursor: Any, selection: Days
) -> None:
    columns = "sku description item_quantity gross_amount cancelled_amount net_amount"
    tea = ("A1", "TEA TOWEL", 32, D("400.0000"), D("0.0000"), D("400.0000"))
    lantern = ("B2", "LANTERN", 4, D("400.0000"), D("-100.0000"), D("300.0000"))
    mug = ("C3", "MUG", 9, D("38.2500"), D("0.0000"), D("38.2500"))
    every = selection("2011-01-03", "2011-01-11")
    assert_frame_equal(sales.top_products(cursor, every), frame(columns, tea, lantern, mug))
    assert_frame_equal(sales.top_products(cursor, every, limit=1), frame(columns, tea))
    back = sales.top_products(cursor, selection("2011-01-05", "2011-01-05", "United Kingdom"))
    assert_frame_equal(back, frame(columns))


def test_countries_are_by_net_with_their_orders(cursor: Any, selection: Days) -> None:
    columns = "country order_count gross_amount cancelled_amount net_amount"
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
    assert sales.totals(cursor, hostile) == sales.Totals(D(0), D(0), D(0), 0, 0)
