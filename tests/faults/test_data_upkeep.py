"""Streams, backfill, compaction and vacuum on the same tables at the same time."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lakehouse.contracts.tables import BRONZE_EVENTS, TABLES
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.ledger import chain
from lakehouse.settings import Settings
from lakehouse.stages import StageLog, TreeMeter
from lakehouse.tables import current_versions, location, maintenance
from operations.context import Context
from operations.maintain import chores, maintain
from pipelines.publishing.publish import PublishOutcome, Workers
from tests.faults.commands import Command, Fault, all_of, catch_up, run, succeed
from tests.faults.launcher import TOGETHER
from tests.faults.proof import Shop, Trial, prove
from tests.faults.results import Recorder

pytestmark = [pytest.mark.spark, pytest.mark.kafka, pytest.mark.slow]

WEEK_AND_A_DAY = 8 * 24 * 3600
TWELVE_BATCHES_SECONDS = 900.0
"""A refined batch of few records takes 10 to 50 seconds beside ingest on two cores."""
MANY_BATCHES: dict[str, Any] = {"ingest_max_records": 40, "refine_max_bytes": "1k"}


def live_files(settings: Settings) -> dict[str, int]:
    return {each.table.name: each.survey.live_files for each in chores(settings)}


def landed(settings: Settings) -> int:
    with open_lake(settings) as lake:
        relation = delta_relation(settings, BRONZE_EVENTS.name)
        return int(lake.execute(f"select count(*) from {relation}").fetchall()[0][0])


def test_streams_compaction_and_backfill_meet_on_one_table_and_nothing_is_lost(
    shop: Shop, workers: Workers, tmp_path: Path, record_fault: Recorder
) -> None:
    """T27: both streams, compaction and backfill on the same tables at once."""
    settings = shop.new_lake(tmp_path / "state", **MANY_BATCHES)
    batch, landing = Fault("refine.after_batch", "note", None), shop.truth.records
    with Command(
        *("ingest", "--follow", TOGETHER, "refine", "--follow"), settings=settings, faults=[batch]
    ) as streams:
        streams.await_that(
            lambda: len(streams.notes(batch.point)) >= 12,
            "twelve refined batches",
            within=TWELVE_BATCHES_SECONDS,
        )
        before = live_files(settings)[BRONZE_EVENTS.name]
        first = succeed("maintain", settings=settings)
        refused = run("backfill", settings=settings)
        assert refused.code == 2
        assert f"(pid {streams.pid}) is working on 'query-refine'" in " ".join(
            refused.output.split()
        )
        streams.await_that(lambda: landed(settings) == landing, "all in bronze")
        streams.signal(signal.SIGINT)
        assert streams.end(within=60).code == 130, streams.output()
    assert "compact" in first.output
    assert before > maintenance.SMALL_FILES_ALLOWED
    catch_up("refine", settings=settings)
    commands = [Command(name, settings=settings) for name in ("maintain", "backfill")]
    with all_of(commands) as both:
        ends = [each.end() for each in both]
    assert sorted(end.code for end in ends) in ([0, 0], [0, 2]), [end.output for end in ends]
    assert all("'run'" in end.output for end in ends if end.code == 2)
    again = succeed("backfill", settings=settings)
    assert "nothing differed" in again.output
    succeed("maintain", settings=settings)
    assert max(live_files(settings).values()) <= 12 * maintenance.SMALL_FILES_ALLOWED
    kinds = {
        (line.get("operation"), line["kind"])
        for line in chain.lines("operations", settings=settings)
    }
    assert ("maintain", "done") in kinds
    record_fault(prove(settings, shop, workers=workers))


def test_a_vacuum_takes_nothing_from_a_long_reader_or_a_writer_and_less_than_a_week_is_refused(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, record_fault: Recorder
) -> None:
    """T28: compaction and vacuum under a long reader and a writer; under 168 h refused."""
    lake, settings = trial.lake, trial.settings
    lake.ingest()
    monkeypatch.setattr(maintenance, "SMALL_FILES_ALLOWED", 1)
    root = Path(location(BRONZE_EVENTS, settings=settings))
    stray = root / "part-0-of-a-write-cut-short.parquet"
    stray.write_bytes(b"PAR1")
    then = time.time() - WEEK_AND_A_DAY
    os.utime(stray, (then, then))
    pinned = current_versions(settings)[BRONZE_EVENTS.name]
    old = delta_relation(settings, BRONZE_EVENTS.name, version=pinned)
    whole = lake.rows(BRONZE_EVENTS)
    kept = {path for path in root.rglob("*.parquet") if path != stray}

    log = StageLog(TreeMeter())
    context = Context(settings, log, PublishOutcome("upkeep"))
    with open_lake(settings) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("set threads = 1")
        cursor = reader.execute(f"select * from {old}")
        seen = cursor.fetchmany(5)
        writing = pool.submit(lake.refine)
        maintain(context)
        for table in TABLES:
            maintenance.vacuum(table, keep_hours=168, settings=settings)
        writing.result(timeout=600)
        seen += cursor.fetchall()
    assert [stage.name for stage in log.stages] == ["compact", "vacuum"]
    assert sorted(seen, key=str) == sorted(whole, key=str)
    assert not stray.exists()
    assert kept <= set(root.rglob("*.parquet"))
    with open_lake(settings) as late:
        assert late.execute(f"select count(*) from {old}").fetchall() == [(len(whole),)]

    for act in (
        lambda: chores(settings, keep_hours=167.9),
        lambda: maintenance.vacuum(BRONZE_EVENTS, keep_hours=0, settings=settings),
    ):
        with pytest.raises(LakeError, match="168 hours at least"):
            act()
    refused = run("maintain", "--keep-hours", "1", settings=settings)
    assert refused.code == 2
    assert "168 hours at least" in " ".join(refused.output.split())
    lake.refine()
    record_fault(trial.prove())
