"""How long an event takes to the screens: from its moment in the shop to each WebSocket client.

In: a rate, a duration, a number of clients. Out: percentiles over every event and every client, and
of the part until Kafka has the event. The shop's schedule is open: an event is due at its own time,
however late the platform is, and counts from then. A client has an event once a version of the live
figures says that it holds it.
"""

import asyncio
import bisect
import contextlib
import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from lakehouse.settings import Settings
from lakehouse.shop_clock import ShopClock, shop_clock
from operations.bench.subject import Subject, live_shop, machine, percentiles
from operations.lag import unread_records
from pipelines.live.facts import TOPICS

Place = tuple[str, int]
_TAIL_SECONDS = 15.0
_SAMPLE_SECONDS = 5.0


@dataclass
class _Viewer:
    """What one client saw: arrival times, and the next offset of each partition at each."""

    arrivals: list[float] = field(default_factory=list)
    offsets: dict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))
    errors: int = 0

    def take(self, text: str, at: float) -> None:
        positions = _positions(text)
        if positions is None:
            return
        self.arrivals.append(at)
        for place, offset in positions.items():
            seen = self.offsets[place]
            seen += [0] * (len(self.arrivals) - 1 - len(seen))
            seen.append(offset)

    def saw(self, place: Place, offset: int) -> float | None:
        """When it first had the record at an offset; None if never."""
        index = bisect.bisect_right(self.offsets.get(place, []), offset)
        return self.arrivals[index] if index < len(self.offsets.get(place, [])) else None


@dataclass
class _Events:
    """Each event's place and the real moment at which it was due, read from the source topics."""

    clock: ShopClock
    due: dict[tuple[str, int, int], float] = field(default_factory=dict)
    in_kafka: dict[tuple[str, int, int], float] = field(default_factory=dict)
    _end: threading.Event = field(default_factory=threading.Event)

    def read(self, settings: Settings, is_ready: threading.Event) -> None:
        from kafka import KafkaConsumer, TopicPartition

        with contextlib.closing(KafkaConsumer(bootstrap_servers=settings.bootstrap)) as consumer:
            places = [
                TopicPartition(topic, each)
                for topic in TOPICS
                for each in consumer.partitions_for_topic(topic) or ()
            ]
            consumer.assign(places)
            for place, end in consumer.end_offsets(places).items():
                consumer.seek(place, end)
            is_ready.set()
            while not self._end.is_set():
                for polled in consumer.poll(timeout_ms=500).values():
                    for record in polled:
                        self._note(record)

    def _note(self, record: Any) -> None:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            at = datetime.fromisoformat(json.loads(record.value)["occurred_at"])
            due = self.clock.real(at).timestamp()
            place = (record.topic, record.partition, record.offset)
            self.due[place], self.in_kafka[place] = due, record.timestamp / 1000

    def stop(self) -> None:
        self._end.set()


def measure(
    settings: Settings, *, rate: float, seconds: float, viewers: int, publish_every: float | None
) -> dict[str, Any]:
    """Run the measurement; the figures are those of the JSON object. Raises: LakeError."""
    with live_shop(settings, rate=rate, publish_every=publish_every) as subject:
        return _measured(subject, rate=rate, seconds=seconds, viewers=viewers)


def _measured(subject: Subject, *, rate: float, seconds: float, viewers: int) -> dict[str, Any]:
    settings = subject.settings
    events, is_ready = _Events(shop_clock(settings)), threading.Event()
    reader = threading.Thread(target=events.read, args=(settings, is_ready), daemon=True)
    reader.start()
    is_ready.wait(30)
    watched = [_Viewer() for _ in range(viewers)]
    lags: list[int] = []
    before, began, clock = subject.cost()[0], time.time(), time.monotonic()
    asyncio.run(_watch(settings, watched, seconds + _TAIL_SECONDS, lags))
    wall = time.monotonic() - clock
    cpu, memory = subject.cost()
    events.stop()
    reader.join()
    latencies, missed = [], 0
    due = {at: moment for at, moment in events.due.items() if began + 1 <= moment < began + seconds}
    for (topic, partition, offset), moment in due.items():
        for viewer in watched:
            seen = viewer.saw((topic, partition), offset)
            if seen is None:
                missed += 1
            else:
                latencies.append(seen - moment)
    sending = [events.in_kafka[at] - moment for at, moment in due.items()]
    return {
        **percentiles(latencies),
        "until_kafka": percentiles(sending),
        "messages": len(due),
        "viewers": viewers,
        "errors": missed + sum(each.errors for each in watched),
        "rate": rate,
        "seconds": seconds,
        "cpu_cores": round((cpu - before) / wall, 2),
        "pss_bytes": memory,
        "ingest_lag_records": max(lags, default=0),
        **machine(),
    }


async def _watch(
    settings: Settings, viewers: list[_Viewer], seconds: float, lags: list[int]
) -> None:
    tasks = [asyncio.create_task(_follow(settings, viewer, seconds)) for viewer in viewers]
    deadline = time.monotonic() + seconds - _TAIL_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(_SAMPLE_SECONDS)
        lags.append(await asyncio.to_thread(unread_records, settings))
    await asyncio.gather(*tasks)


async def _follow(settings: Settings, viewer: _Viewer, seconds: float) -> None:
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    host = f"127.0.0.1:{settings.dashboard_port}"
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            async with (
                asyncio.timeout(left),
                connect(f"ws://{host}/live", origin=f"http://{host}", max_size=None) as socket,  # type: ignore[arg-type]
            ):
                async for text in socket:
                    viewer.take(str(text), time.time())
        except TimeoutError:
            return
        except (OSError, WebSocketException):
            viewer.errors += 1
            await asyncio.sleep(0.5)


@lru_cache(64)
def _positions(text: str) -> dict[Place, int] | None:
    """Next offsets that a message to clients states; None for news of another kind."""
    live = json.loads(text).get("live")
    if live is None:
        return None
    return {(row["topic"], row["partition"]): row["next_offset"] for row in live["positions"]}
