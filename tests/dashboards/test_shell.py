"""The "as of" line above every page."""

from collections.abc import Callable
from typing import Any

from dashboards.shell import as_of

Words = Callable[[Any], str]


def test_it_names_the_version_and_how_far_the_data_goes(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    shop.report()
    assert words_of(as_of(shop.gold)) == (
        "As of 9 Nov 2026, 14:03 UTC run run-1 data to 11 Jan 2011"
    )


def test_it_says_that_periods_leave_a_mistyped_year_out(shop: Any, words_of: Words) -> None:
    line = ("erp", "1", "sale", "A1", "TEA TOWEL", "10", "Spain", "2011-01-11", 1, "2.5000")
    shop.publish("run-1", lines=(line, (*line[:7], "2091-01-11", *line[8:])))
    assert words_of(as_of(shop.gold)).endswith(
        "data to 11 Jan 2011 orders on 1 day far from all others left out of all periods"
    )


def test_a_failed_run_is_named_with_the_version_that_stays(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    shop.report(run_id="run-2", verdict="failed", message="The gate found 1 failure.")
    line = as_of(shop.gold)
    assert words_of(line) == (
        "The last run failed, 9 Nov 2026, 14:03 UTC. The figures stay those of run run-1, "
        "published 9 Nov 2026, 14:03 UTC. The gate found 1 failure. See data health"
    )
    assert line.role == "alert"


def test_a_first_run_that_failed_says_that_nothing_was_published(
    shop: Any, words_of: Words
) -> None:
    shop.report(verdict="failed", message="Java is missing.")
    assert "Nothing was published. Java is missing." in words_of(as_of(shop.gold))


def test_before_anything_was_published_there_is_no_line(shop: Any) -> None:
    assert as_of(shop.gold) is None
