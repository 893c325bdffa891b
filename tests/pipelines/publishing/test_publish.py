"""One way into service: nothing new, a crash, a refusal spike, a lost pointer."""

import json
import signal
import subprocess
import sys

import duckdb
import pytest

from lakehouse.contracts.gold import FCT_ORDERS
from lakehouse.contracts.tables import QUARANTINE
from lakehouse.duck import open_gold
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.ledger import chain
from lakehouse.pointer import CURRENT, current_gold
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.audit import audit_service
from pipelines.publishing.publish import Workers
from quality.gate.refusal_spike import accept_run
from tests.lake_state import NewSettings, Published, bring_into_service, erp, failing

pytestmark = [pytest.mark.spark, pytest.mark.kafka]

KILLED_AFTER_THE_BUILD = """
import os, signal
from lakehouse.settings import Settings
from pipelines.publishing.publish import PublishOutcome, publish, warm_workers
from lakehouse.stages import StageLog, TreeMeter

settings = Settings()
with warm_workers(settings) as workers:
    publish(
        settings, outcome=PublishOutcome("killed"), log=StageLog(TreeMeter()),
        workers=lambda: workers, force=True,
        on_built=lambda: os.kill(os.getpid(), signal.SIGKILL),
    )
"""


def in_service(settings: Settings) -> str:
    return str(json.loads((settings.gold_dir / CURRENT).read_text())["run_id"])


def test_nothing_new_publishes_nothing(published: Published, workers: Workers) -> None:
    before = (published.settings.gold_dir / CURRENT).read_bytes()
    assert not bring_into_service(published.settings, workers).is_new
    assert (published.settings.gold_dir / CURRENT).read_bytes() == before


def test_a_lost_pointer_is_put_back_by_the_next_publish(
    published: Published, workers: Workers
) -> None:
    settings = published.settings
    (settings.gold_dir / CURRENT).unlink()
    assert "CURRENT points to run None" in failing(audit_service(settings, full=False))["R8"][0]
    assert bring_into_service(settings, workers, run_id="again").is_new
    assert in_service(settings) == "again"
    assert json.loads((settings.gold_dir / CURRENT).read_text())["fence"] == 3
    assert failing(audit_service(settings, full=True)) == {}


def test_a_failure_or_a_kill_in_mid_publish_keeps_the_old_gold_and_the_next_run_heals(
    published: Published, workers: Workers
) -> None:
    """T30: a failure and a SIGKILL between the build and the audit."""
    settings = published.settings

    def fail() -> None:
        raise RuntimeError("planted after the build")

    with pytest.raises(RuntimeError, match="planted"):
        bring_into_service(settings, workers, force=True, on_built=fail)
    child = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_THE_BUILD],
        cwd=PROJECT_ROOT,
        env={**settings.environment(), "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    assert in_service(settings) == "second"
    assert failing(audit_service(settings, full=True)) == {}
    bring_into_service(settings, workers, run_id="healed", force=True)
    assert in_service(settings) == "healed"
    assert not list((settings.gold_dir / "build").glob("killed"))
    with open_gold(current_gold(settings)) as gold:
        assert gold.execute("select count(*) from gold.fct_orders").fetchall()[0][0] > 40


def test_an_audit_that_fails_keeps_the_old_gold_in_service(
    published: Published, workers: Workers
) -> None:
    """T31: a wrong total planted in the built gold; the audit stops its publish."""
    settings = published.settings
    before = (settings.gold_dir / CURRENT).read_bytes()

    def falsify() -> None:
        (built,) = (settings.gold_dir / "build" / "wrong").glob("*.duckdb")
        with duckdb.connect(str(built)) as gold:
            gold.execute(
                f"update {FCT_ORDERS} set gross_amount = gross_amount + 0.0001, "
                "net_amount = net_amount + 0.0001 where order_id = '540001'"
            )

    with pytest.raises(CheckFailed, match=r"last good version stays in service: R5.*0\.0001 off"):
        bring_into_service(settings, workers, run_id="wrong", force=True, on_built=falsify)
    assert (settings.gold_dir / CURRENT).read_bytes() == before
    assert not list(settings.gold_dir.glob("gold-wrong*"))
    assert failing(audit_service(settings, full=True)) == {}


def test_a_refusal_spike_blocks_until_someone_accepts_it(
    published: Published, workers: Workers
) -> None:
    settings, lake = published.settings, published.lake
    lake.landed = 100
    lake.land(
        *(erp(n, partition=7, InvoiceNo=str(560_000 + n), Quantity="many") for n in range(101)),
        *(erp(200 + n, partition=8, InvoiceNo=str(570_000 + n)) for n in range(5)),
    )
    lake.refine()
    assert len(lake.rows(QUARANTINE, "offset", where="partition = 7")) == 101
    with pytest.raises(CheckFailed, match=r"101 of 106 records refused in erp.*--accept spike"):
        bring_into_service(settings, workers, run_id="spike")
    assert in_service(settings) == "second"

    with pytest.raises(LakeError, match="No refusal spike blocked a run 'second'"):
        accept_run("second", reason="no", settings=settings)
    accept_run("spike", reason="the till was broken", settings=settings)
    bring_into_service(settings, workers, run_id="accepted", accept_reason="the till was broken")
    assert in_service(settings) == "accepted"
    lines = list(chain.lines("publishes", settings=settings))
    assert lines[-1]["accepted_reason"] == "the till was broken"
    (accepted,) = chain.lines("operations", settings=settings)
    assert (accepted["kind"], accepted["run_id"]) == ("accepted", "spike")


@pytest.mark.slow
def test_a_refusal_spike_blocks_until_someone_corrects_it(
    published: Published, workers: Workers
) -> None:
    settings, lake = published.settings, published.lake

    def send(*, first_offset: int, **date: str) -> None:
        lines = (
            erp(first_offset + n, partition=8, InvoiceNo=str(580_000 + n), **date) for n in range(3)
        )
        lake.land(*lines)
        lake.refine()

    lake.landed = 100
    send(first_offset=100, InvoiceDate="2011-02-30 09:00")
    with pytest.raises(CheckFailed, match=r"3 of 3 records refused in erp"):
        bring_into_service(settings, workers, run_id="broken")
    send(first_offset=103, InvoiceDate="2011-03-02 09:00")
    bring_into_service(settings, workers, run_id="corrected")
    assert in_service(settings) == "corrected"
    assert failing(audit_service(settings, full=True)) == {}


@pytest.mark.slow
def test_a_publish_that_another_one_overtook_leaves_gold_to_it(
    published: Published, workers: Workers
) -> None:
    """T06: a publish whose lock was gone round finds a newer fence, and gives up."""
    settings = published.settings

    def go_round_the_lock() -> None:
        (settings.locks_dir / "publish.lock").unlink()
        bring_into_service(settings, workers, run_id="fast", force=True)

    with pytest.raises(LakeError, match="Run slow was overtaken by run fast"):
        bring_into_service(settings, workers, run_id="slow", force=True, on_built=go_round_the_lock)
    assert in_service(settings) == "fast"
    assert failing(audit_service(settings, full=True)) == {}


def test_a_lake_without_tables_says_what_to_run(
    new_settings: NewSettings, workers: Workers
) -> None:
    with pytest.raises(LakeError, match=r"The lake has no table .* Run \./lake demo"):
        bring_into_service(new_settings(), workers)
