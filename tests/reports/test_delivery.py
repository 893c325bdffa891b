"""Sending what waits: once, whatever a server, a kill or a second sender does."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.settings import Settings
from reports import delivery
from reports.delivery import deliver, require_sent
from reports.mailer import MailServer
from reports.outbox import Key, Outbox, open_outbox
from tests.reports.mail_servers import Fault, Sink, mail_server_with, small_mail

KEY = Key("daily", "2011-12-09", "jo@reader.example")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(home=tmp_path / "lake")
    with open_outbox(found) as outbox:
        outbox.queue(KEY, small_mail("one"))
    return found


def server(sink: Sink) -> MailServer:
    return MailServer("127.0.0.1", sink.port, "offered", 5.0)


def states(settings: Settings) -> list[str]:
    with open_outbox(settings) as outbox:
        return [each.state for each in outbox.entries()]


@pytest.mark.parametrize(
    ("fault", "state", "kept", "error"),
    [
        ("none", "sent", 1, None),
        ("greylisted", "waiting", 0, LakeError),
        ("full", "waiting", 0, LakeError),
        ("refuses_starttls", "waiting", 0, LakeError),
        ("spam", "refused", 0, CheckFailed),
        ("dies_after_data", "unknown", 0, CheckFailed),
        ("keeps_and_dies", "unknown", 1, CheckFailed),
    ],
)
def test_a_mail_is_sent_once_in_the_end_or_it_is_said(
    settings: Settings, fault: Fault, state: str, kept: int, error: type[LakeError] | None
) -> None:
    with mail_server_with(fault) as sink:
        first = deliver(settings, server=server(sink))
        again = [deliver(settings, server=server(sink)) for _ in range(3)]
        assert len(sink.mails) == kept
    assert [each.state for each in first] == [state]
    assert [len(each) for each in again] == [1 if state == "waiting" else 0] * 3
    if error is None:
        require_sent(first)
    else:
        with pytest.raises(
            error, match=r"daily mail of 2011-12-09 to jo@reader\.example"
        ) as raised:
            require_sent(first)
        assert type(raised.value) is error
    with mail_server_with() as healthy:
        deliver(settings, server=server(healthy))
        deliver(settings, server=server(healthy))
        assert len(healthy.mails) == (1 if state == "waiting" else 0)


def in_another_process(target: Callable[..., None], *arguments: object) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    process.join(30)
    return process.exitcode


def die_at(step: str, settings: Settings, port: int) -> None:
    """A sender that is killed just before the end of the mail, or just after the server took it."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if step == "before_the_end":
        Outbox.ending = die  # type: ignore[method-assign,assignment]
    else:
        Outbox.finish = die  # type: ignore[method-assign]
    deliver(settings, server=MailServer("127.0.0.1", port, "offered", 5.0))


@pytest.mark.parametrize(
    ("step", "state", "kept"), [("before_the_end", "sent", 1), ("after_the_answer", "unknown", 1)]
)
def test_a_killed_sender_leaves_one_mail_and_nothing_under_way(
    settings: Settings, step: str, state: str, kept: int
) -> None:
    with mail_server_with() as sink:
        assert in_another_process(die_at, step, settings, sink.port) == -signal.SIGKILL
        settled = [deliver(settings, server=server(sink)) for _ in range(3)]
        assert len(sink.mails) == kept
    assert states(settings) == [state]
    assert [each.state for each in settled[0]] == [state]
    assert settled[1:] == [[], []]


def send_all(settings: Settings, port: int) -> None:
    deliver(settings, server=MailServer("127.0.0.1", port, "offered", 5.0))


def test_two_senders_at_once_send_one(settings: Settings) -> None:
    context = multiprocessing.get_context("fork")
    with mail_server_with("slow") as sink:
        both = [context.Process(target=send_all, args=(settings, sink.port)) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join(30)
        assert [each.exitcode for each in both] == [0, 0]
        assert len(sink.mails) == 1


def test_a_second_sender_is_told_who_has_the_outbox(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "WAIT_SECONDS", 0.0)
    with (
        delivery.hold(delivery.LOCK, settings=settings),
        pytest.raises(LakeError, match=f"pid {os.getpid()}"),
    ):
        deliver(settings, server=MailServer("127.0.0.1", 1, "offered", 1.0))


def test_a_mail_whose_file_is_gone_is_said_and_stops_no_other(settings: Settings) -> None:
    other = Key("daily", "2011-12-09", "mo@reader.example")
    with open_outbox(settings) as outbox:
        found = outbox.entry(KEY)
        assert found is not None
        found.file.unlink()
        outbox.queue(other, small_mail("two"))
    with mail_server_with() as sink:
        tried = deliver(settings, server=server(sink))
    assert {each.key: each.state for each in tried} == {KEY: "refused", other: "sent"}


def test_no_mail_server_means_no_mail_and_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="LAKE_ALERT_SMTP"):
        delivery.require_server(Settings(home=tmp_path))
