"""The filter bar: what can be chosen, and what an address asks for."""

from datetime import date
from typing import Any

import pytest
from dash import no_update

from dashboards.filters import address, chosen, limits
from dashboards.periods import BadFilter, Extent, Selection

EXTENT = Extent(
    *(date(2011, 1, 3), date(2011, 12, 9), ("United Kingdom", "Réunion & Co")),
    sources=("erp", "web"),
)


def test_it_offers_the_days_and_countries_of_gold(shop: Any) -> None:
    shop.publish("run-1")
    stored, first, last, countries, sources = limits(shop.gold)
    assert stored == {
        "default": "all",
        "comparison": "previous",
        "presets": {
            "7": ["2011-01-05", "2011-01-11"],
            **{key: ["2011-01-03", "2011-01-11"] for key in ("30", "90", "365", "all")},
        },
    }
    assert (first, last) == ("2011-01-03", "2011-01-11")
    assert countries == ["United Kingdom", "France", "Germany"]
    assert sources == [
        {"value": "erp", "label": "ERP invoices"},
        {"value": "web", "label": "Web shop"},
    ]


def test_a_shop_without_sales_offers_nothing(shop: Any) -> None:
    shop.publish("run-1", lines=())
    assert limits(shop.gold) == [None, *[no_update] * 4]


@pytest.mark.parametrize(
    ("search", "wanted"),
    [
        ("", Selection(date(2011, 1, 3), date(2011, 12, 9))),
        (None, Selection(date(2011, 1, 3), date(2011, 12, 9))),
        ("?other=1", Selection(date(2011, 1, 3), date(2011, 12, 9))),
        ("?period=7", Selection(date(2011, 12, 3), date(2011, 12, 9))),
        ("?from=2011-02-01&to=2011-02-02", Selection(date(2011, 2, 1), date(2011, 2, 2))),
        ("?period=7&from=2011-02-01&to=2011-02-02", Selection(date(2011, 2, 1), date(2011, 2, 2))),
        (
            "?country=R%C3%A9union+%26+Co&country=United%20Kingdom&period=7",
            Selection(date(2011, 12, 3), date(2011, 12, 9), ("Réunion & Co", "United Kingdom")),
        ),
    ],
)
def test_an_address_names_days_and_countries(search: str | None, wanted: Selection) -> None:
    assert chosen(search, EXTENT) == wanted


@pytest.mark.parametrize(
    "selection",
    [
        Selection(date(2011, 2, 1), date(2011, 2, 2)),
        Selection(
            *(date(2011, 2, 1), date(2011, 2, 2), ("Réunion & Co",), ("web",), ("A&=1", "é")),
            compare="weekdays",
        ),
    ],
)
def test_an_address_made_of_a_selection_gives_it_back(selection: Selection) -> None:
    assert chosen(address(selection), EXTENT) == selection


@pytest.mark.parametrize(
    ("search", "text"),
    [("?source=mail", "nothing of the source 'mail'"), ("?compare=never", "not offered")],
)
def test_what_is_not_offered_is_named(search: str, text: str) -> None:
    with pytest.raises(BadFilter, match=text):
        chosen(search, EXTENT)


def test_an_endless_address_is_refused() -> None:
    with pytest.raises(BadFilter, match="more filters than can be read"):
        chosen("?" + "country=x&" * 1_000, EXTENT)
