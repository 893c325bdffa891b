"""The filter bar: what can be chosen, and what an address asks for."""

from datetime import date
from typing import Any

import pytest
from dash import no_update

from dashboards.filters import chosen, limits
from dashboards.periods import BadFilter, Extent, Selection

EXTENT = Extent(date(2011, 1, 3), date(2011, 12, 9), ("United Kingdom", "Réunion & Co"))


def test_it_offers_the_days_and_countries_of_gold(shop: Any) -> None:
    shop.publish("run-1")
    stored, first, last, countries = limits(shop.gold)
    assert stored == {
        "default": "all",
        "presets": {
            "7": ["2011-01-05", "2011-01-11"],
            **{key: ["2011-01-03", "2011-01-11"] for key in ("30", "90", "365", "all")},
        },
    }
    assert (first, last) == ("2011-01-03", "2011-01-11")
    assert countries == ["United Kingdom", "France", "Germany"]


def test_a_shop_without_sales_offers_nothing(shop: Any) -> None:
    shop.publish("run-1", lines=())
    assert limits(shop.gold) == [None, no_update, no_update, no_update]


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


def test_an_endless_address_is_refused() -> None:
    with pytest.raises(BadFilter, match="more filters than can be read"):
        chosen("?" + "country=x&" * 1_000, EXTENT)
