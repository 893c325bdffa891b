"""Tells every open page at once what is new: a version in service, or live figures.

In: the pointer, the last run's report and the alerts, looked at twice a second by one task of the
process, and the live figures of one reader of their topic. Out: one small message per change, built
once and fanned out by a bus to WebSocket clients of `/live`; a slow client keeps only the newest
message of each kind. `assets/live.js` connects, and connects again after a break.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from dashboards.live_figures import LiveReader
from dashboards.queries.last_run import report_path
from lakehouse.pointer import CURRENT
from lakehouse.settings import Settings
from reports.alerts.store import store_path

Lifespan = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]

PATH = "/live"
LOOK_EVERY_SECONDS = 0.5
BEAT_EVERY_SECONDS = 5.0
"""A sign of life for clients: who misses a few has lost the connection without being told."""
_MOST_CLIENTS = 500
_TRY_LATER = 1013


class Subscription:
    """What one client has still to get: of each kind the newest message at most."""

    def __init__(self, latest: Mapping[str, str]) -> None:
        self._waiting = dict(latest)
        self._news = asyncio.Event()
        self._news.set()

    def put(self, kind: str, message: str) -> None:
        """A newer message; one of its kind that is still waiting is replaced."""
        self._waiting[kind] = message
        self._news.set()

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    async def get(self) -> str:
        """The message that waits longest, as soon as there is one."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class Bus:
    """Fan-out of the newest message of each kind; a slow client skips what it missed."""

    def __init__(self, **latest: str) -> None:
        self.latest = latest
        self._subscriptions: set[Subscription] = set()

    def __len__(self) -> int:
        return len(self._subscriptions)

    def publish(self, kind: str, message: str) -> None:
        """Give `message` to all; from the event loop's thread."""
        self.latest[kind] = message
        for each in self._subscriptions:
            each.put(kind, message)

    @contextlib.contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """What a client gets: the newest message of each kind first, so a break leaves no gap."""
        found = Subscription(self.latest)
        self._subscriptions.add(found)
        try:
            yield found
        finally:
            self._subscriptions.discard(found)


def epoch(settings: Settings) -> str:
    """A text that changes with every publish, run and alert; file states, nothing is opened."""
    states = []
    for path in (settings.gold_dir / CURRENT, report_path(settings), store_path(settings)):
        try:
            state = path.stat()
        except OSError:
            states.append("none")
        else:
            states.append(f"{state.st_mtime_ns}-{state.st_ino}-{state.st_size}")
    return "/".join(states)


def message_of(text: str) -> str:
    """The message that pages get for an epoch."""
    return json.dumps({"epoch": text})


def follow(settings: Settings) -> tuple[Bus, LiveReader, Lifespan]:
    """A bus, the reader of the live topic, and the server's lifespan that feeds the one."""
    bus = Bus(epoch=message_of(epoch(settings)))
    loops: list[asyncio.AbstractEventLoop] = []

    def tell(text: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loops[0].call_soon_threadsafe(bus.publish, "live", text)

    reader = LiveReader(settings, tell)

    async def watch() -> None:
        beaten = 0.0
        while True:
            message = message_of(await asyncio.to_thread(epoch, settings))
            if message != bus.latest["epoch"]:
                bus.publish("epoch", message)
            if time.monotonic() - beaten >= BEAT_EVERY_SECONDS:
                beaten = time.monotonic()
                bus.publish("beat", json.dumps({"beat": int(time.time())}))
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    @contextlib.asynccontextmanager
    async def lifespan(_server: FastAPI) -> AsyncIterator[None]:
        loops[:] = [asyncio.get_running_loop()]
        reader.start()
        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            reader.stop()
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    return bus, reader, lifespan


def add_route(server: FastAPI, bus: Bus) -> None:
    """Serve the bus at `/live`; what a client sends is ignored."""

    async def stream(socket: WebSocket) -> None:
        if len(bus) >= _MOST_CLIENTS:
            await socket.close(_TRY_LATER)
            return
        await socket.accept()
        with bus.subscribe() as queue:
            tasks = {
                asyncio.create_task(_send(socket, queue)),
                asyncio.create_task(_until_closed(socket)),
            }
            _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    server.add_api_websocket_route(PATH, stream)


async def _send(socket: WebSocket, queue: Subscription) -> None:
    while True:
        await socket.send_text(await queue.get())


async def _until_closed(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
