"""Real SMTP servers (aiosmtpd) that keep what they accept, each with one fault if wanted.

In: the fault. Out: a port and the mails that the server has taken as its own.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Fault = Literal[
    *("none", "greylisted", "unknown_user", "sender_refused", "full", "spam", "too_slow", "slow"),
    *("dies_after_data", "keeps_and_dies", "dies_at_rcpt", "refuses_starttls", "busy"),
]


def small_mail(subject: str) -> EmailMessage:
    """A finished mail; the same subject gives the same bytes."""
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"], mail["To"] = "Shop <shop@shop.example>", "jo@reader.example"
    mail["Subject"], mail["Message-ID"] = subject, f"<{subject}@shop.example>"
    mail.set_content("hello")
    return mail


@dataclass
class Sink:
    """What a server did. `mails` are those that it answered for, or kept without an answer."""

    fault: Fault = "none"
    mails: list[bytes] = field(default_factory=list)
    dialogues: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.fault == "sender_refused":
            return "550 5.7.1 who are you"
        if self.fault == "busy":
            return "421 4.3.2 closing down"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.dialogues.append(address)
        if self.fault == "greylisted":
            return "450 4.2.0 greylisted"
        if self.fault == "unknown_user":
            return "550 5.1.1 no such user"
        if self.fault == "dies_at_rcpt":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.fault == "full":
            return "452 4.3.1 no space"
        if self.fault == "spam":
            return "554 5.7.1 looks like spam"
        if self.fault == "dies_after_data":
            server.transport.abort()
            return "250 never seen"
        if self.fault == "too_slow":
            await asyncio.sleep(30)
        if self.fault == "slow":
            await asyncio.sleep(0.3)
        self.mails.append(bytes(envelope.original_content or b""))
        if self.fault == "keeps_and_dies":
            server.transport.abort()
        return "250 2.0.0 taken"


class _Refusing(SMTP):
    """Offers STARTTLS and then does not do it."""

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        await self.push("250-sink")
        await self.push("250 STARTTLS")
        self.session.host_name = hostname
        self.session.extended_smtp = True

    async def smtp_STARTTLS(self, _argument: str) -> None:  # noqa: N802
        await self.push("454 4.7.0 TLS not available")


@contextmanager
def mail_server_with(
    fault: Fault = "none", *, tls: ssl.SSLContext | None = None, **options: Any
) -> Iterator[Sink]:
    """A server on a free loopback port while the block lasts; `tls` makes it want STARTTLS."""
    sink = Sink(fault)

    class _Controller(Controller):
        def factory(self) -> SMTP:
            kind = _Refusing if fault == "refuses_starttls" else SMTP
            return kind(self.handler, **self.SMTP_kwargs)

        def _trigger_server(self) -> None:
            self.port = sink.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()

    controller = _Controller(
        sink, hostname="127.0.0.1", port=0, tls_context=tls, require_starttls=bool(tls), **options
    )
    controller.start()
    try:
        yield sink
    finally:
        controller.stop(no_assert=True)
