"""Sends what is due: each batch of notices to its target, again later where it was not taken.

In: the store, the settings. Out: batches sent, put off or given up, as the store records them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lakehouse.settings import Settings
from reports.alerts import mail
from reports.alerts.check import Targets
from reports.alerts.messages import Message, message_of
from reports.alerts.store import Store
from reports.alerts.webhook import Answer, post

PAUSES = (1, 5, 15, 60, 240, 480, 720)
"""Minutes after the first, second … attempt; after the last one a batch is given up."""

Channel = Callable[[Message, str], Answer]


@dataclass(frozen=True)
class Sent:
    """How many batches were taken, will be tried again, or were given up."""

    taken: int = 0
    later: int = 0
    given_up: int = 0


def targets_of(settings: Settings) -> Targets:
    """Whom the settings tell, and whom when nobody acknowledges. Raises: LakeError."""
    web = []
    if settings.alert_webhook and settings.alert_webhook_key:
        web.append(("webhook", settings.alert_webhook))
    first = [("mail", each.spec) for each in mail.first_readers(settings)]
    escalation = [("mail", each.spec) for each in mail.escalation_readers(settings)]
    return Targets((*web, *first), (*web, *escalation))


def channels_of(settings: Settings, *, now: datetime) -> dict[str, Channel]:
    """How each kind of target is told."""
    key = settings.alert_webhook_key or ""
    return {
        "webhook": lambda message, url: post(message, url, key=key, now=now),
        "mail": lambda message, reader: mail.queue(message, reader, settings=settings),
    }


def send_due(
    store: Store, *, channels: Mapping[str, Channel], settings: Settings, now: datetime
) -> Sent:
    """One attempt for each batch that is due."""
    taken = later = given_up = 0
    for batch, notices in store.due_batches(now).items():
        known = [(each, store.incident(each.incident)) for each in notices]
        message = message_of([(n, i) for n, i in known if i is not None], settings=settings)
        channel = channels.get(notices[0].channel)
        answer = (
            channel(message, notices[0].target)
            if channel
            else Answer(False, False, "the settings no longer name this channel")
        )
        attempts = notices[0].attempts + 1
        with store.transaction():
            if answer.is_taken:
                store.set_sent(batch, now=now)
                taken += 1
            elif answer.is_final or attempts > len(PAUSES):
                store.set_failed(batch, error=answer.detail, again_at=None)
                given_up += 1
            else:
                again_at = now + timedelta(minutes=PAUSES[attempts - 1])
                store.set_failed(batch, error=answer.detail, again_at=again_at)
                later += 1
    return Sent(taken, later, given_up)
