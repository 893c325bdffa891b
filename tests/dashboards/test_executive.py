"""The page Executive as plain functions: tiles, the sentence, who moved revenue, and notices."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dashboards import targets
from dashboards.filters import chosen
from dashboards.pages.executive.page import figures_for, tables_for
from dashboards.queries import executive
from dashboards.queries.sales import extent
from lakehouse.contracts.kpis import kpi
from lakehouse.errors import LakeError
from lakehouse.settings import Settings

Words = Callable[[Any], str]
PARTS = ["notice", "hide", "scope", "files", "sentence", "kpis", "figure", "table", "parts"]


def figures(shop: Any, search: str = "") -> dict[str, Any]:
    shown = [*figures_for(shop.gold, search), *tables_for(shop.gold, search)]
    return dict(zip(PARTS, shown, strict=True))


def overview_of(shop: Any, search: str) -> executive.Overview:
    with shop.gold.reader() as reader:
        held = extent(reader.cursor)
        return executive.read(reader.cursor, chosen(search, held), held)


def test_tiles_show_the_six_kpis_of_the_semantic_layer(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    shown = figures(shop)
    values = [words_of(card.children[1]) for card in shown["kpis"]]
    assert values == ["£743 .26", "6", "£140 .54", "25 .0%", "0 .0%", "11 .9%"]
    about = words_of(shown["kpis"][5].children[0])
    assert "Cancelled amount without its sign by gross revenue" in about
    assert "Owner sales Better less Measured in gold.fct_order_lines" in about
    assert "9 Nov 2026, 14:03 UTC, run run-1" in about
    assert "select sum(case when line_class = 'cancellation'" in about
    assert shown["scope"] == "3 Jan 2011 – 11 Jan 2011 · all countries"
    assert shown["hide"] is False


def test_the_sentence_names_the_largest_parts_of_the_change(shop: Any) -> None:
    shop.publish("run-1")
    assert figures(shop)["sentence"] == (
        "Net revenue was £743. The data holds no whole period to compare it with."
    )
    assert figures(shop, "?from=2011-01-08&to=2011-01-12")["sentence"] == (
        "Net revenue was £288, £37 (11.3%) less than 4 Jan 2011 – 7 Jan 2011: "
        "mostly United Kingdom (−£37), softened by France (+£26); of the products LANTERN (−£300), "
        "softened by TEA TOWEL (+£225). "
        "There were 3 orders after 2, worth £96 after £213 on average."
    )


def test_without_a_period_to_compare_with_the_largest_parts_come_first(shop: Any) -> None:
    shop.publish("run-1")
    overview = overview_of(shop, "?from=2011-01-05&to=2011-01-05&compare=year")
    assert overview.earlier is None
    assert [(part.key, part.now) for part in overview.parts["country"]] == [
        ("Germany", Decimal(25)),
        ("United Kingdom", Decimal(-100)),
    ]


def test_the_parts_of_a_change_add_up_to_it_in_every_dimension(shop: Any) -> None:
    shop.publish("run-1")
    overview = overview_of(shop, "?from=2011-01-08&to=2011-01-11")
    change = executive.known(overview.now, "net_revenue") - executive.known(
        overview.before, "net_revenue"
    )
    assert change
    for dimension in executive.DIMENSIONS:
        parts = overview.parts[dimension]
        assert sum(part.difference for part in parts) == change
        sizes = [abs(part.difference) for part in parts]
        assert sizes == sorted(sizes, reverse=True)


def test_a_country_and_a_product_narrow_the_page_and_lead_back(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    shown = figures(shop, "?country=Germany&product=A1")
    assert words_of(shown["kpis"][0].children[1]) == "£25 .00"
    assert "not known by country, product" in words_of(shown["kpis"][3])
    assert words_of(shown["notice"]) == "Product A1"
    assert shown["notice"][0].href == "/?from=2011-01-03&to=2011-01-11&country=Germany"


def test_rows_lead_on_to_a_country_a_product_and_a_day(shop: Any) -> None:
    shop.publish("run-1")
    shown = str(figures(shop)["parts"]) + str(figures(shop)["table"])
    days = "from=2011-01-03&to=2011-01-11"
    assert f"/?{days}&country=Germany" in shown
    assert f"/?{days}&product=B2" in shown
    assert "/?from=2011-01-05&to=2011-01-05" in shown
    assert f"/export/country.csv?{days}" in shown


def test_targets_are_of_a_day_for_amounts_and_as_they_are_for_rates(
    shop: Any, words_of: Words
) -> None:
    shop.publish("run-1")
    wanted = shop.settings.model_copy(update={"kpi_targets": "net_revenue=100,return_rate=0.1"})
    cards = figures(type(shop)(wanted))["kpis"]
    assert "target £900, 83% of it" in words_of(cards[0])
    assert "target 10.0%, 119% of it" in words_of(cards[5])
    assert targets.of_days(kpi("order_count"), Decimal(3), 7) == 21
    assert targets.of_days(kpi("average_order_value"), Decimal(3), 7) == 3


def test_a_target_of_no_kpi_is_named() -> None:
    with pytest.raises(LakeError, match="names 'profit', which is no KPI"):
        targets.targets(Settings(kpi_targets="profit=1"))
    with pytest.raises(LakeError, match="LAKE_KPI_TARGETS"):
        Settings(kpi_targets="net_revenue=lots")


@pytest.mark.parametrize(
    ("search", "text"),
    [
        ("?country=Atlantis", "no sales for the country"),
        ("?product=NONE", "Nothing was sold there"),
        ("?from=2011-01-07&to=2011-01-08", "Nothing was sold there"),
        ("?source=<script>", "nothing of the source"),
    ],
)
def test_filters_that_fit_nothing_are_answered_in_words(
    shop: Any, words_of: Words, search: str, text: str
) -> None:
    shop.publish("run-1")
    shown = figures(shop, search)
    assert text in words_of(shown["notice"])
    assert shown["hide"] is True


def test_gold_without_sales_says_so(shop: Any, words_of: Words) -> None:
    shop.publish("run-1", lines=())
    assert "No sales yet" in words_of(figures(shop)["notice"])
