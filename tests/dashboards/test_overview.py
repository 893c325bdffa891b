"""The Overview's callbacks as plain functions: filters, figures, and the messages."""

from collections.abc import Callable
from typing import Any

import pytest
from dash import no_update
from dash.exceptions import PreventUpdate

from dashboards.pages.overview.filters import values_for
from dashboards.pages.overview.page import figures_for

Words = Callable[[Any], str]
ALL_DAYS = ["2011-01-03", "2011-01-11"]
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
COUNTRIES = ["United Kingdom", "France", "Germany"]


def figures(shop: Any, *, days: Any = ALL_DAYS, countries: Any = None) -> dict[str, Any]:
    return dict(zip(PARTS, figures_for(shop.gold, days=days, countries=countries), strict=True))


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
    shown = figures(shop, days=["2011-01-10", "2011-01-11"])
    assert shown["scope"].endswith("all countries · compared with 8 Jan 2011 – 9 Jan 2011")
    week = figures(shop, days=["2011-01-08", "2011-01-11"])
    gross = words_of(week["kpis"][1])
    assert gross == "Gross revenue £288 .25 ▼ down 32.2% all sale lines"
    cancelled = words_of(week["kpis"][2])
    assert cancelled == "Cancelled £0 .00 ▼ down 100.0% 0.0% of gross"
    assert "delta-good" in str(week["kpis"][2])
    assert "delta-bad" in str(week["kpis"][1])


def test_a_country_narrows_every_part(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    shown = figures(shop, countries=["Germany"])
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
    two = words_of(figures(shop, countries=["Germany", "France"])["countries"])
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
    ("days", "countries", "text"),
    [
        (["2011-01-11", "2011-01-03"], [], "The period ends before it starts"),
        (["1066-10-14", "1066-10-15"], [], "There is no data in that period"),
        (["2011-01-03", "2011-01-11"], ["<script>alert(1)</script>"], "no sales for the country"),
        (["2011-01-03", "2011-01-11"], {"a": "b"}, "must be a list of names"),
        ([7, 8], [], "two dates such as"),
        (["2011-01-07", "2011-01-08"], [], "There are no sales in these countries"),
    ],
)
def test_filters_that_fit_nothing_are_answered_in_words_below_the_filters(
    shop: Any, words_of: Words, days: Any, countries: Any, text: str
) -> None:
    shop.publish("run-1")
    shown = figures(shop, days=days, countries=countries)
    assert text in words_of(shown["problem"])
    assert (shown["hide_body"], shown["hide_figures"]) == (False, True)


def test_gold_without_sales_says_so(shop: Any, words_of: Words) -> None:
    shop.publish("run-1", lines=())
    shown = figures(shop, days=None)
    assert "No sales yet" in words_of(shown["notice"])
    assert shown["hide_body"] is True


@pytest.mark.parametrize("days", [None, [], ["2011-01-03", None], [None, None]])
def test_a_range_half_chosen_changes_nothing(shop: Any, days: Any) -> None:
    shop.publish("run-1")
    with pytest.raises(PreventUpdate):
        figures_for(shop.gold, days=days, countries=[])
    with pytest.raises(PreventUpdate):
        values_for(shop.gold, preset="all", days=days, trigger="days")


def test_the_filters_start_with_all_days_and_the_countries_of_gold(shop: Any) -> None:
    shop.publish("run-1")
    assert values_for(shop.gold, preset="all", days=None, trigger=None) == [
        no_update,
        ALL_DAYS,
        *ALL_DAYS,
        COUNTRIES,
    ]


def test_a_preset_sets_the_days_and_follows_new_data(shop: Any) -> None:
    shop.publish("run-1")
    week = values_for(shop.gold, preset="7", days=ALL_DAYS, trigger="preset")
    later = ("erp", "99", "sale", "A1", "TEA", None, "Germany", "2011-01-20", 1, "1")
    shop.publish("run-2", lines=(later,))
    moved = values_for(shop.gold, preset="7", days=week[1], trigger="epoch")
    assert week[1] == ["2011-01-05", "2011-01-11"]
    assert moved[1] == ["2011-01-20", "2011-01-20"]


def test_days_of_ones_own_choice_clear_the_preset_and_stay(shop: Any) -> None:
    shop.publish("run-1")
    own = ["2011-01-04", "2011-01-05"]
    chosen = values_for(shop.gold, preset="all", days=own, trigger="days")
    kept = values_for(shop.gold, preset="", days=own, trigger="epoch")
    assert (chosen[0], chosen[1], kept[0], kept[1]) == ("", no_update, no_update, no_update)


def test_days_that_equal_a_preset_mark_it(shop: Any) -> None:
    shop.publish("run-1")
    assert values_for(shop.gold, preset="", days=ALL_DAYS, trigger="days")[0] == "all"
