"""A TCP proxy between clients and a broker that can cut, delay or silence connections.

In: a target address, and faults called by a test. Out: a loopback port that behaves like a bad
network. Everything runs in one thread with one event loop.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK_BYTES = 64 * 1024


class TcpProxy:
    """Forwards a loopback port to another. Use it in a `with`; faults may come from any thread."""

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self._delay = 0.0
        self._budget: int | None = None
        self._is_silent: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self.accepted = 0
        self.cuts = 0
        self._loop = asyncio.new_event_loop()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="tcp-proxy", daemon=True
        )

    def __enter__(self) -> "TcpProxy":
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break every open connection, as a pulled cable does; new ones work."""
        self._run(self._cut())

    def delay(self, seconds: float) -> None:
        """Hold every piece of data back for so long, from now on."""
        self._delay = seconds

    def cut_after(self, forwarded: int | None) -> None:
        """Break a connection in mid-message, each time so many bytes went by; None: no more.

        Each cut doubles what the next connection may carry: one request can be larger than the
        first budget, and would be sent and cut for ever.
        """
        self._budget = forwarded

    def silence(self) -> None:
        """Half-open: the connections of now stay open and carry nothing any more."""
        self._run(self._silence())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._socket)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # the broker is not up: refuse as it would
            _abort(writer)
            return
        self._open |= {writer, there[1]}
        try:
            await asyncio.gather(
                self._pump(reader, there[1], writer), self._pump(there[0], writer, there[1])
            )
        finally:
            for each in (writer, there[1]):
                self._open.discard(each)
                self._is_silent.discard(each)
                _abort(each)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        seen = 0
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                if sink in self._is_silent:
                    continue
                if self._delay:
                    await asyncio.sleep(self._delay)
                seen += len(data)
                if self._budget is not None and seen > self._budget:
                    sink.write(data[: len(data) // 2])
                    with contextlib.suppress(OSError):
                        await sink.drain()
                    self.cuts += 1
                    self._budget *= 2
                    break
                sink.write(data)
                await sink.drain()
        for each in (sink, back):
            _abort(each)

    async def _cut(self) -> None:
        self.cuts += len(self._open) // 2
        for each in list(self._open):
            _abort(each)

    async def _silence(self) -> None:
        self._is_silent |= self._open

    async def _end(self) -> None:
        self._server.close()
        for each in list(self._open):
            _abort(each)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close without a farewell."""
    with contextlib.suppress(RuntimeError):
        writer.transport.abort()
