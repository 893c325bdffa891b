"""Alerts by mail: once to each owner, as text, through the outbox; on to others when ignored."""

from datetime import timedelta
from pathlib import Path

from lakehouse.settings import Settings
from reports.alerts.mail import REPORT
from reports.alerts.watch import check_now
from reports.outbox import open_outbox
from tests.mail_sink import mail_sink, text_of
from tests.reports.alerts.shop import day
from tests.reports.alerts.test_watch import BAD, NOW, RULES, served


def posted(tmp_path: Path, port: int) -> Settings:
    settings = served(
        tmp_path,
        alert_smtp=f"smtp://127.0.0.1:{port}",
        alert_to="jo@shop.example, al@shop.example",
        alert_escalate_to="boss@shop.example",
    )
    late = RULES.replace("[rules.red]", "escalate_after_minutes = 60\n[rules.red]")
    (tmp_path / "rules.toml").write_text(late, encoding="utf-8")
    return settings


def test_each_owner_gets_one_mail_of_text_with_value_expectation_and_contributors(
    tmp_path: Path,
) -> None:
    with mail_sink() as (port, mails):
        settings = posted(tmp_path, port)
        checked = check_now(settings, now=NOW)
        assert [each.state for each in checked.mails] == ["sent", "sent"]
        assert check_now(settings, now=NOW).mails == ()
        assert [each["To"] for each in mails] == ["jo@shop.example", "al@shop.example"]
        when = f"{day(BAD):%a %-d %b %Y}"
        assert mails[0]["Subject"] == (
            f"Cartlake: Alert: order count of {when}: 1, expected 10 (−90%)"
        )
        assert [part.get_content_type() for part in mails[0].walk()] == ["text/plain"]
        text = text_of(mails[0]).replace("\r\n", "\n")
        assert "- country United <b>Kingdom: 0, before 7\n" in text
        assert "- product =1+1 HEART {{x}}: 1, before 5\n" in text
        assert f"http://127.0.0.1:{settings.dashboard_port}/alerts" in text
        check_now(settings, now=NOW + timedelta(minutes=60))
        assert [(each["To"], each["Subject"].split(": ")[1]) for each in mails[2:]] == [
            ("boss@shop.example", "Still open")
        ]


def test_a_mail_server_that_is_down_keeps_nothing_from_being_seen_and_gets_it_later(
    tmp_path: Path,
) -> None:
    settings = posted(tmp_path, 1)
    checked = check_now(settings, now=NOW)
    assert [each.rule for each in checked.changes] == ["fell"]
    assert {each.state for each in checked.mails} == {"waiting"}
    with mail_sink() as (port, mails):
        back = settings.model_copy(update={"alert_smtp": f"smtp://127.0.0.1:{port}"})
        for _ in range(3):
            check_now(back, now=NOW)
        assert len(mails) == 2
    with open_outbox(settings) as outbox:
        assert {each.state for each in outbox.entries(report=REPORT)} == {"sent"}
