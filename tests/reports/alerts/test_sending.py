"""Messages: grouped, signed, sent once, tried again, given up; texts of data stay texts."""

import hashlib
import hmac
import json
import socket
from datetime import datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from dashboards.pages.alerts.cards import open_alerts
from dashboards.queries.alerts import Alerts, Told
from lakehouse.settings import Settings
from reports.alerts.check import Targets, check
from reports.alerts.contributors import Contributor
from reports.alerts.mail import REPORT, queue
from reports.alerts.messages import message_of
from reports.alerts.sending import PAUSES, Sent, channels_of, send_due, targets_of
from reports.alerts.store import Store, memory_store
from reports.alerts.webhook import signature
from reports.foreign_texts import plain
from reports.outbox import open_outbox
from tests.reports.alerts.receiver import receiver
from tests.reports.alerts.shop import at, book, course, day, rule
from tests.reports.test_foreign_texts import CORPUS

KEY = "sixteen letters!"


def settings_of(tmp_path: Path, url: str) -> Settings:
    return Settings(home=tmp_path / "state", alert_webhook=url, alert_webhook_key=KEY)


def two_troubles(settings: Settings, *, names: tuple[str, ...] = ()) -> Store:
    """A store with a warning and a critical alert, both due at `at(70)`."""
    store = memory_store()
    named = [Contributor("product", each, Decimal(1), Decimal(2)) for each in names]
    check(
        store,
        book(
            fell=rule(fire_below=-0.5, severity="warning"),
            revenue=rule(kpi="gross_revenue", fire_below=-0.5),
        ),
        history=course(71, changes={70: 5}),
        readings={},
        now=at(70),
        targets=targets_of(settings),
        explain=lambda *_: named,
    )
    return store


def send(store: Store, settings: Settings, now: datetime) -> Sent:
    return send_due(store, channels=channels_of(settings, now=now), settings=settings, now=now)


def test_what_is_due_together_goes_out_as_one_signed_message_critical_first(
    tmp_path: Path,
) -> None:
    with receiver() as found:
        settings = settings_of(tmp_path, found.url)
        store = two_troubles(settings)
        assert send(store, settings, at(70)) == Sent(taken=1)
        assert send(store, settings, at(70)) == Sent()
    [(headers, body)] = found.requests
    stamp = headers["X-Alert-Timestamp"]
    own = hmac.new(KEY.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Alert-Signature"] == f"sha256={own}"
    assert stamp == str(int(at(70).timestamp()))
    said = json.loads(body)
    assert said["delivery"] == headers["X-Alert-Delivery"]
    assert said["link"] == f"http://127.0.0.1:{settings.dashboard_port}/alerts"
    assert [(each["rule"], each["severity"]) for each in said["alerts"]] == [
        ("revenue", "critical"),
        ("fell", "warning"),
    ]
    first = said["alerts"][0]
    assert (first["value"], first["expected"], first["unit"]) == (50, 1000, "money")
    assert (first["day"], first["kind"], first["meaning"]) == (
        day(70).isoformat(),
        "fired",
        "Fewer orders.",
    )
    assert said["title"] == "2 alerts (critical)"


def test_another_key_or_body_makes_another_signature() -> None:
    own = signature(KEY, "1", b"body")
    assert len({own, signature(KEY + "x", "1", b"body"), signature(KEY, "2", b"body")}) == 3


@pytest.mark.parametrize("code", [500, 503, 408, 429])
def test_what_is_not_taken_is_tried_again_with_the_same_bytes_and_sent_once(
    tmp_path: Path, code: int
) -> None:
    with receiver(code, code, 200) as found:
        settings = settings_of(tmp_path, found.url)
        store = two_troubles(settings)
        assert send(store, settings, at(70)) == Sent(later=1)
        assert send(store, settings, at(70)) == Sent()
        assert send(store, settings, at(70) + timedelta(minutes=1)) == Sent(later=1)
        assert [each.error for each in store.notices()] == [f"HTTP {code}"] * 2
        assert send(store, settings, at(70) + timedelta(minutes=6)) == Sent(taken=1)
        assert send(store, settings, at(99)) == Sent()
    assert len({body for _, body in found.requests}) == 1
    assert {(each.state, each.attempts) for each in store.notices()} == {("sent", 3)}


@pytest.mark.parametrize("code", [400, 404, 302])
def test_a_refusal_for_good_is_not_repeated_and_no_redirect_is_followed(
    tmp_path: Path, code: int
) -> None:
    with receiver(code) as found:
        settings = settings_of(tmp_path, found.url)
        store = two_troubles(settings)
        assert send(store, settings, at(70)) == Sent(given_up=1)
        assert send(store, settings, at(99)) == Sent()
    assert len(found.requests) == 1
    assert {(each.state, each.error) for each in store.notices()} == {("failed", f"HTTP {code}")}


def test_a_dead_receiver_is_given_up_after_all_pauses(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    settings = settings_of(tmp_path, url)
    store, now = two_troubles(settings), at(70)
    for minutes in PAUSES:
        assert send(store, settings, now) == Sent(later=1)
        now += timedelta(minutes=minutes)
    assert send(store, settings, now) == Sent(given_up=1)
    assert "refused" in store.notices()[0].error


def test_without_a_key_nothing_goes_to_the_web(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, alert_webhook="http://127.0.0.1:1/x")
    assert targets_of(settings) == Targets()


def test_names_of_the_data_are_texts_in_the_webhook_the_mail_and_the_page(tmp_path: Path) -> None:
    lines = [
        f"product {plain(each)}: {figures}"
        for figures in ("£1.00, before £2.00", "1, before 2")
        for each in CORPUS
    ]
    with receiver() as found:
        settings = settings_of(tmp_path, found.url)
        store = two_troubles(settings, names=CORPUS)
        send(store, settings, at(70))
    said = json.loads(found.requests[0][1])
    assert [each["name"] for each in said["alerts"][0]["contributors"]] == list(CORPUS)
    notices = [(each, store.incident(each.incident)) for each in store.notices()]
    message = message_of([(one, two) for one, two in notices if two], settings=settings)
    queue(message, "jo@shop.example", settings=settings)
    with open_outbox(settings) as outbox:
        [entry] = outbox.entries(report=REPORT)
    mail = message_from_bytes(entry.mail(), policy=default)
    assert [part.get_content_type() for part in mail.walk()] == ["text/plain"]
    assert (mail["To"], mail["Bcc"]) == ("jo@shop.example", None)
    told = mail.get_content().splitlines()
    assert [line[2:] for line in told if line.startswith("- product")] == lines
    shown = open_alerts(Alerts(tuple(Told(each, (), ()) for each in store.incidents()), (), {}, {}))
    texts = [each.children for each in shown._traverse() if type(each).__name__ == "Li"]
    assert [each for each in texts if each in lines] == lines


def test_a_name_has_no_sign_that_can_not_be_seen_or_turns_what_follows() -> None:
    for text in map(plain, CORPUS):
        assert text.isprintable() or "\u200d" in text
        assert not set(text) & set("\u202e\u202c\x1b\x00\r\n\u2028")
    assert plain("x" * 100) == "x" * 79 + "…"
    assert plain("émoji 🛒 ok") == "émoji 🛒 ok"
