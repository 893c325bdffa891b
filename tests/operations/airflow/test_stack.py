"""The real Airflow: it parses the DAGs, runs them, starts and stops as one: `lake test --stack`.

Each command is `lake`'s own, as a person types it; Airflow is installed by the first of them.
"""

import html
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from lakehouse.errors import LakeError
from lakehouse.processes import programs
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.state import claim
from operations.airflow import api, embedded, runs
from operations.timetable import timetable
from tests.brokers import free_ports
from tests.history_sums import LAST_DAY, expected_sales
from tests.mail_sink import mail_sink, text_of

pytestmark = pytest.mark.stack

LAKE = Path(sys.prefix) / "bin" / "lake"
HEAVY = {"pyspark", "dbt", "great_expectations", "kafka", "duckdb", "delta", "dash", "pyarrow"}


@dataclass(frozen=True)
class Stack:
    """A state folder with ports of its own, and `lake` on it."""

    settings: Settings

    def lake(self, *words: str, code: int = 0) -> str:
        """Run a command to its end, which must be this exit code; returns what it printed."""
        done = subprocess.run(
            [str(LAKE), *words],
            env=self.settings.environment(),
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def current(self) -> dict[str, str]:
        """The pointer to the gold in service."""
        found: dict[str, str] = json.loads((self.settings.gold_dir / "CURRENT").read_text("utf-8"))
        return found

    def events_of_gold(self) -> int:
        """How often Airflow was told that there is new gold."""
        asked = "select count(*) from asset_event join asset on asset.id = asset_id where name = ?"
        with sqlite3.connect(self.settings.airflow_dir / "airflow.db") as database:
            return int(database.execute(asked, ("gold",)).fetchone()[0])

    def sales(self) -> tuple[Decimal, Decimal]:
        """Gross sales and cancellations of the gold in service."""
        asked = "select sum(gross_amount), sum(cancelled_amount) from gold.fct_daily_sales"
        gross, cancelled = self.lake("query", asked, "--format", "csv").splitlines()[-1].split(",")
        return Decimal(gross), Decimal(cancelled)


@pytest.fixture(scope="module")
def stack(jars_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A fresh state with a broker that holds the first days of the history."""
    home = tmp_path_factory.mktemp("stack folder") / "state"
    claim(Settings(home=home))
    (home / "jars").symlink_to(jars_dir, target_is_directory=True)
    kafka, controller, airflow = free_ports(3)
    found = Stack(
        Settings(
            home=home,
            storage=None,
            kafka_bootstrap=None,
            kafka_port=kafka,
            kafka_controller_port=controller,
            airflow_port=airflow,
        )
    )
    found.lake("broker", "start")
    try:
        found.lake("produce", "history", "--until", LAST_DAY)
        yield found
    finally:
        found.lake("airflow", "stop")
        found.lake("broker", "stop")


def test_airflow_parses_every_dag_of_the_timetable(stack: Stack) -> None:
    found = runs.check(stack.settings, say=print)
    assert found.errors == {}
    assert found.dags == {
        each.name: sorted(task.name for task in each.tasks) for each in timetable()
    }
    assert "airflow" in found.modules
    assert not found.modules & HEAVY
    said = stack.lake("airflow", "check")
    assert f"{len(found.dags)} DAGs in " in said
    assert ", 0 errors" in said


def test_a_run_publishes_what_the_rows_add_up_to_and_a_second_one_changes_nothing(
    stack: Stack,
) -> None:
    stack.lake("airflow", "run", "shop_daily")
    assert stack.sales() == expected_sales()
    assert stack.events_of_gold() == 1
    before = stack.current()
    gold = (stack.settings.gold_dir / before["file"]).read_bytes()
    assert "0 records wait in Kafka" in stack.lake("lag")

    stack.lake("airflow", "run", "shop_daily")
    assert stack.current() == before
    assert (stack.settings.gold_dir / before["file"]).read_bytes() == gold
    stack.lake("audit", "--full")

    days = ("--set", "from=2010-12-01", "--set", f"to={LAST_DAY}")
    stack.lake("airflow", "run", "shop_backfill", *days)
    assert stack.sales() == expected_sales()
    assert stack.current()["file"] == before["file"]


def test_a_failed_run_says_the_commands_own_sentence_and_mails_it_once(stack: Stack) -> None:
    days = ("--set", "from=2010-12-03", "--set", "to=2010-12-01")
    sentence = stack.lake("backfill", "--from", "2010-12-03", "--to", "2010-12-01", code=2).strip()
    with mail_sink() as (port, mails):
        said = mailing(stack, port).lake("airflow", "run", "shop_backfill", *days, code=1)
    assert f"backfill failed: {sentence}" in said
    assert "To see more: `lake audit`." in said
    assert [mail["To"] for mail in mails] == ["owner@shop.example"]
    assert mails[0]["Subject"] == "Cartlake: backfill of shop_backfill failed"
    text = html.unescape(text_of(mails[0]))
    assert sentence in text
    assert "<code>lake audit</code>" in text
    assert "<code>lake airflow run shop_backfill --set from=DAY --set to=DAY</code>" in text


def test_a_row_of_failed_watches_mails_the_first_time(stack: Stack) -> None:
    with mail_sink() as (port, mails):
        deaf = mailing(stack, port, kafka_bootstrap=f"127.0.0.1:{free_ports(1)[0]}")
        for _ in range(2):
            assert "lag failed: No Kafka" in deaf.lake(
                "airflow", "run", "shop_streaming_watch", code=1
            )
    assert [mail["Subject"] for mail in mails] == ["Cartlake: lag of shop_streaming_watch failed"]


def mailing(stack: Stack, port: int, **changes: str) -> Stack:
    """The same state; who is to hear of failures is set."""
    alert = {"alert_smtp": f"smtp://127.0.0.1:{port}", "alert_to": "owner@shop.example"}
    return Stack(stack.settings.model_copy(update={**alert, **changes}))


def test_airflow_starts_on_loopback_runs_a_dag_and_leaves_nothing_behind(stack: Stack) -> None:
    settings = stack.settings
    said = stack.lake("airflow", "start")
    assert f"http://127.0.0.1:{settings.airflow_port}" in said
    assert "password" in said
    running = embedded.running(settings)
    assert running is not None
    assert api.unwell(settings) == []
    members = [each for each in psutil.process_iter() if _session(each.pid) == running.pid]
    open_to = {
        connection.laddr.ip
        for each in members
        for connection in each.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert open_to == {"127.0.0.1"}
    with pytest.raises(LakeError, match=r"refused .*401"):
        api.request(settings, "/api/v2/dags")
    assert "runs already at" in stack.lake("airflow", "start", code=2)

    stack.lake("airflow", "run", "shop_streaming_watch")
    stack.lake("airflow", "stop")
    assert not any(psutil.pid_exists(each.pid) for each in members)
    assert programs.is_free(settings.airflow_port)
    again = stack.lake("airflow", "start")
    assert "password" not in again
    stack.lake("airflow", "stop")


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1
