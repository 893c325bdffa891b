"""Health checks of the containers: by the work of a service, with what is wrong in one line."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lakehouse.settings import PROJECT_ROOT


def health(*words: str, **variables: object) -> tuple[int, str]:
    """Exit code and words of the check."""
    done = subprocess.run(
        [sys.executable, str(PROJECT_ROOT / "deploy" / "health.py"), *words],
        env={**os.environ, **{name: str(value) for name, value in variables.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip()


@contextmanager
def answering(content: Any) -> Iterator[int]:
    """A server that answers every request with this JSON; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("ok", (0, "")), ("empty", (0, "")), ("error", (1, "the screens say error"))],
)
def test_the_dashboard_is_asked_whether_it_reads_gold(
    status: str, verdict: tuple[int, str]
) -> None:
    with answering({"status": status}) as port:
        assert health("dashboard", LAKE_DASHBOARD_PORT=port) == verdict


def test_a_part_of_airflow_is_judged_by_what_the_server_says_of_it() -> None:
    answer = {"scheduler": {"status": "healthy"}, "dag_processor": {"status": "unhealthy"}}
    with answering(answer) as port:
        place = {"LAKE_AIRFLOW_HOST": "127.0.0.1", "LAKE_AIRFLOW_PORT": port}
        assert health("airflow", "scheduler", **place) == (0, "")
        wrong = (1, "dag_processor is unhealthy")
        assert health("airflow", "dag_processor", **place) == wrong
        assert health("airflow", "triggerer", **place)[0] == 1
    assert health("airflow", "scheduler", **place)[0] == 1


def test_the_daily_run_must_have_passed_and_not_long_ago(tmp_path: Path) -> None:
    report = tmp_path / "reports" / "latest.json"
    state = {"LAKE_HOME": tmp_path, "PUBLISH_EVERY": "10m"}
    assert health("daily", **state)[0] == 1
    report.parent.mkdir()
    report.write_text('{"verdict": "passed"}', encoding="ascii")
    assert health("daily", **state) == (0, "")
    old = time.time() - 3 * 3600
    os.utime(report, (old, old))
    assert health("daily", **state) == (1, "no run has ended for 3.0 hours")
    assert health("daily", LAKE_HOME=tmp_path, PUBLISH_EVERY="2h") == (0, "")
    report.write_text('{"verdict": "failed"}', encoding="ascii")
    assert health("daily", **state) == (1, "the last run failed")


def test_the_shop_must_have_sent_something_a_moment_ago(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger" / "produced.jsonl"
    assert health("shop", LAKE_HOME=tmp_path)[0] == 1
    ledger.parent.mkdir()
    ledger.touch()
    assert health("shop", LAKE_HOME=tmp_path) == (0, "")
    old = time.time() - 300
    os.utime(ledger, (old, old))
    code, said = health("shop", LAKE_HOME=tmp_path)
    assert code == 1
    assert re.fullmatch(r"nothing was acknowledged for 3\d\d seconds", said)  # and its own start
