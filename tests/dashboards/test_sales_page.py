"""The callbacks of Sales as plain functions: figures and the messages."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboards.pages.sales.page import figures_for

Words = Callable[[Any], str]
PARTS = (
    "notice",
    "hide_body",
    "problem",
    "hide_figures",
    "scope",
    "kpis",
    "note",
    "figure",
    "table",
    "products",
    "countries",
)


def figures(shop: Any, search: str = "") -> dict[str, Any]:
    return dict(zip(PARTS, figures_for(shop.gold, search), strict=True))


def test_cards_show_the_exact_totals(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    shown = figures(shop)
    assert [words_of(card) for card in shown["kpis"]] == [
        "Net revenue £743 .26 gross less cancelled",
        "Gross revenue £843 .26 all sale lines",
        "Cancelled −£100 .00 11.9% of gross",
        "Orders 6 with a sale line",
        "Average order value £140 .54 gross per order",
        "Customers 3 known, with a sale line",
    ]
    assert shown["scope"] == "3 Jan 2011 – 11 Jan 2011 · all countries"
    assert (shown["hide_body"], shown["hide_figures"]) == (False, False)


def test_cards_compare_with_the_period_before_where_it_is_whole(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    shown = figures(shop, "?from=2011-01-10&to=2011-01-11")
    assert shown["scope"].endswith("all countries · compared with 8 Jan 2011 – 9 Jan 2011")
    week = figures(shop, "?from=2011-01-08&to=2011-01-11")
    gross = words_of(week["kpis"][1])
    assert gross == "Gross revenue £288 .25 ▼ down 32.2% all sale lines"
    cancelled = words_of(week["kpis"][2])
    assert cancelled == "Cancelled £0 .00 ▼ down 100.0% 0.0% of gross"
    assert "delta-good" in str(week["kpis"][2])
    assert "delta-bad" in str(week["kpis"][1])


def test_a_country_narrows_every_part(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    shown = figures(shop, "?country=Germany")
    assert words_of(shown["kpis"][0]).startswith("Net revenue £25 .00")
    assert words_of(shown["products"]).endswith("TEA TOWEL £25 A1 · 2 sold")
    assert words_of(shown["countries"]).endswith("Germany £25 100.0% · 1 order")
    assert words_of(shown["table"]) == (
        "Day Source Gross Cancelled Net Wed 5 Jan 2011 ERP invoices £25.00 £0.00 £25.00"
    )
    assert shown["scope"] == "3 Jan 2011 – 11 Jan 2011 · Germany"


def test_a_dominant_market_stands_apart_so_that_the_rest_can_be_read(
    shop: Any, words_of: Words
) -> None:
    shop.publish("run-1")
    text = words_of(figures(shop)["countries"])
    assert "United Kingdom £693 Largest market: 93.2% of net revenue; 2 others" in text
    assert "France £26 3.4% · 1 order Germany £25 3.4% · 1 order" in text


def test_markets_of_like_size_share_one_scale(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    two = words_of(figures(shop, "?country=Germany&country=France")["countries"])
    assert two.endswith("share. France £26 50.5% · 1 order Germany £25 49.5% · 1 order")


def test_countries_beyond_the_list_are_summed_up(shop: Any, words_of: Words) -> None:
    def line(number: int, country: str, price: str) -> tuple[Any, ...]:
        day = "2011-01-03"
        return ("erp", str(number), "sale", "A1", "TEA", str(number), country, day, 1, price)

    lines = [line(0, "United Kingdom", "1000")]
    lines += [line(number, f"Land {number:02}", "10") for number in range(1, 12)]
    shop.publish("run-1", lines=lines)
    assert words_of(figures(shop)["countries"]).endswith("and 3 more £30")


@pytest.mark.parametrize(
    ("search", "text"),
    [
        ("?from=2011-01-11&to=2011-01-03", "The period ends before it starts"),
        ("?from=1066-10-14&to=1066-10-15", "There is no data in that period"),
        ("?country=<script>alert(1)</script>", "no sales for the country"),
        ("?from=7&to=8", "two dates such as"),
        ("?from=2011-01-03", "two dates such as"),
        ("?period=8", "That period is not offered"),
        ("?from=2011-01-07&to=2011-01-08", "There are no sales in these countries"),
    ],
)
def test_filters_that_fit_nothing_are_answered_in_words(
    shop: Any, words_of: Words, search: str, text: str
) -> None:
    shop.publish("run-1")
    shown = figures(shop, search)
    assert text in words_of(shown["problem"])
    assert (shown["hide_body"], shown["hide_figures"]) == (False, True)


def test_gold_without_sales_says_so(shop: Any, words_of: Words) -> None:
    shop.publish("run-1", lines=())
    shown = figures(shop)
    assert "No sales yet" in words_of(shown["notice"])
    assert shown["hide_body"] is True
