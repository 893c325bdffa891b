"""Alerts by mail: a message goes into the outbox once, and from there to its reader once.

In: messages, the owners of the settings. Out: rows of the outbox, each sent as `reports.delivery`
sends any mail. A batch is a key of the outbox, so a check that is killed queues it once.
"""

from lakehouse.settings import Settings
from reports.addresses import Address, parse_address
from reports.alerts.messages import Message
from reports.alerts.webhook import Answer
from reports.compose import notice_mail
from reports.delivery import deliver
from reports.mailer import mail_server
from reports.outbox import Entry, Key, open_outbox
from reports.recipients import read_mailing

REPORT = "alerts"
"""What the outbox calls these mails."""


def first_readers(settings: Settings) -> list[Address]:
    """The owners of the mailing list; nobody where no mail server is set. Raises: LakeError."""
    return list(read_mailing(settings).owners) if settings.alert_smtp else []


def escalation_readers(settings: Settings) -> list[Address]:
    """Who is told when nobody acknowledges: of LAKE_ALERT_ESCALATE_TO, else the same as first."""
    if not settings.alert_smtp or not settings.alert_escalate_to:
        return first_readers(settings)
    texts = settings.alert_escalate_to.split(",")
    return [parse_address(each) for each in texts if each.strip()]


def queue(message: Message, reader: str, *, settings: Settings) -> Answer:
    """Put the message in line for one reader; the same batch again changes nothing."""
    key = Key(REPORT, message.batch, reader)
    sender = parse_address(settings.alert_from)
    subject = f"Cartlake: {message.title}"
    lines = message.text.split("\n\n")
    mail = notice_mail(key, subject, lines, sender=sender, recipient=parse_address(reader))
    with open_outbox(settings) as outbox:
        outbox.queue(key, mail)
    return Answer(True, True, "in the outbox")


def deliver_alerts(settings: Settings) -> list[Entry]:
    """One attempt for each mail of alerts that waits. Raises: LakeError of the settings or lock."""
    server = mail_server(settings)
    return [] if server is None else deliver(settings, server=server, reports=[REPORT])
