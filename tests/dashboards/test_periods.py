"""Periods and filters: what a page may ask for, and the message when it may not."""

from datetime import date
from typing import Any

import pytest

from dashboards.periods import (
    PRESETS,
    BadFilter,
    Extent,
    Selection,
    buckets_cut,
    checked,
    preset_days,
)

EXTENT = Extent(date(2010, 12, 1), date(2011, 12, 9), ("United Kingdom", "Germany"))


def test_presets_end_with_the_datas_last_day_and_stay_within_it() -> None:
    days = {preset: preset_days(preset, EXTENT) for preset in PRESETS}
    assert days == {
        "7": (date(2011, 12, 3), date(2011, 12, 9)),
        "30": (date(2011, 11, 10), date(2011, 12, 9)),
        "90": (date(2011, 9, 11), date(2011, 12, 9)),
        "365": (date(2010, 12, 10), date(2011, 12, 9)),
        "all": (date(2010, 12, 1), date(2011, 12, 9)),
    }
    short = Extent(date(2011, 12, 8), date(2011, 12, 9), ())
    assert preset_days("30", short) == (date(2011, 12, 8), date(2011, 12, 9))


def test_the_period_before_has_equal_length_and_lies_wholly_in_the_data() -> None:
    week = Selection(date(2011, 12, 3), date(2011, 12, 9), ("Germany",))
    assert week.before(EXTENT) == Selection(date(2011, 11, 26), date(2011, 12, 2), ("Germany",))
    assert Selection(date(2010, 12, 4), date(2010, 12, 6)).before(EXTENT) == Selection(
        date(2010, 12, 1), date(2010, 12, 3)
    )
    assert Selection(date(2010, 12, 3), date(2010, 12, 5)).before(EXTENT) is None


def test_the_same_weekdays_before_and_the_year_before_are_periods_to_compare_with() -> None:
    ten = Selection(date(2011, 11, 30), date(2011, 12, 9), compare="weekdays")
    before = ten.before(EXTENT)
    assert before == Selection(date(2011, 11, 16), date(2011, 11, 25), compare="weekdays")
    assert (before.start.weekday(), before.day_count) == (ten.start.weekday(), ten.day_count)
    year = Selection(date(2011, 12, 1), date(2011, 12, 9), compare="year")
    assert year.before(EXTENT) == Selection(date(2010, 12, 1), date(2010, 12, 9), compare="year")
    leap = Extent(date(2011, 1, 1), date(2012, 3, 1), ())
    assert Selection(date(2012, 2, 29), date(2012, 2, 29), compare="year").before(
        leap
    ) == Selection(date(2011, 2, 28), date(2011, 2, 28), compare="year")


@pytest.mark.parametrize(
    ("start", "end", "grain"),
    [
        ("2011-10-09", "2011-12-09", "day"),
        ("2011-10-08", "2011-12-09", "week"),
        ("2011-03-15", "2011-12-09", "week"),
        ("2011-03-14", "2011-12-09", "month"),
    ],
)
def test_the_grain_follows_the_length(start: str, end: str, grain: str) -> None:
    assert Selection(date.fromisoformat(start), date.fromisoformat(end)).grain == grain


@pytest.mark.parametrize(
    ("start", "end", "cut"),
    [
        ("2011-01-01", "2011-12-09", (False, True)),
        ("2010-12-02", "2011-11-30", (True, False)),
        ("2011-08-01", "2011-12-04", (False, False)),
        ("2011-08-02", "2011-12-03", (True, True)),
        ("2011-12-02", "2011-12-03", (False, False)),
    ],
)
def test_a_bucket_that_is_not_whole_is_known(start: str, end: str, cut: tuple[bool, bool]) -> None:
    assert buckets_cut(Selection(date.fromisoformat(start), date.fromisoformat(end))) == cut


def test_days_outside_the_data_are_cut_off() -> None:
    assert checked(["0001-01-01", "9999-12-31"], None, EXTENT) == Selection(
        EXTENT.first_day, EXTENT.last_day
    )


def test_countries_are_kept_once_in_the_order_chosen() -> None:
    chosen = checked(["2011-12-01", "2011-12-02"], ["Germany", "Germany"], EXTENT)
    assert chosen.countries == ("Germany",)


@pytest.mark.parametrize(
    ("days", "countries", "message"),
    [
        (["2011-12-09", "2011-12-01"], [], "ends before it starts"),
        (["2012-01-01", "2012-02-01"], [], "gold holds 1 Dec 2010 – 9 Dec 2011"),
        (["2011-12-09"], [], "a first and a last day"),
        ("2011-12-09", [], "a first and a last day"),
        ({"a": 1, "b": 2}, [], "a first and a last day"),
        ([20111209, 20111210], [], "two dates such as"),
        (["yesterday", "2011-12-09"], [], "two dates such as"),
        (["2011-12-01' or 1=1 --", "2011-12-09"], [], "two dates such as"),
        (["2011-12-01", "2011-12-09"], ["Atlantis"], "no sales for the country 'Atlantis'"),
        (["2011-12-01", "2011-12-09"], ["x' or '1'='1"], "no sales for the country"),
        (["2011-12-01", "2011-12-09"], [["Germany"]], "a list of names"),
        (["2011-12-01", "2011-12-09"], "Germany", "a list of names"),
        (["2011-12-01", "2011-12-09"], ["Germany"] * 301, "a list of names"),
    ],
)
def test_odd_filters_are_answered_in_words(days: Any, countries: Any, message: str) -> None:
    with pytest.raises(BadFilter, match=message):
        checked(days, countries, EXTENT)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(BadFilter, match="not offered"):
        preset_days("10000000", EXTENT)
