"""The inbox of this machine: it keeps what it takes, and shows it without letting it act."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.http import DIRECT
from lakehouse.settings import Settings
from reports.addresses import Address
from reports.delivery import require_server
from reports.inbox import kept, lifecycle
from reports.inbox.pages import answer
from reports.mailer import send
from tests.brokers import free_ports


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    port, page_port = free_ports(2)
    return Settings(home=tmp_path / "lake", mail_port=port, mail_page_port=page_port)


@pytest.fixture
def running(settings: Settings) -> Iterator[Settings]:
    lifecycle.start(settings)
    yield settings
    lifecycle.stop(settings)


def a_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "shop@shop.example", "Jo <jo@shop.example>"
    mail["Subject"] = "<script>alert(1)</script>"
    mail.set_content("text & more")
    mail.add_alternative("<p>page</p><img src='cid:one@x' alt='a'>", subtype="html")
    page = mail.get_body(("html",))
    assert isinstance(page, EmailMessage)
    page.add_related(b"\x89PNG", "image", "png", cid="<one@x>")
    mail.add_attachment(b"%PDF-x", "application", "pdf", filename="a'b.pdf")
    return mail


def test_a_mail_is_listed_and_shown_as_text_only(settings: Settings) -> None:
    assert b"No mail yet" in answer("/", settings=settings).body
    kept.keep(a_mail().as_bytes(), settings=settings)
    (found,) = kept.mails(settings)
    for path in ("/", f"/{found.name}"):
        shown = answer(path, settings=settings)
        assert b"<script>" not in shown.body
        assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in shown.body
        assert "default-src 'none'" in shown.headers()["Content-Security-Policy"]
    whole = answer(f"/{found.name}", settings=settings).body
    assert b"<iframe sandbox " in whole
    assert b"text &amp; more" in whole
    assert b"data:image/png;base64," in answer(f"/{found.name}/html", settings=settings).body
    attached = answer(f"/{found.name}/attachment/0", settings=settings)
    assert (attached.body, attached.disposition) == (b"%PDF-x", "attachment")


@pytest.mark.parametrize(
    "path", ["/../outbox.sqlite", "/x", "/20261128T000000000000-000000000000", "/%2e%2e/x"]
)
def test_nothing_else_is_served(settings: Settings, path: str) -> None:
    assert answer(path, settings=settings).status == 404


def test_the_oldest_mails_make_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    for number in range(4):
        kept.keep(f"Subject: {number}\r\n\r\nx\r\n".encode(), settings=settings)
    assert [each.header("Subject") for each in kept.mails(settings)] == ["3", "2"]


def test_while_it_runs_it_is_the_mail_server_and_shows_its_page(running: Settings) -> None:
    server = require_server(running)
    assert (server.host, server.port) == ("127.0.0.1", running.mail_port)
    reader = Address("jo@shop.example")
    sent = send(a_mail().as_bytes(), sender=reader, recipient=reader, server=server)
    assert sent.verdict == "sent"
    assert not lifecycle.start(running)
    with DIRECT.open(lifecycle.page_address(running), timeout=10) as page:
        assert b"&lt;script&gt;" in page.read()
    foreign = urllib.request.Request(  # noqa: S310 - a loopback address of our own
        lifecycle.page_address(running), headers={"Host": "evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError, match="421"):
        DIRECT.open(foreign, timeout=10)
    own = running.model_copy(update={"alert_smtp": "smtp://mail.example"})
    assert require_server(own).host == "mail.example"
    assert lifecycle.stop(running)
    assert not lifecycle.stop(running)
    assert [each.header("To") for each in kept.mails(running)] == ["Jo <jo@shop.example>"]


def test_a_taken_port_is_told_with_its_setting(settings: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", settings.mail_page_port)),
        pytest.raises(LakeError, match="LAKE_MAIL_PAGE_PORT"),
    ):
        lifecycle.start(settings)
