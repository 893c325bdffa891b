"""What was sent, as the screens show it: without the addresses of the readers.

In: the outbox. Out: its rows, and a mail's page with its pictures inside.
"""

import email
import email.policy
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from urllib.parse import quote

from lakehouse.pointer import parse_time
from lakehouse.settings import Settings
from reports.outbox import Entry, is_there, open_outbox

MOST = 200
_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Sent:
    """A row of the archive; `name` leads to its page."""

    report: str
    period: str
    reader: str
    state: str
    attempts: int
    changed_at: datetime | None
    detail: str
    gold_run: str
    name: str


def rows(settings: Settings) -> list[Sent]:
    """The newest `MOST` mails; none where nothing was ever sent."""
    if not is_there(settings):
        return []
    with open_outbox(settings) as outbox:
        return [_sent(each) for each in outbox.entries(most=MOST)]


def page_of(name: str, *, settings: Settings) -> str | None:
    """The HTML of a mail, its pictures in it and its reader's address left out; else its text."""
    if not _NAME.fullmatch(name) or not is_there(settings):
        return None
    path = settings.mail_dir / "messages" / name[:2] / f"{name}.eml"
    if not path.is_file():
        return None
    found = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return _without_reader(html_of(found), found)


def html_of(mail: EmailMessage) -> str:
    """The HTML part with its pictures in it; a mail of text alone as a page."""
    part = mail.get_body(("html", "plain"))
    text = str(part.get_content()) if part else ""
    if part is None or part.get_content_subtype() == "plain":
        from html import escape

        return f"<!doctype html><meta charset='utf-8'><title>Mail</title><pre>{escape(text)}</pre>"
    for each in mail.walk():
        if (cid := each.get("Content-ID")) and each.get_content_maintype() == "image":
            data = b64encode(each.get_content()).decode()
            link = f"data:{each.get_content_type()};base64,{data}"
            text = text.replace(f"cid:{str(cid).strip('<> ')}", link)
    return text


def masked(address: str) -> str:
    """j…@shop.example: enough to tell readers apart for who knows them."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def _sent(entry: Entry) -> Sent:
    return Sent(
        entry.key.report,
        entry.key.period,
        masked(entry.key.recipient),
        entry.state,
        entry.attempts,
        parse_time(entry.changed_at),
        entry.detail.replace(entry.key.recipient, masked(entry.key.recipient)),
        entry.gold_run,
        entry.file.stem,
    )


def _without_reader(html: str, mail: EmailMessage) -> str:
    for each in mail["To"].addresses if mail["To"] else ():
        for text in (quote(each.addr_spec, safe=""), quote(each.addr_spec), each.addr_spec):
            html = html.replace(text, masked(each.addr_spec))
    return html
