"""The outbox: one mail per key whatever happens, and its state on disk before each step."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from reports.mailer import Outcome
from reports.outbox import Key, Outbox, message_id, open_outbox
from tests.reports.mail_servers import small_mail

KEY = Key("daily", "2011-12-09", "jo@reader.example")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "lake")


def queue(outbox: Outbox, key: Key = KEY, subject: str = "one") -> bool:
    return outbox.queue(key, small_mail(subject))


def state(settings: Settings, key: Key = KEY) -> tuple[str, int, str]:
    with open_outbox(settings) as outbox:
        found = outbox.entry(key)
        assert found is not None
        return found.state, found.attempts, found.detail


def test_a_key_is_queued_once_and_keeps_its_bytes(settings: Settings) -> None:
    with open_outbox(settings) as outbox:
        assert queue(outbox)
        assert not queue(outbox, subject="another")
        entry = outbox.entry(KEY)
        assert entry is not None
        assert (entry.state, entry.mail()) == ("waiting", small_mail("one").as_bytes())
        assert (entry.subject, entry.sender, entry.message_id) == (
            "one",
            "shop@shop.example",
            "<one@shop.example>",
        )
        assert entry.file.stat().st_mode & 0o777 == 0o600


def test_of_two_senders_one_takes_a_mail(settings: Settings) -> None:
    with open_outbox(settings) as one, open_outbox(settings) as other:
        queue(one)
        assert [one.begin(KEY), other.begin(KEY)] == [True, False]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("sent", "sent"), ("refused", "refused"), ("later", "waiting"), ("unknown", "unknown")],
)
@pytest.mark.parametrize("ends", [True, False])
def test_an_attempt_ends_as_the_server_said(
    settings: Settings, verdict: str, expected: str, ends: bool
) -> None:
    with open_outbox(settings) as outbox:
        queue(outbox)
        outbox.begin(KEY)
        if ends:
            outbox.ending(KEY)
        outbox.finish(KEY, Outcome(verdict, "words"))  # type: ignore[arg-type]
    assert state(settings) == (expected, 1, "words")


def test_what_a_dead_sender_left_is_settled_by_how_far_it_came(settings: Settings) -> None:
    other = Key("daily", "2011-12-09", "mo@reader.example")
    with open_outbox(settings) as outbox:
        for key in (KEY, other):
            queue(outbox, key)
            outbox.begin(key)
        outbox.ending(other)
    with open_outbox(settings) as outbox:
        assert outbox.recover() == [other]
        assert outbox.recover() == []
    assert (state(settings)[0], state(settings, other)[0]) == ("waiting", "unknown")


def test_a_mail_that_nobody_takes_is_given_up_and_can_be_released(settings: Settings) -> None:
    with open_outbox(settings) as outbox:
        queue(outbox)
        outbox.begin(KEY)
        outbox.finish(KEY, Outcome("later", "greylisted"))
        assert outbox.recover() == []
    old = (datetime.now(UTC) - timedelta(days=6)).isoformat()
    with sqlite3.connect(settings.mail_dir / "outbox.sqlite") as rows:
        rows.execute("update mails set queued_at = ?", [old])
    with open_outbox(settings) as outbox:
        assert outbox.recover() == [KEY]
        assert state(settings)[0] == "expired"
        assert outbox.release(KEY)
        assert not outbox.release(KEY)
        assert outbox.recover() == []
    assert state(settings)[0] == "waiting"


def test_a_clock_that_jumps_ahead_gives_up_nothing_untried(settings: Settings) -> None:
    with open_outbox(settings) as outbox:
        queue(outbox)
    old = (datetime.now(UTC) - timedelta(days=900)).isoformat()
    with sqlite3.connect(settings.mail_dir / "outbox.sqlite") as rows:
        rows.execute("update mails set queued_at = ?", [old])
    with open_outbox(settings) as outbox:
        outbox.recover()
    assert state(settings)[0] == "waiting"


def test_a_message_id_is_of_its_key_and_version() -> None:
    one = message_id(KEY, domain="shop.example", version="run1")
    assert one == message_id(KEY, domain="shop.example", version="run1")
    assert one != message_id(KEY, domain="shop.example", version="run2")
    assert one.endswith("@shop.example>")


def test_a_damaged_outbox_stops_and_says_so(settings: Settings) -> None:
    settings.mail_dir.mkdir(parents=True)
    (settings.mail_dir / "outbox.sqlite").write_bytes(b"no database at all " * 99)
    with pytest.raises(LakeError, match="not known what was sent"), open_outbox(settings):
        pass
