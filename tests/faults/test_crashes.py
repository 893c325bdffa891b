"""SIGKILL between a sink's commit and its checkpoint's, two drivers at once, dbt killed at work."""

import pytest

from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.settings import Settings
from pipelines.publish import Workers
from tests.faults.commands import Command, Fault, run
from tests.faults.proof import Shop, committed, prove, seconds_between
from tests.faults.results import Recorder

pytestmark = [pytest.mark.spark, pytest.mark.kafka]


def test_sigkill_after_the_sinks_commit_and_before_the_checkpoints(
    shop: Shop, shop_lake: Settings, workers: Workers, record_fault: Recorder
) -> None:
    """T02: SIGKILL of the process group after the sink's commit, before the checkpoint's."""
    recovery = 0.0
    for query, written in (("ingest", "after_write"), ("refine", "after_batch")):
        point = f"{query}.{written}"
        killed = run(query, "--once", settings=shop_lake, faults=[Fault(point, "kill", 2)])
        assert killed.code == -9, killed.output
        commits = shop_lake.checkpoints_dir / query / "commits"
        assert sorted(path.name for path in commits.glob("[0-9]*")) == ["0"]
        notes = [Fault(f"{query}.started", "note"), Fault(point, "note", None)]
        with Command(query, "--once", settings=shop_lake, faults=notes) as again:
            assert again.end().code == 0, again.output()
            first = again.notes(point)[:1]
            recovery = max(recovery, seconds_between(again.notes(f"{query}.started"), first))
    batches = [line["batch_id"] for line in committed(shop_lake, BRONZE_EVENTS)]
    assert batches == list(range(4))
    record_fault(prove(shop_lake, shop, workers=workers), recovery_seconds=recovery)
