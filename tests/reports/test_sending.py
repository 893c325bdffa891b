"""A report from gold to its readers: once, whole, pinned, and never while something is red."""

import email
import email.policy
import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

import pytest

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.ledger import publishes
from lakehouse.settings import Settings
from pipelines.publishing.restatements import Restatement, record
from reports import charts as pictures
from reports import paper, sending
from reports.delivery import require_sent
from reports.health import Audited, Equation
from reports.outbox import Entry, open_outbox
from reports.sending import send_report
from tests.reports.mail_servers import Sink, mail_server_with
from tests.reports.small_shop import Line, serve_shop

FRIDAY = date(2011, 12, 9)
GREEN = Audited((Equation("R1", True, ""), Equation("R2", True, "")), 3)
RED = Audited((Equation("R1", True, ""), Equation("R5", False, "2.50 too much")), 0)
WEEKS: list[Line] = [
    (FRIDAY - timedelta(weeks=back), f"o{back}", "LAMP", f"c{back}", "France", 10, "1.50")
    for back in range(1, 5)
]
SHOP: list[Line] = [
    *WEEKS,
    (FRIDAY - timedelta(days=1), "o8", "LAMP", "c8", "Spain", 1, "99.99"),
    (FRIDAY, "o9", "LAMP", "c9", "France", 4, "2.50"),
    (FRIDAY, "o9", "BAG", "c9", "France", 1, "0.25"),
    (FRIDAY, "o10", "BAG", None, "Spain", -1, "0.25"),
]
READERS = """
owners = ["owner@shop.example"]
[[recipient]]
address = "Jo Roe <jo@reader.example>"
[[recipient]]
address = "Mo <mo@bücher.example>"
reports = ["daily"]
language = "de"
time_zone = "Asia/Tokyo"
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_server_with() as found:
        yield found


@pytest.fixture
def settings(tmp_path: Path, sink: Sink) -> Settings:
    found = Settings(
        home=tmp_path / "lake",
        alert_smtp=f"smtp://127.0.0.1:{sink.port}",
        alert_from="reports@shop.example",
        dashboard_url="https://figures.shop.example",
    )
    serve_shop(found, SHOP)
    (found.home / "recipients.toml").write_text(READERS, encoding="utf-8")
    return found


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave charts and PDF out where a test is not about them: they are most of a mail's time."""
    monkeypatch.setattr(sending, "charts", lambda *_: [])
    monkeypatch.setattr(paper, "pdf", lambda *_: b"%PDF-")


