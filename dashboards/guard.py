"""Who may talk to the screens, and with what: the outermost ASGI layer.

In: every http and websocket scope. Out: the same, or a short refusal before Dash sees it. A page of
another site cannot reach the server by a foreign name (Host) or from its own pages (Origin); a
callback body that does not fit a callback is a 4xx, never a server error.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dash.fingerprint import check_fingerprint
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lakehouse.settings import Settings

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
CALLBACK_PATH = "/_dash-update-component"
LARGEST_BODY = 64 * 1024
_SUITES = "/_dash-component-suites/"
_CLOSED = ("/_dash-ws-callback",)
_POLICY_VIOLATION = 1008


def answered_hosts(settings: Settings) -> tuple[str, ...]:
    """Values of the Host header that are let in: the loopback names, and those of the settings."""
    further = (settings.dashboard_allowed_hosts or "").lower().split(",")
    names = (*_LOOPBACK_NAMES, *filter(None, further))
    port = settings.dashboard_port
    return tuple(name if name in further and ":" in name else f"{name}:{port}" for name in names)


def security_headers(*, hosts: Sequence[str], script_hashes: Iterable[str]) -> dict[str, str]:
    """Headers of every answer.

    What Dash needs of the content security policy: its renderer starts from one inline script, let
    in by its hash; Mantine and Plotly write `<style>` elements and style attributes, so styles need
    'unsafe-inline' (no script can hide in them); Plotly draws exported images from blob: and data:.
    The socket is named by every name, as older browsers do not count ws: as 'self'.
    """
    sockets = " ".join(f"ws://{host}" for host in hosts if not host.startswith("["))
    policy = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *script_hashes]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": f"'self' {sockets}",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }


class Guard:
    """Refuses foreign hosts and origins, large or odd bodies, and adds the security headers."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Sequence[str],
        headers: Mapping[str, str],
        callbacks: Mapping[str, Any],
        packages: Mapping[str, Any],
    ) -> None:
        self.app = app
        self._hosts = frozenset(hosts)
        self._origins = {f"http://{host}" for host in self._hosts}
        self._headers = dict(headers)
        self._callbacks = callbacks
        self._packages = packages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = scope["path"] in _CLOSED or self._stranger(
            Headers(scope=scope), needs_origin=True
        )
        if refused:
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        refusal = self._stranger(Headers(scope=scope), needs_origin=False)
        if refusal:
            await _refuse(403, refusal, scope, receive, send_guarded)
        elif self._is_unknown_file(scope["path"]):
            await _refuse(404, "There is no such file.", scope, receive, send_guarded)
        elif scope["method"] in ("POST", "PUT", "PATCH", "DELETE"):
            await self._with_body(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)

    def _stranger(self, headers: Headers, *, needs_origin: bool) -> str:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "This server does not answer to that name."
        if len(origins) > 1 or (needs_origin and not origins):
            return "A request needs one origin."
        if origins and origins[0].lower() not in self._origins:
            return "Requests from other origins are refused."
        return ""

    def _is_unknown_file(self, path: str) -> bool:
        package, _, name = path.removeprefix(_SUITES).partition("/")
        known = self._packages.get(package, ())
        return path.startswith(_SUITES) and check_fingerprint(name)[0] not in known

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            await _refuse(413, "The request is too large.", scope, receive, send)
            return
        if scope["path"] == CALLBACK_PATH:
            problem = callback_problem(body, self._callbacks)
            if problem:
                await _refuse(400, problem, scope, receive, send)
                return
        is_sent = False

        async def replay() -> Message:
            nonlocal is_sent
            if is_sent:
                return await receive()
            is_sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)


def callback_problem(body: bytes, callbacks: Mapping[str, Any]) -> str:
    """Why a body is no request for one of the callbacks; empty when it is one."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return "The request is no JSON."
    known = callbacks.get(content.get("output", "")) if _is_named(content) else None
    if known is None or "callback" not in known:
        return "There is no such callback."
    for key in ("inputs", "state"):
        if _slots(content.get(key, [])) != _slots(known[key]):
            return f"The {key} do not fit the callback."
    outputs = content.get("outputs")
    given = outputs if isinstance(outputs, list) else [outputs]
    expected = known["output"] if isinstance(known["output"], list) else [known["output"]]
    wanted = [(each.component_id, each.component_property) for each in expected]
    if _slots(given) != wanted or isinstance(outputs, list) != isinstance(known["output"], list):
        return "The outputs do not fit the callback."
    changed = content.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(each, str) for each in changed):
        return "The changed properties must be texts."
    return ""


def _is_named(content: object) -> bool:
    return isinstance(content, dict) and isinstance(content.get("output"), str)


def _slots(given: object) -> list[tuple[Any, Any]] | None:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        return None
    return [(each.get("id"), each.get("property")) for each in given]


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or nothing when it is larger than any honest request."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if sum(map(len, parts)) > LARGEST_BODY:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return b"".join(parts)


async def _refuse(status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"error": text}, status_code=status)(scope, receive, send)
