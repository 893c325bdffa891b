"""Source topics -> topic of live KPIs: what happens now, told within seconds.

In: the records of the source topics since yesterday. Out: each KPI's whole value per window, as
messages with rising versions, so that of one key the newest counts however often it is sent. It
keeps no checkpoint: a new start reads the days that count again, and tells nothing before it has
caught up, so a screen never sees half a day. Run standalone: `lake streams --live`.
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from lakehouse.contracts.topics import LIVE_KPIS
from lakehouse.settings import Settings
from lakehouse.shop_clock import ShopClock, shop_clock
from pipelines.live.beginning import Place, begin_offsets
from pipelines.live.facts import TOPICS, LiveFacts, first_day_kept
from pipelines.live.figures import TODAY, Figure, live_figures
from pipelines.silver.parsing import BRONZE_COLUMNS
from pipelines.transforms.order_rules import shop_day
from streaming import kafka_admin
from streaming.live_topic import POSITIONS, QUERY, LiveWriter, newest_version
from streaming.queries import KAFKA_OPTIONS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

TRIGGER = "300 milliseconds"
MOST_RECORDS = 50_000
"""Records in one batch at most, while a new start catches up."""
TELL_SECONDS = 1.0
"""Without news the figures are told so often all the same: a minute passes, and it is a sign of
life."""

Tell = Callable[[Sequence[tuple[str, bytes]]], None]
_encode = msgspec.json.Encoder(decimal_format="string").encode


@dataclass
class LiveKpis:
    """The figures between two batches, safe to share between threads.

    Attributes:
        tell: Sends the messages of a version, by key.
        clock: The shop's.
        positions: Next offset of each partition.
        target: Offsets that must be reached before anything is told.
        version: Of the messages that were told last.
    """

    tell: Tell
    clock: ShopClock
    positions: dict[Place, int]
    target: Mapping[Place, int]
    version: int
    facts: LiveFacts = field(default_factory=LiveFacts)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _told: float = 0.0
    _since: date = date.min

    @property
    def has_caught_up(self) -> bool:
        """Whether everything is read that lay in Kafka at the start."""
        return all(self.positions.get(place, 0) >= end for place, end in self.target.items())

    def take(self, records: "pa.Table") -> None:
        """Take in a batch, and tell what is true now."""
        with self._lock:
            now, is_news = self.clock.now(), self.has_caught_up
            since = first_day_kept(shop_day(now))
            if since != self._since:
                self.facts.forget(before=since)
                self._since = since
            self.facts.add(records, since=since)
            for topic, partition, offset in zip(
                *(records[name].to_pylist() for name in ("topic", "partition", "offset")),
                strict=True,
            ):
                place = (topic, partition)
                self.positions[place] = max(self.positions.get(place, 0), offset + 1)
            arrived = records["kafka_at"].to_pylist() if is_news else []
            self._tell(now, oldest=min(arrived, default=None))

    def tick(self) -> None:
        """Tell again where nothing has been told for a second."""
        if time.monotonic() - self._told >= TELL_SECONDS:
            with self._lock:
                self._tell(self.clock.now())

    def _tell(self, now: datetime, *, oldest: datetime | None = None) -> None:
        if not self.has_caught_up:
            return
        self.version += 1
        figures = live_figures(self.facts, now=now)
        seconds = None if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
        self.tell(
            messages_of(
                figures, self.positions, now=now, version=self.version, latency_seconds=seconds
            )
        )
        self._told = time.monotonic()


def messages_of(
    figures: Sequence[Figure],
    positions: Mapping[Place, int],
    *,
    now: datetime,
    version: int,
    latency_seconds: float | None = None,
) -> list[tuple[str, bytes]]:
    """Key and value of each message of a version; the positions come last.

    Their value is `latency_seconds`: how long the oldest new record has been in Kafka.
    """
    latency = None if latency_seconds is None else Decimal(f"{latency_seconds:.3f}")
    rows = tuple(
        {"topic": topic, "partition": partition, "next_offset": offset}
        for (topic, partition), offset in sorted(positions.items())
    )
    at = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
    day = shop_day(now).isoformat()
    return [
        (
            key := f"{each.kpi}/{each.window}",
            _encode(
                {
                    "event_id": f"{key}/{version}",
                    "schema_version": LIVE_KPIS.schema_version,
                    "occurred_at": at,
                    "kpi": each.kpi,
                    "window": each.window,
                    "version": version,
                    "day": day,
                    "unit": each.unit,
                    "value": None if each.value is None else f"{each.value:f}",
                    "rows": each.rows,
                }
            ),
        )
        for each in (*figures, Figure(POSITIONS, TODAY, "seconds", latency, rows))
    ]


def start_live_kpis(spark: "SparkSession", *, settings: Settings) -> "StreamingQuery":
    """Start the query of the live figures; it goes on until stopped.

    Args:
        spark: The session.
        settings: Where the state and the broker are.

    Raises:
        LakeError: Kafka does not answer.
    """
    clock = shop_clock(settings)
    began = _beginning(settings, clock)
    writer = LiveWriter(settings)
    figures = LiveKpis(
        tell=writer.send,
        clock=clock,
        positions=dict(began),
        target=kafka_admin.end_offsets(settings.bootstrap, TOPICS),
        version=max(newest_version(settings), int(time.time() * 1000)),
    )
    stream = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.bootstrap)
        .option("subscribe", ",".join(TOPICS))
        .option("startingOffsets", json.dumps(_by_topic(began)))
        .options(**KAFKA_OPTIONS)
        .option("maxOffsetsPerTrigger", MOST_RECORDS)
        .load()
        .withColumnRenamed("timestamp", "kafka_at")
        .select(*BRONZE_COLUMNS)
    )

    def take(batch: "DataFrame", _batch_id: int) -> None:
        figures.take(batch.coalesce(1).toArrow())  # one task: six would cost more than they read

    query = (
        stream.writeStream.queryName(QUERY)
        .foreachBatch(take)
        .trigger(processingTime=TRIGGER)
        .start()
    )
    ticker = threading.Thread(
        target=_tick, args=(query, figures, writer), name=f"{QUERY}-ticker", daemon=True
    )
    ticker.start()
    return query


def _tick(query: "StreamingQuery", figures: LiveKpis, writer: LiveWriter) -> None:
    """Tell every second while the query lives; then close what it held."""
    from py4j.protocol import Py4JError

    with contextlib.suppress(Py4JError, OSError):  # Java is gone
        while query.isActive:
            with contextlib.suppress(Exception):  # a batch says why Kafka takes nothing
                figures.tick()
            time.sleep(TELL_SECONDS / 4)
    writer.close()


def _beginning(settings: Settings, clock: ShopClock) -> dict[Place, int]:
    """The first offset to read of every partition, within what Kafka holds."""
    wanted = begin_offsets(settings, since=first_day_kept(shop_day(clock.now())))
    first = kafka_admin.first_offsets(settings.bootstrap, TOPICS)
    ends = kafka_admin.end_offsets(settings.bootstrap, TOPICS)
    return {place: min(max(wanted.get(place, 0), first[place]), ends[place]) for place in first}


def _by_topic(offsets: Mapping[Place, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (topic, partition), offset in offsets.items():
        found.setdefault(topic, {})[str(partition)] = offset
    return found
