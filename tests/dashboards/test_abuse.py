"""Payloads of attackers against the served dashboard: refused, or shown as text, never an error."""

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

PAYLOADS = (
    "x' or '1'='1",
    "'; drop table gold.fct_order_lines; --",
    'x" union select customer_id from gold.dim_customers --',
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "\x00\x1f\ufffd",
    "9" * 30_000,
)
PARAMETERS = ("from", "to", "period", "country", "source", "product", "compare", "nonsense")
PATHS = (
    "/../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/assets/..%2f..%2fapp.py",
    "/_dash-component-suites/dash/..%2f..%2f..%2fetc%2fpasswd",
    "/export/..%2f..%2fCURRENT",
    "/reports/mails/..%2f..%2f..%2fetc%2fpasswd",
    "/%3Cscript%3Ealert(1)%3C/script%3E",
    "/%00",
    "/" + "a" * 30_000,
)
HEADERS = (
    {"Host": "evil.example"},
    {"Host": "127.0.0.1:1"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": "<script>"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "file://"},
    {"Origin": "'; drop table x; --"},
)
FRAMES = ("{", "[" * 2_000, '{"epoch": "<script>"}', b"\x00\xff" * 500, "x" * 100_000)
Call = Callable[..., tuple[int, str, bytes]]


@pytest.fixture
def call(server: Any) -> Call:
    """Sends a request as it is, and gives status, type and body of the answer."""
    server.clear()
    server.publish("run-1")

    def send(path: str, body: Any = None, **headers: str) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.settings.dashboard_port)
        data = None if body is None else json.dumps(body).encode()
        kind = {} if data is None else {"Content-Type": "application/json"}
        connection.request("POST" if data else "GET", path, data, {**kind, **headers})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, response.getheader("content-type") or "", content

    return send


def fault(status: int, kind: str, content: bytes) -> str:
    """What is wrong with an answer to a payload; nothing where it is refused or shown as text."""
    if status >= 500 or b"Traceback" in content or b"dashboard's log" in content:
        return f"{status} {content[:80]!r}"
    if b"root:" in content or ("html" in kind and b"<script>alert" in content):
        return "it was carried out"
    return ""


def test_payloads_in_every_parameter_of_files_are_refused_or_text(call: Call) -> None:
    faults = {}
    for parameter in PARAMETERS:
        for payload in PAYLOADS:
            file = "executive.html" if "script" in payload else "country.csv"
            path = f"/export/{file}?{parameter}={quote(payload)}"
            faults[parameter, payload[:20]] = fault(*call(path))
    assert len(faults) >= 60
    assert {key: each for key, each in faults.items() if each} == {}


def test_payloads_in_every_parameter_of_pages_are_said_as_text(call: Call) -> None:
    known = json.loads(call("/_dash-dependencies")[2])
    spec = next(each for each in known if "products-body.children" in each["output"])
    name, prop = spec["output"].rsplit(".", 1)
    faults = {}
    for parameter in PARAMETERS:
        for payload in PAYLOADS:
            values = [f"?{parameter}={quote(payload)}", None]
            inputs = zip(spec["inputs"], values, strict=True)
            body = {
                "output": spec["output"],
                "outputs": {"id": name, "property": prop},
                "inputs": [{**each, "value": value} for each, value in inputs],
                "changedPropIds": [],
            }
            answer = call("/_dash-update-component", body)
            assert answer[0] == 200
            json.loads(answer[2])
            faults[parameter, payload[:20]] = fault(*answer)
    assert {key: each for key, each in faults.items() if each} == {}


def test_paths_hosts_and_origins_of_attackers_are_refused(call: Call) -> None:
    answers = {path[:40]: call(path) for path in PATHS}
    assert {path: fault(*each) for path, each in answers.items() if fault(*each)} == {}
    assert [call("/", **headers)[0] for headers in HEADERS] == [403] * len(HEADERS)


def test_frames_that_mean_nothing_leave_the_server_as_it_is(call: Call, server: Any) -> None:
    port = server.settings.dashboard_port
    for frame in FRAMES:
        with connect(
            f"ws://127.0.0.1:{port}/live", origin=Origin(f"http://127.0.0.1:{port}")
        ) as client:
            try:
                client.send(frame)
                client.recv(timeout=5)
            except (WebSocketException, TimeoutError):
                continue  # a frame too large ends its connection
    assert call("/healthz")[0] == 200
