"""The archive as the screens show it: each mail and its fate, no reader's address."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from dashboards.pages.reports.page import body
from lakehouse.settings import Settings
from reports import archive
from reports.mailer import Outcome
from reports.outbox import Key, open_outbox

KEY = Key("daily", "2011-12-09", "jo+x@shop.example")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "lake")


def queued(settings: Settings) -> str:
    mail = EmailMessage()
    mail["From"], mail["To"] = "shop@shop.example", KEY.recipient
    mail["Subject"], mail["Message-ID"] = "Daily report", "<1@x>"
    mail.set_content("text")
    link = "https://shop.example/?a=jo%2Bx%40shop.example"
    mail.add_alternative(f"<p>£1.00 <a href='{link}'>no more</a> {KEY.recipient}", subtype="html")
    with open_outbox(settings) as outbox:
        outbox.queue(KEY, mail, gold_run="r1")
        outbox.begin(KEY)
        outbox.finish(KEY, Outcome("refused", f"550 no {KEY.recipient} here"))
    return archive.rows(settings)[0].name


def test_rows_tell_what_became_of_a_mail_without_the_address(settings: Settings) -> None:
    assert archive.rows(settings) == []
    queued(settings)
    (row,) = archive.rows(settings)
    assert (
        row.report,
        row.period,
        row.reader,
        row.state,
        row.attempts,
        row.detail,
        row.gold_run,
    ) == (
        *("daily", "2011-12-09", "j…@shop.example", "refused", 1),
        *("550 no j…@shop.example here", "r1"),
    )
    assert KEY.recipient not in str(body([row]))
    assert f"/mail/{row.name}" in str(body([row]))


def test_a_mail_is_shown_without_the_address(settings: Settings) -> None:
    page = archive.page_of(queued(settings), settings=settings)
    assert page is not None
    assert "£1.00" in page
    assert "jo+x@shop.example" not in page
    assert "jo%2Bx%40shop.example" not in page


@pytest.mark.parametrize("name", ["0" * 64, "../outbox", "x", "A" * 64])
def test_another_name_shows_nothing(settings: Settings, name: str) -> None:
    queued(settings)
    assert archive.page_of(name, settings=settings) is None


def test_before_the_first_mail_the_page_says_which_command_sends_one(settings: Settings) -> None:
    assert "./lake report daily" in str(body(archive.rows(settings)))
