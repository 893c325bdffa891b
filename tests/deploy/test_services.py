"""The services in real containers: figures, rights, a killed container: `lake test --stack`.

They have a project name and ports of their own, and leave neither containers nor volumes. Images
that are not there are pulled or built.
"""

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from lakehouse.settings import PROJECT_ROOT
from tests.brokers import free_ports
from tests.history_sums import LAST_DAY, expected_sales

pytestmark = pytest.mark.stack

UP_SECONDS = 900


@dataclass(frozen=True)
class Compose:
    """A project of containers, and the variables that its file reads."""

    name: str
    variables: dict[str, str]

    def __call__(self, *words: str) -> str:
        """Run `docker compose` to its end, which must be a good one; returns what it printed."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, *words],
            cwd=PROJECT_ROOT,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=UP_SECONDS,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        return done.stdout

    def lake(self, *words: str) -> str:
        """Run a command of ours beside the services."""
        return self("exec", "-T", "daily", "lake", *words)

    def sales(self) -> tuple[Decimal, Decimal]:
        """Gross sales and cancellations of the extract, as the gold in service has them."""
        asked = (
            "select sum(gross_amount), sum(cancelled_amount) from gold.fct_daily_sales "
            "where source_system = 'erp'"
        )
        gross, cancelled = self.lake("query", asked, "--format", "csv").splitlines()[-1].split(",")
        return Decimal(gross), Decimal(cancelled)

    def health(self) -> dict[str, str]:
        """Health, or state, of each service that runs."""
        rows = [json.loads(line) for line in self("ps", "--format", "json").splitlines()]
        return {row["Service"]: row["Health"] or row["State"] for row in rows}


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    dashboard, kafka = free_ports(2)
    found = Compose(
        f"cartlake-test-{os.getpid()}",
        {
            "LAKE_DASHBOARD_PORT": str(dashboard),
            "LAKE_KAFKA_PORT": str(kafka),
            "HISTORY_OPTIONS": f"--until {LAST_DAY}",
            "COMPOSE_PROFILES": "",
        },
    )
    try:
        found("up", "--build", "--wait", "--quiet-pull")
        yield found
    finally:
        found("down", "--volumes", "--timeout", "5")
        assert found("ps", "--all", "--quiet") == ""
        assert not [each for each in volumes() if each.startswith(found.name)]


def volumes() -> list[str]:
    """Names of all volumes of the engine."""
    command = ["docker", "volume", "ls", "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def screens(compose: Compose) -> dict[str, Any]:
    """What the screens say of themselves, asked from this machine."""
    port = compose.variables["LAKE_DASHBOARD_PORT"]
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_up_brings_the_sums_of_the_rows_onto_the_screens(compose: Compose) -> None:
    assert set(compose.health().values()) == {"healthy"}
    assert compose.sales() == expected_sales()
    assert screens(compose)["status"] == "ok"
    log = compose("logs", "--no-log-prefix", "daily")
    port = compose.variables["LAKE_DASHBOARD_PORT"]
    assert re.search(r"Reconciled: all \d+ equations hold\.", log)
    assert f"Screens: http://127.0.0.1:{port}/" in log
    assert f"£{expected_sales()[0]:,.2f}" in log


def test_a_service_that_is_killed_comes_back_and_a_second_up_changes_nothing(
    compose: Compose,
) -> None:
    for name in ("streams", "daily", "dashboard"):
        kill = "import os; os.kill(-1, 9)"  # all but the container's own init
        subprocess.run(
            [
                *("docker", "compose", "--project-name", compose.name),
                *("exec", "-T", name, "python", "-c", kill),
            ],
            cwd=PROJECT_ROOT,
            env={**os.environ, **compose.variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    compose("kill", "--signal", "KILL", "kafka")
    compose("up", "--wait")
    assert set(compose.health().values()) == {"healthy"}
    assert compose.sales() == expected_sales()
    compose.lake("audit", "--full")
