"""The served app over http and its socket: health, refusals, odd requests, a taken port."""

import http.client
import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from dashboards.app import listen, serve
from dashboards.pages.data_health.cards import QUALITY_REPORT
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from quality.gate.report import render, store_results
from quality.gate.verdicts import GateResult

CALLBACK = "/_dash-update-component"
Answer = tuple[int, dict[str, str], bytes]
Ask = Callable[..., Answer]


@pytest.fixture
def ask(server: Any) -> Ask:
    """Sends one request to the served app."""
    server.clear()

    def send(path: str, *, body: Any = None, method: str = "", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", server.settings.dashboard_port)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            headers = {"Content-Type": "application/json", **headers}
        connection.request(method or ("POST" if data else "GET"), path, data, headers)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        content = response.read()
        connection.close()
        return response.status, found, content

    return send


def health_call(**changes: Any) -> dict[str, Any]:
    return {
        "output": "health-body.children",
        "outputs": {"id": "health-body", "property": "children"},
        "inputs": [
            {"id": "epoch", "property": "data", "value": None},
        ],
        "changedPropIds": ["epoch.data"],
        **changes,
    }


def figures_call(ask: Ask, search: Any) -> Answer:
    """The main callback of Sales for any filters, in the shape that Dash asks for."""
    known = json.loads(ask("/_dash-dependencies")[2])
    spec = next(each for each in known if "kpis.children" in each["output"])
    parts = [each.rsplit(".", 1) for each in spec["output"].strip(".").split("...")]
    values = [search, None]
    return ask(
        CALLBACK,
        body={
            "output": spec["output"],
            "outputs": [{"id": name, "property": prop} for name, prop in parts],
            "inputs": [
                {**each, "value": value} for each, value in zip(spec["inputs"], values, strict=True)
            ],
            "changedPropIds": [],
        },
    )


def test_health_tells_an_empty_a_good_and_a_broken_state(ask: Ask, server: Any) -> None:
    empty = ask("/healthz")
    server.publish("run-1")
    good = ask("/healthz")
    (server.settings.gold_dir / "CURRENT").write_text("{", encoding="utf-8")
    broken = ask("/healthz")
    assert (empty[0], json.loads(empty[2])) == (200, {"status": "empty", "run_id": None})
    assert (good[0], json.loads(good[2])) == (200, {"status": "ok", "run_id": "run-1"})
    assert (broken[0], json.loads(broken[2])["status"]) == (503, "error")


def test_the_page_of_the_gates_results_is_served_as_the_last_run_left_it(
    ask: Ask, server: Any
) -> None:
    missing = ask(QUALITY_REPORT)
    result = GateResult((), {}, 0.1)
    store_results(result, run_id="a", folder=server.settings.reports_dir)
    status, headers, page = ask(QUALITY_REPORT)
    assert (missing[0], b"has not judged yet" in missing[2]) == (404, True)
    assert (status, page.decode()) == (200, render(result))
    assert "default-src 'none'" in headers["content-security-policy"]
    assert b"http:" not in page
    assert b"https:" not in page


@pytest.mark.parametrize("path", ["/", "/data-health", "/nowhere"])
def test_whatever_page_is_asked_for_first_brings_its_own_scripts(
    fresh_server: Any, path: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", fresh_server.settings.dashboard_port)
    connection.request("GET", path)
    page = connection.getresponse().read().decode()
    connection.close()
    assert {"cartlake.js", "live.js"} <= set(re.findall(r"assets/(\w+\.js)", page))


def test_the_page_loads_nothing_from_another_host(ask: Ask) -> None:
    status, headers, page = ask("/")
    text = page.decode().replace("https:\\u002f\\u002fdash-version.plotly.com", "")
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert 'src="http' not in text
    assert 'href="http' not in text


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_no_api_pages_are_served(ask: Ask, path: str) -> None:
    _, headers, page = ask(path)
    assert b"swagger" not in page.lower()
    assert b"openapi" not in page.lower()
    assert headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "127.0.0.1:1"}, {"Origin": "http://evil.example"}],
)
def test_foreign_hosts_and_origins_are_refused(ask: Ask, headers: dict[str, str]) -> None:
    for path in ("/", "/healthz", "/_dash-layout", "/assets/cartlake.css"):
        assert ask(path, **headers)[0] == 403
    assert ask(CALLBACK, body=health_call(), **headers)[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[" * 5000,
        [],
        {},
        {"output": "nothing.children"},
        health_call(inputs=[]),
        health_call(outputs=[{"id": "kpis", "property": "children"}]),
        health_call(output="__proto__"),
        health_call(inputs=[{"id": {"a": 1}, "property": "data"}]),
    ],
)
def test_odd_callback_requests_are_the_senders_fault(ask: Ask, body: Any) -> None:
    status, _, content = ask(CALLBACK, body=body)
    assert status == 400
    assert set(json.loads(content)) == {"error"}


