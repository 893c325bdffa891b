"""One mail to one mail server, and exactly what is known of it afterwards.

In: a finished mail, sender and recipient, the server of the settings. Out: an `Outcome`; no error
of a server or network is raised. RFC 5321: a server owns a mail once it has answered the end of the
data with 250. Before that end was written it can't have taken it; after it, without an answer,
nobody knows. `on_end` is called in between, so that a caller can put that on record first.
"""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from reports.addresses import Address

Verdict = Literal["sent", "refused", "later", "unknown"]
Encryption = Literal["none", "offered", "starttls", "tls"]

_LONGEST_DETAIL = 300
_DIALOGUES = 5
"""A whole dialogue may take so many times the time of one answer: a server that drips is cut."""


@dataclass(frozen=True)
class Outcome:
    """What is known after one attempt, and the server's words or what went wrong, on one line.

    sent: the server took it. refused: it never will. later: it has not, and may another time.
    unknown: the connection broke between the end of the mail and the answer.
    """

    verdict: Verdict
    detail: str


@dataclass(frozen=True)
class MailServer:
    """Where mails go out. A password never travels without TLS."""

    host: str
    port: int
    encryption: Encryption
    timeout: float
    user: str = ""
    password: str = ""
    ca_file: str | None = None


def mail_server(settings: Settings) -> MailServer | None:
    """The server of the settings; None where none is set.

    Raises:
        LakeError: The settings contradict each other.
    """
    if settings.alert_smtp is None:
        return None
    url = urlsplit(settings.alert_smtp)
    try:
        port = url.port or (465 if url.scheme == "smtps" else 25)
    except ValueError:
        raise LakeError("LAKE_ALERT_SMTP names a port that there is not: 1 to 65535.") from None
    user, wish = unquote(url.username or ""), settings.smtp_tls
    if wish == "off" and (user or url.scheme == "smtps"):
        raise LakeError(
            "LAKE_SMTP_TLS=off contradicts LAKE_ALERT_SMTP, which has a password or is smtps://: "
            "a password never travels without TLS. Leave one of the two out."
        )
    encryption: Encryption = "offered"
    if url.scheme == "smtps":
        encryption = "tls"
    elif user or wish == "required":
        encryption = "starttls"
    elif wish == "off":
        encryption = "none"
    return MailServer(
        url.hostname or "",
        port,
        encryption,
        settings.smtp_timeout,
        user,
        unquote(url.password or ""),
        None if settings.smtp_ca_file is None else str(settings.smtp_ca_file),
    )


def send(
    mail: bytes,
    *,
    sender: Address,
    recipient: Address,
    server: MailServer,
    on_end: Callable[[], None] = lambda: None,
) -> Outcome:
    """Hand one mail to the server.

    Args:
        mail: The whole mail, of ASCII lines.
        sender: Where failures come back to.
        recipient: Whom it goes to; one dialogue has one recipient.
        server: Where it goes out.
        on_end: Called when all but the end of the mail has been sent; the mail is still ours.
    """
    is_out = False
    try:
        with _session(server) as smtp:
            size = [f"size={len(mail)}"] if smtp.has_extn("size") else []
            _require(smtp.mail(sender.spec, size), 250)
            _require(smtp.rcpt(recipient.spec), 250, 251, 252)
            _require(smtp.docmd("DATA"), 354)
            smtp.send(_stuffed(mail))
            on_end()
            is_out = True
            smtp.send(b".\r\n")
            code, words = smtp.getreply()
            if code // 100 in (4, 5):
                raise _NotTaken(code, words)
            return Outcome("sent" if code // 100 == 2 else "unknown", _line(code, words))
    except smtplib.SMTPResponseException as error:
        return _answered(error)
    except ssl.SSLError as error:
        return Outcome("unknown" if is_out else "later", f"TLS failed: {_one_line(error)}")
    except (OSError, smtplib.SMTPException) as error:
        if is_out:
            return Outcome(
                "unknown", f"the connection broke after the end of the mail: {_one_line(error)}"
            )
        return Outcome("later", f"{server.host}:{server.port}: {_one_line(error)}")


class _NotTaken(smtplib.SMTPResponseException):
    """The server answered a step of the mail itself with no."""


def _answered(error: smtplib.SMTPResponseException) -> Outcome:
    """A refusal is for good only where it is of this mail: a wrong password can be corrected."""
    is_final = isinstance(error, _NotTaken) and error.smtp_code // 100 == 5
    return Outcome("refused" if is_final else "later", _line(error.smtp_code, error.smtp_error))


def _require(answer: tuple[int, bytes], *codes: int) -> None:
    if answer[0] not in codes:
        raise _NotTaken(*answer)


@contextlib.contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A greeted, encrypted and logged-in session, ended whatever happens."""
    context = ssl.create_default_context(cafile=server.ca_file)
    us = socket.gethostname()
    name = us if "." in us and us.isascii() else "[127.0.0.1]"
    smtp = (
        smtplib.SMTP_SSL(local_hostname=name, timeout=server.timeout, context=context)
        if server.encryption == "tls"
        else smtplib.SMTP(local_hostname=name, timeout=server.timeout)
    )
    smtp._host = server.host  # type: ignore[attr-defined] # the name TLS checks; connect() sets none
    watch = threading.Timer(server.timeout * _DIALOGUES, _cut, args=[smtp])
    watch.daemon = True
    try:
        code, words = smtp.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        watch.start()
        smtp.ehlo_or_helo_if_needed()
        if server.encryption == "starttls" or (
            server.encryption == "offered" and smtp.has_extn("starttls")
        ):
            code, words = smtp.starttls(context=context)
            if code != 220:
                raise smtplib.SMTPResponseException(code, words)
            smtp.ehlo_or_helo_if_needed()
        if server.user:
            smtp.login(server.user, server.password)
        yield smtp
        with contextlib.suppress(OSError, smtplib.SMTPException):
            smtp.quit()
    finally:
        watch.cancel()
        smtp.close()


def _cut(smtp: smtplib.SMTP) -> None:
    """End a dialogue from beside it: whoever waits for an answer finds the connection broken."""
    if smtp.sock is not None:
        with contextlib.suppress(OSError):
            smtp.sock.shutdown(socket.SHUT_RDWR)


def _stuffed(mail: bytes) -> bytes:
    """As DATA takes it: lines end in CR LF, none begins with a single dot (RFC 5321 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", mail)
    dotted = re.sub(rb"(?m)^\.", b"..", lines)
    return dotted if dotted.endswith(b"\r\n") else dotted + b"\r\n"


def _line(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return _one_line(f"{code} {text}")


def _one_line(value: object) -> str:
    text = " ".join(str(value).split()) or type(value).__name__
    return "".join(each for each in text if each.isprintable())[:_LONGEST_DETAIL]
