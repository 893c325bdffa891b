"""Wires the screens together and serves them, on the loopback address unless settings open them.

In: settings and whatever gold is in service. Out: a Dash app, or a server that runs until it is
stopped. Run standalone: `python -m dashboards.app`.
"""

import errno
import logging
import socket
import sys
from typing import Any

import uvicorn
from dash import Dash
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from dashboards import live, metrics, shell
from dashboards.exports import routes
from dashboards.guard import Guard, answered_hosts, security_headers
from dashboards.pages.data_health.cards import QUALITY_REPORT
from dashboards.pages.reports.page import MAIL
from dashboards.published import PublishedGold
from lakehouse.errors import LakeError
from lakehouse.pointer import NothingPublished
from lakehouse.settings import Settings, address
from quality.gate.report import PAGE
from reports import archive

_STOP_WITHIN_SECONDS = 3
_IDLE_SECONDS = 75
"""So long a connection waits for the next click of whoever looks at the screens."""
_LARGEST_FRAME = 4096
_INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <title>{%title%}</title>
    <link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
    <script src="/assets/scheme.js"></script>
    {%css%}
  </head>
  <body>
    {%app_entry%}
    <noscript>This page needs JavaScript.</noscript>
    <footer>
      {%config%}
      {%scripts%}
      {%renderer%}
    </footer>
  </body>
</html>
"""


def create_app(settings: Settings) -> Dash:
    """The app, ready to be served as `create_app(settings).server`; opens nothing yet."""
    gold = PublishedGold(settings)
    bus, reader, lifespan = live.follow(settings)
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app = Dash(
        __name__,
        server=server,
        title=shell.NAME,
        update_title="",
        index_string=_INDEX,
        assets_ignore="scheme.js",
        use_pages=False,
        suppress_callback_exceptions=True,  # a page that is not mounted has none of its parts
        enable_mcp=False,
        add_log_handler=False,
    )
    # Pages hear of news by /live; without this the browser would also keep Dash's own socket open.
    app.backend.websocket_capability = False
    app.layout = lambda: shell.layout(gold)
    shell.register(app, gold)
    live.add_route(server, bus)
    routes.add_routes(server, gold)
    _add_health(server, gold)
    metrics.add_routes(server, gold, reader=reader, clients=lambda: len(bus))
    _add_quality_report(server, settings)
    _add_mails(server, settings)
    # Dash does this when "/" is first asked for; a page that came before it had none of our assets.
    app._setup_server()
    hosts = answered_hosts(settings)
    server.add_middleware(
        Guard,
        hosts=hosts,
        headers=security_headers(hosts=hosts, script_hashes=app.csp_hashes()),
        callbacks=app.callback_map,
        packages=app.registered_paths,
    )
    return app


def serve(settings: Settings) -> None:
    """Serve the screens until the process is asked to stop.

    Raises:
        LakeError: The port is taken.
    """
    listening = listen(settings)
    config = uvicorn.Config(
        create_app(settings).server,
        log_level=settings.log_level.lower(),
        access_log=False,
        server_header=False,
        ws_max_size=_LARGEST_FRAME,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_WITHIN_SECONDS,
    )
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def listen(settings: Settings) -> socket.socket:
    """A socket on the dashboard's port, so that a taken one is known before anything starts.

    Raises:
        LakeError: The port is taken or may not be used.
    """
    port = settings.dashboard_port
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((str(settings.dashboard_host), port))
        listening.listen()
    except OSError as error:
        listening.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
        raise LakeError(
            f"Port {port} of the dashboard {why}: stop the program that uses it, or choose another "
            "port with LAKE_DASHBOARD_PORT."
        ) from error
    return listening


def _add_health(server: FastAPI, gold: PublishedGold) -> None:
    def health() -> Any:
        try:
            with gold.reader() as reader:
                reader.cursor.execute("select 1").fetchall()
                return {"status": "ok", "run_id": reader.version.run_id}
        except NothingPublished:
            return {"status": "empty", "run_id": None}
        except LakeError as error:
            content = {"status": "error", "run_id": None, "message": str(error)}
            return JSONResponse(content, status_code=503)

    server.add_api_route("/healthz", health, methods=["GET"])


def _add_quality_report(server: FastAPI, settings: Settings) -> None:
    def quality_report() -> HTMLResponse:
        try:
            page = (settings.reports_dir / PAGE).read_text(encoding="utf-8")
        except OSError:
            text = "<!doctype html><title>Quality of silver</title><p>The gate has not judged yet."
            return HTMLResponse(text, status_code=404)
        return HTMLResponse(page)

    server.add_api_route(QUALITY_REPORT, quality_report, methods=["GET"])


def _add_mails(server: FastAPI, settings: Settings) -> None:
    def mail(name: str) -> HTMLResponse:
        page = archive.page_of(name, settings=settings)
        if page is None:
            text = "<!doctype html><title>No such mail</title><p>The archive has no such mail."
            return HTMLResponse(text, status_code=404)
        return HTMLResponse(page)

    server.add_api_route(f"{MAIL}{{name}}", mail, methods=["GET"])


def main() -> int:
    """Serve with the settings of the environment; returns the exit code."""
    settings = Settings()
    logging.basicConfig(level=settings.log_level)
    try:
        print(f"Cartlake dashboard: {address(settings)} (Ctrl-C stops it)", flush=True)
        serve(settings)
    except LakeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
