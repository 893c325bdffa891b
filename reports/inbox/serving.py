"""The inbox as a program: SMTP on one loopback port, its page on another.

Run standalone: `lake mail start`, or `python -m reports.inbox.serving` until Ctrl-C.
"""

import asyncio
import contextlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LakeError
from lakehouse.processes.programs import LOOPBACK, describe_listener
from lakehouse.settings import Settings
from reports.inbox import kept
from reports.inbox.pages import answer

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_MAIL = 33_554_432


class _Keeper:
    """Takes every mail for every recipient."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def handle_DATA(self, _server: "SMTP", _session: "Session", envelope: "Envelope") -> str:  # noqa: N802 - aiosmtpd's name
        kept.keep(bytes(envelope.original_content or b""), settings=self._settings)
        return "250 2.0.0 kept"


def serve(settings: Settings) -> None:
    """Serve until the process is ended.

    Raises:
        LakeError: A port is taken.
    """
    pages = _listening(settings)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    try:
        asyncio.run(_smtp(settings))
    finally:
        pages.shutdown()
        pages.server_close()


async def _smtp(settings: Settings) -> None:
    from aiosmtpd.smtp import SMTP

    keeper = _Keeper(settings)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            lambda: SMTP(keeper, data_size_limit=LARGEST_MAIL, hostname="inbox", loop=loop),
            LOOPBACK,
            settings.mail_port,
        )
    except OSError:
        raise _taken(settings.mail_port, "LAKE_MAIL_PORT") from None
    async with server:
        await server.serve_forever()


def _listening(settings: Settings) -> ThreadingHTTPServer:
    port = settings.mail_page_port
    names = (f"127.0.0.1:{port}", f"localhost:{port}")

    class _Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Host") not in names:  # a page of another site can't read mails
                self.send_error(421)
                return
            found = answer(self.path, settings=settings)
            self.send_response(found.status)
            for name, value in found.headers().items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name
            """Keep the console quiet."""

    try:
        return ThreadingHTTPServer((LOOPBACK, port), _Pages)
    except OSError:
        raise _taken(port, "LAKE_MAIL_PAGE_PORT") from None


def _taken(port: int, setting: str) -> LakeError:
    return LakeError(
        f"Port {port}, which the inbox needs, is taken by {describe_listener(port)}. Stop that "
        f"program, or set {setting} to a free port."
    )


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            serve(Settings())
    except LakeError as error:
        sys.exit(str(error))
