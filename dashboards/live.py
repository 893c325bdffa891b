"""Tells every open page at once that a new version is in service.

In: the pointer, the last run's report and the alerts, looked at twice a second by one task of the
process. Out: one small message per change, fanned out by a bus to WebSocket clients of `/live`; a
slow client keeps only the newest message. `assets/live.js` connects, and again after a break.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from dashboards.queries.last_run import report_path
from lakehouse.pointer import CURRENT
from lakehouse.settings import Settings
from reports.alerts.store import store_path

Lifespan = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]

PATH = "/live"
LOOK_EVERY_SECONDS = 0.5
_MOST_CLIENTS = 500
_TRY_LATER = 1013


class Bus:
    """Fan-out of the newest message; each subscriber's queue holds one at most."""

    def __init__(self, latest: str) -> None:
        self.latest = latest
        self._queues: set[asyncio.Queue[str]] = set()

    def __len__(self) -> int:
        return len(self._queues)

    def publish(self, message: str) -> None:
        """Give `message` to all; one that is still waiting is replaced."""
        self.latest = message
        for queue in self._queues:
            with contextlib.suppress(asyncio.QueueEmpty):
                queue.get_nowait()
            queue.put_nowait(message)

    @contextlib.contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[str]]:
        """A queue that starts with the newest message."""
        queue: asyncio.Queue[str] = asyncio.Queue(1)
        queue.put_nowait(self.latest)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)


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


def follow(settings: Settings) -> tuple[Bus, Lifespan]:
    """A bus, and the server's lifespan that watches the files and feeds it."""
    bus = Bus(message_of(epoch(settings)))

    async def watch() -> None:
        while True:
            message = message_of(await asyncio.to_thread(epoch, settings))
            if message != bus.latest:
                bus.publish(message)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    @contextlib.asynccontextmanager
    async def lifespan(_server: FastAPI) -> AsyncIterator[None]:
        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    return bus, lifespan


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


async def _send(socket: WebSocket, queue: "asyncio.Queue[str]") -> None:
    while True:
        await socket.send_text(await queue.get())


async def _until_closed(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