def test_a_request_without_an_end_is_cut_off(ask: Ask) -> None:
    assert ask(CALLBACK, body=b'"' + b"x" * 70_000 + b'"')[0] == 413


@pytest.mark.parametrize(
    "search",
    [
        "?from=2011-01-11&to=2011-01-03",
        "?from=0001-01-01&to=9999-12-31",
        "?country=x' or '1'='1",
        "?country=%ff%00<script>alert(1)</script>",
        "?period=../../etc/passwd",
        "?from=2011-01-03'; drop table gold.fct_orders; --&to=2011-01-11",
        "?" + "country=x&" * 9_000,
        {"props": {}},
        [True, 1e308],
    ],
)
def test_odd_filters_in_the_address_never_break_the_server(
    ask: Ask, server: Any, search: Any
) -> None:
    server.publish("run-1")
    status, _, content = figures_call(ask, search)
    assert status == (413 if len(search) > 65_536 else 200)
    assert b"Traceback" not in content
    assert b"dashboard's log" not in content


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/export/executive.html?period=7", 200),
        ("/export/country.csv?country=Germany", 200),
        ("/export/country.csv?country=%27%3B+drop+table+x", 400),
        ("/export/country.csv?from=1&to=<script>", 400),
        ("/export/country.csv?" + "country=x&" * 2_000, 400),
        ("/export/nothing.csv", 404),
    ],
)
def test_files_answer_odd_requests_in_words(ask: Ask, server: Any, path: str, status: int) -> None:
    assert ask("/export/country.csv")[0] == 404
    server.publish("run-1")
    found, headers, content = ask(path)
    assert found == status
    assert b"Traceback" not in content
    assert headers["x-content-type-options"] == "nosniff"


def test_an_error_inside_a_callback_is_a_sentence_on_the_page(ask: Ask, server: Any) -> None:
    path = server.publish("run-1")
    broken = path.with_name("gold-broken.duckdb")
    broken.write_bytes(b"this is no database" * 1000)
    pointer = {"run_id": "broken", "file": broken.name}
    (server.settings.gold_dir / "CURRENT").write_text(json.dumps(pointer), encoding="utf-8")
    status, _, content = figures_call(ask, "")
    assert status == 200
    assert b"This cannot be shown now" in content
    assert b"Traceback" not in content


@pytest.mark.parametrize("path", ["os/path.js", "nothing/x", "../../etc/passwd", "dash/../../x"])
def test_files_outside_the_packages_are_not_served(ask: Ask, path: str) -> None:
    status, _, content = ask(f"/_dash-component-suites/{path}")
    assert status < 500
    assert b"root:" not in content


def next_epoch(client: Any) -> Any:
    """The next news of a version; the server's signs of life are passed over."""
    while "beat" in (message := json.loads(client.recv(timeout=30))):
        pass
    return message


def test_the_socket_sends_news_to_our_own_pages(ask: Ask, server: Any) -> None:
    assert ask("/healthz")[0] == 200
    port = server.settings.dashboard_port
    own = Origin(f"http://127.0.0.1:{port}")
    with connect(f"ws://127.0.0.1:{port}/live", origin=own) as client:
        first = next_epoch(client)
        server.publish("run-1")
        second = next_epoch(client)
    assert first.keys() == second.keys() == {"epoch"}
    assert first != second


@pytest.mark.parametrize(
    ("path", "origin", "host"),
    [
        ("live", "http://evil.example", None),
        ("live", None, None),
        ("live", "http://evil.example", "evil.example"),
        ("_dash-ws-callback", "own", None),
    ],
)
def test_other_sockets_are_refused(
    server: Any, path: str, origin: str | None, host: str | None
) -> None:
    port = server.settings.dashboard_port
    sent: Any = f"http://127.0.0.1:{port}" if origin == "own" else origin
    extra = {"Host": host} if host else {}
    with (
        pytest.raises(InvalidStatus) as refusal,
        connect(f"ws://127.0.0.1:{port}/{path}", origin=sent, additional_headers=extra),
    ):
        pass
    assert refusal.value.response.status_code == 403


def test_only_the_loopback_address_listens(shop: Any) -> None:
    with listen(shop.settings) as listening:
        assert listening.getsockname() == ("127.0.0.1", shop.settings.dashboard_port)


def test_a_taken_port_is_named_with_the_setting_that_changes_it(shop: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(home=shop.settings.home, dashboard_port=taken.getsockname()[1])
        with pytest.raises(LakeError, match=r"Port \d+ .* is taken.*LAKE_DASHBOARD_PORT"):
            serve(settings)


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, dashboards; print({'dash', 'pandas', 'plotly', 'duckdb'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
