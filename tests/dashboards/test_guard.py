"""The outermost layer: who is let in, which bodies fit a callback, which headers answers have."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
from dash import Input, Output, State

from dashboards.guard import Guard, answered_hosts, callback_problem, security_headers
from lakehouse.settings import Settings

HERE = "127.0.0.1:8050"


class Inner:
    """Stands where Dash stands: notes the bodies that reach it and answers 200."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        self.bodies.append(message.get("body", b""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


def entry() -> dict[str, Any]:
    return {
        "inputs": [{"id": "a", "property": "value"}],
        "state": [{"id": "b", "property": "data"}],
        "output": Output("c", "children"),
        "callback": print,
    }


CALLBACKS = {"c.children": entry(), "clientside": {**entry()}}
del CALLBACKS["clientside"]["callback"]
GOOD = {
    "output": "c.children",
    "outputs": {"id": "c", "property": "children"},
    "inputs": [{"id": "a", "property": "value", "value": 1}],
    "state": [{"id": "b", "property": "data"}],
    "changedPropIds": ["a.value"],
}


def ask(
    path: str = "/",
    *,
    host: str | None = HERE,
    origin: str | None = None,
    body: Iterable[bytes] = (b"",),
    method: str = "GET",
    kind: str = "http",
    settings: Settings | None = None,
) -> tuple[list[dict[str, Any]], Inner]:
    """Messages that a client gets, and what stands behind the guard."""
    inner = Inner()
    hosts = answered_hosts(settings or Settings(dashboard_port=8050, dashboard_allowed_hosts=None))
    guard = Guard(
        inner,
        hosts=hosts,
        headers=security_headers(hosts=hosts, script_hashes=["'sha256-x'"]),
        callbacks=CALLBACKS,
        packages={"dash": {"known.js"}},
    )
    headers = [(b"host", host.encode())] if host is not None else []
    headers += [(b"origin", origin.encode())] if origin is not None else []
    parts = list(body)
    incoming: list[dict[str, Any]] = [
        {"type": "http.request", "body": part, "more_body": part is not parts[-1]} for part in parts
    ]
    if kind == "websocket":
        incoming = [{"type": "websocket.connect"}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {"type": kind, "path": path, "method": method, "headers": headers}
    asyncio.run(guard(scope, receive, send))
    return sent, inner


def status_of(*args: Any, **changes: Any) -> int:
    return int(ask(*args, **changes)[0][0]["status"])


@pytest.mark.parametrize("host", [HERE, "localhost:8050", "LOCALHOST:8050", "[::1]:8050"])
def test_loopback_names_with_the_port_are_let_in(host: str) -> None:
    assert status_of(host=host) == 200


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "evil.example:8050", "127.0.0.1", "127.0.0.1:80", "10.0.0.7"]
)
def test_other_hosts_are_refused(host: str | None) -> None:
    assert status_of(host=host) == 403


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("Dashboard:8050", "http://dashboard:8050", 200),
        ("shop.example:443", "http://shop.example:443", 200),
        (HERE, f"http://{HERE}", 200),
        ("shop.example:8050", None, 403),
        ("dashboard", None, 403),
        ("evil.example:8050", None, 403),
        ("dashboard:8050", "http://evil.example:8050", 403),
    ],
)
def test_names_of_the_settings_are_let_in_and_no_others(
    host: str, origin: str | None, status: int
) -> None:
    opened = Settings(
        dashboard_port=8050,
        dashboard_host="0.0.0.0",  # noqa: S104 - nothing is bound here
        dashboard_allowed_hosts="dashboard,Shop.example:443",
    )
    assert status_of(host=host, origin=origin, settings=opened) == status
    policy = dict(ask(host=HERE, settings=opened)[0][0]["headers"])[b"content-security-policy"]
    assert b"ws://localhost:8050 ws://dashboard:8050 ws://shop.example:443;" in policy


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://127.0.0.1:8050", 200),
        ("http://localhost:8050", 200),
        ("https://127.0.0.1:8050", 403),
        ("http://127.0.0.1:8051", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_requests_from_pages_of_other_origins_are_refused(origin: str | None, status: int) -> None:
    assert status_of(origin=origin) == status


@pytest.mark.parametrize(
    ("path", "host", "origin", "answer"),
    [
        ("/live", HERE, f"http://{HERE}", "websocket.accept"),
        ("/live", HERE, "http://evil.example", "websocket.close"),
        ("/live", HERE, None, "websocket.close"),
        ("/live", "evil.example", "http://evil.example", "websocket.close"),
        ("/_dash-ws-callback", HERE, f"http://{HERE}", "websocket.close"),
    ],
)
def test_sockets_need_our_host_and_our_origin(
    path: str, host: str, origin: str | None, answer: str
) -> None:
    assert ask(path, host=host, origin=origin, kind="websocket")[0][0]["type"] == answer


def test_every_answer_carries_the_security_headers() -> None:
    for messages in (ask()[0], ask(host="evil.example")[0]):
        headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self' 'sha256-x';" in policy
        assert "unsafe-eval" not in policy
        assert "frame-ancestors 'none'" in policy


def test_an_honest_callback_reaches_dash_with_its_whole_body() -> None:
    whole = json.dumps(GOOD).encode()
    sent, inner = ask("/_dash-update-component", method="POST", body=[whole[:9], whole[9:]])
    assert (sent[0]["status"], inner.bodies) == (200, [whole])


@pytest.mark.parametrize(
    ("body", "status"), [(b"x" * 65_537, 413), (b"{}", 400), (b"", 400), (b"[" * 60_000, 400)]
)
def test_other_bodies_never_reach_dash(body: bytes, status: int) -> None:
    sent, inner = ask("/_dash-update-component", method="POST", body=[body])
    assert (sent[0]["status"], inner.bodies) == (status, [])


@pytest.mark.parametrize(
    "change",
    [
        {"output": "other.children"},
        {"output": ["c.children"]},
        {"output": {"a": 1}},
        {"output": None},
        {"output": "clientside"},
        {"inputs": []},
        {"inputs": None},
        {"inputs": "a"},
        {"inputs": [None]},
        {"inputs": [{"id": "z", "property": "value"}]},
        {"inputs": [{"id": "a", "property": "value"}, {"id": "a", "property": "value"}]},
        {"state": [{"id": "b", "property": "other"}]},
        {"outputs": None},
        {"outputs": []},
        {"outputs": [{"id": "c", "property": "children"}]},
        {"outputs": {"id": "c", "property": "style"}},
        {"changedPropIds": "a.value"},
        {"changedPropIds": [1]},
    ],
)
def test_a_body_that_fits_no_callback_is_named(change: dict[str, Any]) -> None:
    assert callback_problem(json.dumps(GOOD).encode(), CALLBACKS) == ""
    assert callback_problem(json.dumps(GOOD | change).encode(), CALLBACKS)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"7", b'"x"', b"null", b"NaN"])
def test_a_body_that_is_no_object_is_named(body: bytes) -> None:
    assert callback_problem(body, CALLBACKS)


def test_files_that_dash_did_not_name_are_not_found() -> None:
    assert status_of("/_dash-component-suites/os/path.js") == 404
    assert status_of("/_dash-component-suites/dash/known.js") == 200
    assert status_of("/_dash-component-suites/dash/known.v4_4_1m17.js") == 200
    assert status_of("/_dash-component-suites/dash/other.js") == 404


def test_the_callbacks_under_test_are_shaped_as_dash_shapes_them() -> None:
    from dash import Dash

    app = Dash("shape", server=False)
    app.callback(Output("c", "children"), Input("a", "value"), State("b", "data"))(print)
    found = app.callback_map["c.children"]
    assert {key: found[key] for key in ("inputs", "state")} == {
        key: entry()[key] for key in ("inputs", "state")
    }
