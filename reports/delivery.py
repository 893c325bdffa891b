"""Sends what waits in the outbox: one sender at a time, one attempt for each mail.

In: the outbox and the mail server of the settings. Out: what became of each mail that was tried.
Run standalone: `lake report deliver`.
"""

from collections.abc import Sequence

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.locks import hold
from lakehouse.settings import Settings
from reports import mailer
from reports.addresses import parse_address
from reports.inbox.lifecycle import port_of_running
from reports.mailer import MailServer, Outcome
from reports.outbox import Entry, Outbox, open_outbox

LOCK = "mail"
WAIT_SECONDS = 900.0
"""How long a second sender waits for the first; then it finds everything sent."""


def require_server(settings: Settings) -> MailServer:
    """The server of the settings, else the inbox of this machine while it runs.

    Raises:
        LakeError: There is neither.
    """
    found = mailer.mail_server(settings)
    if found is None and (port := port_of_running(settings)) is not None:
        return MailServer("127.0.0.1", port, "none", settings.smtp_timeout)
    if found is None:
        raise LakeError(
            "No mail server is set. Set LAKE_ALERT_SMTP, or start one that only shows its mails "
            "with `lake mail start`; `--preview FILE` writes the report to a file."
        )
    return found


def deliver(
    settings: Settings, *, server: MailServer, reports: Sequence[str] | None = None
) -> list[Entry]:
    """One attempt for each waiting mail, the oldest first.

    Args:
        settings: Whose outbox.
        server: Where mails go out.
        reports: Only mails of these; all by default.

    Returns: each mail that was tried or whose fate was settled, as it stands now.

    Raises:
        LakeError: Another sender has held the outbox all the time, or it can't be used.
    """
    with hold(LOCK, settings=settings, wait_seconds=WAIT_SECONDS), open_outbox(settings) as outbox:
        settled = outbox.recover()
        tried = [
            each
            for each in reversed(outbox.entries("waiting"))
            if reports is None or each.key.report in reports
        ]
        for each in tried:
            _attempt(each, outbox, server=server)
        keys = [*settled, *(each.key for each in tried)]
        return [found for each in keys if (found := outbox.entry(each)) is not None]


def _attempt(entry: Entry, outbox: Outbox, *, server: MailServer) -> None:
    if not outbox.begin(entry.key):
        return
    try:
        mail = entry.mail()
    except OSError as error:
        outcome = Outcome("refused", f"its file {entry.file.name} can't be read ({error.strerror})")
    else:
        outcome = mailer.send(
            mail,
            sender=parse_address(entry.sender),
            recipient=parse_address(entry.key.recipient),
            server=server,
            on_end=lambda: outbox.ending(entry.key),
        )
    outbox.finish(entry.key, outcome)


def require_sent(entries: Sequence[Entry]) -> None:
    """Say what has not arrived for sure, each mail by name, and what to do.

    Raises:
        LakeError: A mail waits, and another run may well send it.
        CheckFailed: The fate of a mail is not known, or it will never arrive as it is.
    """
    said = {
        "waiting": "was not taken yet and waits in the outbox: the next run tries again",
        "refused": "was refused for good",
        "unknown": "may or may not have arrived: it is not sent again by itself, `lake report "
        "release` does that",
        "expired": "was given up",
    }
    found = {
        f"The {each.key.report} mail of {each.key.period} to {each.key.recipient} "
        f"{said[each.state]} ({each.detail}).": each.state
        for each in entries
        if each.state in said
    }
    if set(found.values()) == {"waiting"}:
        raise LakeError(" ".join(found))
    if found:
        raise CheckFailed(" ".join(found))
