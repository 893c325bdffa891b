"""The page Alerts: what is open with who is behind it, what is over, and texts that stay texts."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from dashboards.pages.alerts.page import body
from dashboards.queries.alerts import read_alerts
from reports.alerts.actions import acknowledge
from reports.alerts.store import store_path
from reports.alerts.watch import check_now
from tests.reports.alerts.shop import day
from tests.reports.alerts.test_watch import BAD, NOW, report, served

Words = Callable[[Any], str]


def test_before_the_first_check_the_page_says_so_and_makes_no_file(
    tmp_path: Path, words_of: Words
) -> None:
    settings = served(tmp_path)
    assert words_of(body(read_alerts(settings))).endswith("./lake alerts check")
    assert not store_path(settings).exists()


def test_an_open_alert_names_value_expectation_and_who_is_behind_it(
    tmp_path: Path, words_of: Words
) -> None:
    settings = served(tmp_path)
    check_now(settings, now=NOW)
    text = words_of(body(read_alerts(settings)))
    when = f"{day(BAD):%a %-d %b %Y}"
    assert text.startswith(
        "Open alerts 1 open A trouble is told once, and stays here until its figures are calm "
        f"again. #1 order count of {when}: 1, expected 10 (−90%) critical open m source erp: 1, "
        "before 10 country United <b>Kingdom: 0, before 7 country France: 1, before 3 "
        "product S2 TEA: 0, before 5 product =1+1 HEART {{x}}: 1, before 5 r "
        "Since 1 Apr 2012, 12:00 UTC, rule fell, owner sales, 0 messages. ./lake alerts ack 1"
    )
    acknowledge(settings, 1, by="Jo <i>", note="on it", now=NOW)
    text = words_of(body(read_alerts(settings)))
    assert "1 acknowledged" in text
    assert "Jo <i> takes care of it: on it" in text


def test_what_is_over_stands_in_the_history_with_its_end(tmp_path: Path, words_of: Words) -> None:
    settings = served(tmp_path)
    report(settings, quality=[{"rule": "b", "severity": "block", "success": False}])
    check_now(settings, now=NOW)
    report(settings, quality=[{"rule": "b", "severity": "block", "success": True}])
    check_now(settings, now=NOW + timedelta(hours=1))
    text = words_of(body(read_alerts(settings)))
    assert (
        "#2 red critical quality gate: 1 rules, limit 0 rules (b) 1 Apr 2012, 12:00 UTC "
        "1 Apr 2012, 13:00 UTC quality gate: 0 rules, limit 0 rules 0"
    ) in text
