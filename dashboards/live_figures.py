"""The newest live figures, read from their topic by one thread of the process.

In: the topic of live KPIs. Out: one text per version, built once for all clients: each figure as a
person reads it, lists as rows. Versions may come doubled or in any order; the newest of each key
counts. Without a broker the thread asks again every few seconds.
"""

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from dashboards import formats
from lakehouse.contracts.topics import LIVE_KPIS
from lakehouse.settings import Settings
from lakehouse.shop import shop
from streaming.live_topic import NEWEST_MESSAGES, POSITIONS

if TYPE_CHECKING:
    from kafka import KafkaConsumer

_POLL_MS = 200
_RETRY_SECONDS = 2.0
_log = logging.getLogger(__name__)


class _Message(msgspec.Struct):
    """What is read of a message of the topic; anything else in it is none of ours."""

    kpi: str
    window: str
    version: int
    day: str
    occurred_at: str
    unit: str
    value: str | None
    rows: list[dict[str, str | int | None]] | None


_decode = msgspec.json.Decoder(_Message).decode


class LiveFigures:
    """The newest message of each key, and what the newest whole version says of itself.

    Attributes:
        version: Its number.
        at: The shop's time at which it was told.
        latency: Seconds from Kafka to the telling of the oldest new record in it, if it has any.
        positions: Next offset of each partition, of the records that it holds.
    """

    def __init__(self) -> None:
        self.version = 0
        self.at = ""
        self.latency: float | None = None
        self.positions: dict[tuple[str, int], int] = {}
        self._newest: dict[str, dict[str, Any]] = {}

    def take(self, values: Iterable[bytes | None]) -> str | None:
        """Take in messages; returns the text of a newer whole version, if there is one."""
        for value in values:
            message = _message(value)
            key = message.get("key")
            if key and message["version"] >= self._newest.get(key, message)["version"]:
                self._newest[key] = message
        last = self._newest.get(POSITIONS)
        if last is None or last["version"] <= self.version:
            return None
        self.version, self.at = last["version"], last["occurred_at"]
        self.latency = None if last["value"] is None else float(last["value"])
        self.positions = {
            (row["topic"], row["partition"]): row["next_offset"] for row in last["rows"]
        }
        return json.dumps({"live": self._payload(last)}, ensure_ascii=False)

    def _payload(self, last: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"figures": {}, "lists": {}}
        for key, each in self._newest.items():
            if each["version"] != last["version"] or key == POSITIONS:
                continue
            if each["rows"] is None:
                found["figures"][key] = shown(each["value"], each["unit"])
            else:
                found["lists"][key] = [_row(row, each["rows"][0]) for row in each["rows"]]
        return {
            "version": last["version"],
            "day": last["day"],
            "at": last["occurred_at"],
            "clock": _clock(last["occurred_at"]),
            "positions": last["rows"],
            **found,
        }


def _message(value: bytes | None) -> dict[str, Any]:
    """A message of ours with its key; nothing for any other record."""
    try:
        found = _decode(value or b"")
    except (msgspec.MsgspecError, RecursionError):
        return {}
    key = found.kpi if found.kpi == POSITIONS else f"{found.window}/{found.kpi}"
    return {**msgspec.structs.asdict(found), "key": key}


def shown(value: object, unit: str) -> str:
    """A figure as a person reads it."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return formats.NOTHING
    if not number.is_finite():
        return formats.NOTHING
    if unit == "count":
        return formats.count(int(number))
    return formats.percent(number) if unit == "rate" else formats.money(number)


def _row(row: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    """A list's row; an amount, a time and a part of the first row also as a person reads them."""
    found = dict(row)
    sessions, whole = row.get("sessions"), first.get("sessions")
    if isinstance(sessions, int) and isinstance(whole, int):
        part = formats.share(Decimal(sessions), Decimal(whole))
        found["share"] = "" if part is None else formats.percent(part)
    if "amount" in row:
        found["shown"] = formats.money(Decimal(str(row["amount"])))
    if "ordered_at" in row:
        found["time"] = f"{_shop_time(row['ordered_at']):%H:%M:%S}"
    return found


def _clock(text: str) -> str:
    at = _shop_time(text)
    return f"{formats.day(at.date())}, {at:%H:%M:%S}"


def _shop_time(text: str) -> datetime:
    """A moment by the clock on the shop's wall."""
    return datetime.fromisoformat(text).astimezone(shop().zone)


class LiveReader:
    """The thread: it hands over each whole version until it is stopped."""

    def __init__(self, settings: Settings, on_text: Callable[[str], None]) -> None:
        self.figures = LiveFigures()
        self.is_connected = False
        self.version_count = self.error_count = 0
        self.on_latency: Callable[[float], None] = lambda _: None
        self._settings = settings
        self._on_text = on_text
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-figures", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; the thread ends within its next poll."""
        self._end.set()

    def _run(self) -> None:
        from kafka.errors import KafkaError

        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # it says at length what we retry
        while not self._end.is_set():
            try:
                with contextlib.closing(self._consumer()) as consumer:
                    self.is_connected = True
                    self._follow(consumer)
            except KafkaError as error:
                self.error_count += 1
                _log.info("No live figures for now: %s", error)
            except Exception:  # noqa: BLE001 - the screens go on, and so does the reader
                self.error_count += 1
                _log.exception("Live figures can't be read")
            self.is_connected = False
            self._end.wait(_RETRY_SECONDS)

    def _consumer(self) -> "KafkaConsumer":
        from kafka import KafkaConsumer, TopicPartition

        place = TopicPartition(LIVE_KPIS.name, 0)
        consumer = KafkaConsumer(
            bootstrap_servers=self._settings.bootstrap,
            client_id="cartlake-dashboard",
            auto_offset_reset="latest",
            enable_auto_commit=False,
            reconnect_backoff_max_ms=1000,
        )
        try:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            first = consumer.beginning_offsets([place])[place]
            consumer.seek(place, max(first, end - NEWEST_MESSAGES))
        except BaseException:
            consumer.close()
            raise
        return consumer

    def _follow(self, consumer: "KafkaConsumer") -> None:
        while not self._end.is_set():
            polled = consumer.poll(timeout_ms=_POLL_MS)
            values = (record.value for records in polled.values() for record in records)
            if (text := self.figures.take(values)) is not None:
                self.version_count += 1
                self._on_text(text)
                if self.figures.latency is not None:
                    self.on_latency(self.figures.latency)