@pytest.fixture
def blank_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts where they belong, undrawn; drawing one takes longer than all else of a mail."""
    monkeypatch.setattr(pictures, "_draw", lambda *_, **__: b"\x89PNG\r\n\x1a\n" + bytes(1000))
    monkeypatch.setattr(paper, "pdf", lambda *_: b"%PDF-")


def daily(settings: Settings, audited: Audited = GREEN, day: date | None = None) -> list[Entry]:
    return send_report(settings, "daily", audit=lambda: audited, day=day)


def read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value,arg-type]


def text_of(raw: bytes) -> str:
    part = read(raw).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_every_reader_gets_one_mail_in_his_own_language_and_zone(
    settings: Settings, sink: Sink
) -> None:
    for _ in range(20):
        require_sent(daily(settings))
    english, german = sorted(sink.mails, key=lambda raw: b"Tagesbericht" in raw)
    assert sink.dialogues == ["jo@reader.example", "mo@xn--bcher-kva.example"]
    assert (
        "on Friday, 9 December 2011 was £10.00, 33.3% below a usual Friday (£15.00), from 1 order."
        in text_of(english)
    )
    assert (
        "am Freitag, 9. Dezember 2011: 10,00\xa0£, 33,3\xa0% unter einem üblichen Freitag"
        in text_of(german)
    )
    mail = read(english)
    assert str(mail["To"]) == "Jo Roe <jo@reader.example>"
    assert mail["List-Unsubscribe"] == "<mailto:reports@shop.example?subject=unsubscribe%20daily>"
    assert mail["Auto-Submitted"] == "auto-generated"
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds.count("image/png") == 4
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "daily-2011-12-09.xlsx",
        "daily-2011-12-09.pdf",
    ]
    html = mail.get_body(("html",))
    assert html is not None
    assert "https://figures.shop.example/data-health" in html.get_content()
    assert max(map(len, english.splitlines())) < 998
    english.decode("ascii")


@pytest.mark.usefixtures("no_pictures")
def test_nothing_is_sent_on_red_but_one_notice_to_the_owners(
    settings: Settings, sink: Sink
) -> None:
    for _ in range(3):
        with pytest.raises(CheckFailed, match=r"R5 of the reconciliation fails: 2\.50 too much"):
            daily(settings, RED)
    assert sink.dialogues == ["owner@shop.example"]
    notice = read(sink.mails[0])
    assert str(notice["Subject"]) == "Cartlake: daily report of 2011-12-09 held back"
    assert "R5 of the reconciliation fails" in text_of(sink.mails[0])
    assert [part.get_content_type() for part in notice.walk()] == ["text/plain"]
    require_sent(daily(settings))
    assert len(sink.mails) == 3


@pytest.mark.usefixtures("no_pictures")
def test_a_notice_that_could_not_be_sent_is_not_sent_after_the_report(
    settings: Settings, sink: Sink
) -> None:
    with mail_server_with("greylisted") as grey:
        one = settings.model_copy(update={"alert_smtp": f"smtp://127.0.0.1:{grey.port}"})
        with pytest.raises(CheckFailed):
            daily(one, RED)
    daily(settings)
    with pytest.raises(CheckFailed):
        daily(settings, RED, day=FRIDAY - timedelta(days=1))
    assert sink.dialogues.count("owner@shop.example") == 1
    assert "of 2011-12-08" in str(read(sink.mails[-1])["Subject"])


@pytest.mark.usefixtures("no_pictures")
def test_the_gate_of_a_later_run_keeps_mails_back(settings: Settings, sink: Sink) -> None:
    publishes.record("published", {"run_id": "gold-1"}, settings=settings)
    publishes.record("blocked", {"run_id": "r2", "rules": ["no.nulls"]}, settings=settings)
    with pytest.raises(CheckFailed, match=r"the quality gate blocked run r2 on no\.nulls"):
        daily(settings)
    publishes.record("published", {"run_id": "gold-1"}, settings=settings)
    daily(settings)
    assert len(sink.mails) == 3


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("stage", ["gold", "audit"])
def test_a_publish_that_failed_since_keeps_mails_back(
    settings: Settings, sink: Sink, stage: str
) -> None:
    settings.reports_dir.mkdir(parents=True)
    failed = {
        "run_id": "z1",
        "message": "a test fails",
        "stages": [{"name": stage, "status": "failed"}],
    }
    (settings.reports_dir / "run-z1.json").write_text(json.dumps(failed))
    ingest = {"run_id": "z2", "stages": [{"name": "ingest", "status": "done"}]}
    (settings.reports_dir / "run-z2.json").write_text(json.dumps(ingest))
    with pytest.raises(CheckFailed, match=f"run z1 failed at {stage}: a test fails"):
        daily(settings)
    assert sink.dialogues == ["owner@shop.example"]


@pytest.mark.usefixtures("no_pictures")
def test_what_waits_is_not_sent_on_red_either(settings: Settings) -> None:
    with mail_server_with("greylisted") as grey:
        one = settings.model_copy(update={"alert_smtp": f"smtp://127.0.0.1:{grey.port}"})
        assert {each.state for each in daily(one)} == {"waiting"}
    with mail_server_with() as healthy:
        other = settings.model_copy(update={"alert_smtp": f"smtp://127.0.0.1:{healthy.port}"})
        with pytest.raises(CheckFailed):
            daily(other, RED)
        assert healthy.dialogues == ["owner@shop.example"]


def test_a_mail_that_cannot_be_made_is_not_sent_in_part(
    settings: Settings, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("a secret of the inside")

    monkeypatch.setattr(sending, "charts", failing)
    with pytest.raises(ValueError, match="secret"):
        daily(settings)
    assert sink.dialogues == ["owner@shop.example"]
    assert "Why: ValueError." in text_of(sink.mails[0])
    with open_outbox(settings) as outbox:
        assert outbox.entries(report="daily") == []


@pytest.mark.usefixtures("no_pictures")
def test_a_restated_day_is_corrected_once_in_the_next_mail(settings: Settings, sink: Sink) -> None:
    daily(settings)
    monday = FRIDAY + timedelta(days=3)
    more: list[Line] = [*SHOP, (FRIDAY, "o11", "LATE", "c11", "Spain", 1, "5.00")]
    serve_shop(settings, [*more, (monday, "o12", "LAMP", "c1", "Spain", 1, "1.00")], run="2")
    publishes.record("published", {"run_id": "gold-2"}, settings=settings)
    changed = [Restatement(FRIDAY, "net_revenue", "GBP", Decimal(10), Decimal(15), "gold-2")]
    record(changed, settings=settings)
    daily(settings)
    announced = "Friday, 9 December 2011: Net revenue was reported as £10.00 and is £15.00."
    second = next(raw for raw in sink.mails[2:] if b"Daily report" in raw)
    assert announced in text_of(second)
    tuesday = monday + timedelta(days=1)
    serve_shop(
        settings,
        [
            *more,
            (monday, "o12", "LAMP", "c1", "Spain", 1, "1.00"),
            (tuesday, "o13", "LAMP", "c1", "Spain", 1, "1.00"),
        ],
        run="3",
    )
    daily(settings)
    third = next(raw for raw in sink.mails[4:] if b"Daily report" in raw)
    assert "was reported as" not in text_of(third)


@pytest.mark.usefixtures("blank_pictures")
@pytest.mark.parametrize(
    ("day", "sentence", "count"),
    [
        (date(2011, 12, 3), "3 December 2011: the shop has never had one on that weekday.", 4),
        (date(2011, 11, 11), "was £15.00; there is no earlier period to compare it with", 0),
    ],
)
def test_a_closed_day_and_the_first_day_are_told_as_such(
    settings: Settings, sink: Sink, day: date, sentence: str, count: int
) -> None:
    send_report(settings, "daily", audit=lambda: GREEN, day=day, to="jo@reader.example")
    assert sentence in text_of(sink.mails[0])
    kinds = [part.get_content_type() for part in read(sink.mails[0]).walk()]
    assert kinds.count("image/png") == count


@pytest.mark.parametrize("day", [date(1999, 1, 1), date(2011, 12, 10), date(2999, 1, 1)])
def test_a_day_that_gold_does_not_hold_is_refused(
    settings: Settings, sink: Sink, day: date
) -> None:
    with pytest.raises(LakeError, match="Gold holds nothing of"):
        daily(settings, day=day)
    assert sink.mails == []


def test_an_empty_shop_reports_nothing(settings: Settings, sink: Sink) -> None:
    serve_shop(settings, [], run="empty")
    with pytest.raises(LakeError, match="no order yet"):
        daily(settings)
    assert sink.mails == []
