"""The Data health page for good, failed, thin and missing reports, as words in order."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboards.pages.data_health import cards as parts
from dashboards.pages.data_health.page import body
from dashboards.pages.data_health.restated_days import exact, restated_days
from dashboards.queries.last_run import parse_last_run, read_last_run
from lakehouse.contracts import REASONS

Words = Callable[[Any], str]


def test_before_the_first_run_the_page_says_which_command_makes_one(words_of: Words) -> None:
    text = words_of(body(None))
    assert "No run has left a report" in text
    assert text.endswith("./lake demo")


def test_a_good_run_is_shown_whole(shop: Any, words_of: Words) -> None:
    shop.report()
    run = read_last_run(shop.settings)
    assert run is not None
    assert words_of(parts.summary(run)) == (
        "Last run passed Finished 9 Nov 2026, 14:03 UTC Took 1 min 45 s CPU time 1 min 01 s "
        "Peak memory 3.0 GiB Run run-1 Command lake demo --once"
    )
    assert words_of(parts.reconciliation(run)).endswith(
        "holds R5 Money produced = accepted 1,234,567.8900 1,234,567.8900 0.0000"
    )
    assert words_of(parts.stages(run)).endswith(
        "ingest done 12 12 3.0 s – refine done 12 9 1 min 05 s –"
    )
    assert words_of(parts.versions(run)) == "Made with spark 4.2.0"


def test_failures_come_first_and_are_counted_by_severity(words_of: Words) -> None:
    rows = [
        {"table": "t", "rule": "fine", "success": True, "severity": "block"},
        {"table": "t", "rule": "odd", "success": False, "severity": "warn", "observed": "9 %"},
        {"table": "t", "rule": "bad", "success": False, "severity": "block", "detail": "row 7"},
    ]
    text = words_of(parts.quality(parse_last_run({"quality": rows})))
    assert text.startswith("Quality gate 1 blocking 1 warning 1 passed")
    assert text.endswith(
        "t bad blocks row 7 t odd warns 9 % Show 1 check that passed Table Rule Meaning t fine "
        "Every rule, with what it observed"
    )


def test_failing_equations_come_first(words_of: Words) -> None:
    rows = [
        {"equation": "R1", "verdict": "holds", "left": "1", "right": "1", "difference": "0"},
        {"equation": "R4", "verdict": "fails", "left": "10", "right": "9", "difference": "−1"},
    ]
    text = words_of(parts.reconciliation(parse_last_run({"reconciliation": rows})))
    assert "1 fails 1 hold " in text
    assert text.endswith("fails R4 10 9 −1 holds R1 1 1 0")


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.code)
def test_every_reason_is_shown_with_meaning_and_remedy(reason: Any, words_of: Words) -> None:
    run = parse_last_run({"quarantine": [{"reason": reason.code, "records": 1234}]})
    assert words_of(parts.quarantine(run)).endswith(
        f"{reason.code} 1,234 {reason.meaning} {reason.remedy}"
    )


def test_an_unknown_reason_is_still_counted(words_of: Words) -> None:
    run = parse_last_run({"quarantine": [{"reason": "new_one", "records": 1}]})
    text = words_of(parts.quarantine(run))
    assert "1 record " in text
    assert text.endswith("new_one 1 A reason unknown to this version.")


def test_restated_days_show_values_before_and_after_and_the_history(words_of: Words) -> None:
    row = {"kpi_date": "2011-12-05", "kpi": "net_revenue", "unit": "GBP", "run_id": "r"}
    rows = [
        {**row, "old_value": "58005.5300", "new_value": "58015.5300"},
        {**row, "kpi_date": "2011-12-06", "old_value": None, "new_value": "-1.5000"},
    ]
    counts = {"days": 2, "figures": 3, "all_days": 4, "all_figures": 1200}
    run = parse_last_run({"restatements": {**counts, "rows": rows}})
    text = words_of(restated_days(run))
    assert text.startswith("Restated days 2 days ")
    assert "5 Dec 2011 net revenue (GBP) 58,005.5300 58,015.5300 " in text
    assert "6 Dec 2011 net revenue (GBP) – −1.5000 The first 2 of 3." in text
    assert "All publishes together: 1,200 KPIs of 4 days. lake restatements lists them." in text


def test_a_run_that_restated_nothing_says_so_and_an_older_report_shows_no_card(
    words_of: Words,
) -> None:
    run = parse_last_run({"restatements": {"days": 0, "figures": 0, "rows": []}})
    assert "restate nothing published before." in words_of(restated_days(run))
    assert "0 days" in words_of(restated_days(run))
    assert restated_days(parse_last_run({})) is None


def test_a_report_that_lacks_everything_still_makes_a_page(words_of: Words) -> None:
    text = words_of(body(parse_last_run({})))
    assert text.startswith("Last run unknown Finished at an unknown time Took –")
    assert "The last run got to no reconciliation." in text
    assert "The last run got to no quality check." in text
    assert "the quarantine is empty" in text
    assert "The last run reported no stage." in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("9747747.9340", "9,747,747.9340"),
        ("-0.0100", "−0.0100"),
        ("0", "0"),
        ("", ""),
        ("run-7", "run-7"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
    ],
)
def test_a_restated_figure_keeps_every_decimal(text: str, shown: str) -> None:
    assert exact(text) == shown
