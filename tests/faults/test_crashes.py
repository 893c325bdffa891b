"""SIGKILL between a sink's commit and its checkpoint's, two drivers at once, dbt killed at work."""

import signal
from typing import Any

import pytest

import streaming.ingest
from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from tests.faults.commands import Command, Fault, run
from tests.faults.proof import Trial, committed, marts, seconds_between
from tests.faults.results import Recorder
from tests.lake_state import LakeState, bring_into_service

pytestmark = [pytest.mark.spark, pytest.mark.kafka]


@pytest.mark.slow
def test_sigkill_after_the_sinks_commit_and_before_the_checkpoints(
    trial: Trial, record_fault: Recorder
) -> None:
    """T02: SIGKILL of the process group after the sink's commit, before the checkpoint's."""
    recovery = 0.0
    for query, written in (("ingest", "after_write"), ("refine", "after_batch")):
        point = f"{query}.{written}"
        killed = run(query, "--once", settings=trial.settings, faults=[Fault(point, "kill", 2)])
        assert killed.code == -9, killed.output
        commits = trial.settings.checkpoints_dir / query / "commits"
        assert sorted(path.name for path in commits.glob("[0-9]*")) == ["0"]
        notes = [Fault(f"{query}.started", "note"), Fault(point, "note", None)]
        with Command(query, "--once", settings=trial.settings, faults=notes) as again:
            assert again.end().code == 0, again.output()
            first = again.notes(point)[:1]
            recovery = max(recovery, seconds_between(again.notes(f"{query}.started"), first))
    batches = [line["batch_id"] for line in committed(trial.settings, BRONZE_EVENTS)]
    assert batches == list(range(len(batches)))
    assert len(batches) > 2
    record_fault(trial.prove(), recovery_seconds=recovery)


@pytest.mark.slow
def test_two_drivers_of_one_query_the_second_is_refused_and_nothing_is_doubled(
    trial: Trial, record_fault: Recorder
) -> None:
    """T06: two drivers on one checkpoint; the second refuses and names the first."""
    point = "ingest.after_write"
    with Command(
        *("ingest", "--follow"), settings=trial.settings, faults=[Fault(point, "barrier", 2)]
    ) as first:
        first.await_point(point)
        for words in (("ingest", "--once"), ("ingest", "--follow"), ("reset", "ingest")):
            second = run(*words, settings=trial.settings)
            assert second.code == 2
            assert f"Another process (pid {first.pid}) is working on 'query-ingest'" in (
                " ".join(second.output.split())
            )
        first.go_on(point)
        first.await_that(
            lambda: landed(trial.settings) == trial.shop.truth.records, "all in bronze"
        )
        first.signal(signal.SIGINT)
        assert first.end(within=30).code == 130, first.output()
    trial.lake.refine()
    record_fault(trial.prove())


@pytest.mark.slow
def test_sigkill_of_dbt_inside_a_model_leaves_the_old_gold_to_all_readers(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, record_fault: Recorder
) -> None:
    """T29: SIGKILL of dbt inside its fourth model; readers see only the old run."""
    lake = trial.lake
    land_in_part(lake, monkeypatch)
    lake.refine()
    bring_into_service(trial.settings, trial.workers, run_id="old")
    old = marts(trial.settings)
    assert old[0] > 0
    lake.ingest()
    lake.refine()

    inside = Fault("gold.inside_model", "kill", 4)
    with Command("publish", settings=trial.settings, faults=[inside]) as publish:
        seen = {marts(trial.settings)}
        while publish.process.poll() is None:
            seen.add(marts(trial.settings))
        assert publish.end().code == 2
        assert len(publish.notes(inside.point)) == 1
        assert "process that builds gold was ended by SIGKILL" in publish.output()
        assert "published gold is unchanged" in publish.output()
    assert seen == {old}
    assert not list(trial.settings.gold_dir.glob("gold-[!o]*"))

    record_fault(trial.prove())
    assert marts(trial.settings) != old


def landed(settings: Settings) -> int:
    """Rows of bronze."""
    with open_lake(settings) as lake:
        relation = delta_relation(settings, BRONZE_EVENTS.name)
        return int(lake.execute(f"select count(*) from {relation}").fetchall()[0][0])


def land_in_part(lake: LakeState, monkeypatch: pytest.MonkeyPatch) -> None:
    """Land the first batch only."""
    real = streaming.ingest.append_rows
    calls = iter(range(2))

    def write(*args: Any, **options: Any) -> None:
        if next(calls):
            raise RuntimeError("planted before the second batch")
        real(*args, **options)

    monkeypatch.setattr(streaming.ingest, "append_rows", write)
    with pytest.raises(LakeError, match="planted"):
        lake.ingest()
    monkeypatch.setattr(streaming.ingest, "append_rows", real)
