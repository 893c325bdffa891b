"""Many small commits become few files, nothing changes for readers, and nothing needed goes."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from lakehouse.contracts.tables import (
    BRONZE_EVENTS,
    CUSTOMER_CONTACTS,
    ORDER_LINES,
    QUARANTINE,
    TABLES,
    Table,
)
from lakehouse.contracts.topics import CRM_CUSTOMERS
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.ledger import chain, commits
from lakehouse.settings import Settings
from lakehouse.stages import StageLog, TreeMeter
from lakehouse.tables import current_version, current_versions, location, maintenance
from lakehouse.tables.maintenance import LEAST_HOURS, SMALL_FILES_ALLOWED
from operations import maintain as pipeline
from operations.context import Context
from operations.maintain import chores, maintain
from pipelines.publishing.publish import PublishOutcome
from quality.audit.audit import audit
from tests.lake_state import LakeState, Record, erp, failing

pytestmark = pytest.mark.spark

DAY = 24 * 3600


def run_upkeep(lake: LakeState, **options: str) -> StageLog:
    """Maintain a state in the session of the tests."""
    log = StageLog(TreeMeter())
    context = Context(lake.settings, log, PublishOutcome("upkeep"), options=options)
    maintain(context)
    assert context._spark is None
    return log


def proven(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What `lake audit --full` finds in a state without gold."""
    commits.derive(settings)
    return failing(
        audit(
            settings,
            versions=current_versions(settings),
            gold=None,
            is_published=False,
            full=True,
        )
    )


def live_files(table: Table, settings: Settings) -> int:
    found = {each.table.name: each.survey.live_files for each in chores(settings)}
    return found[table.name]


def rows_at(table: Table, version: int, settings: Settings) -> list[tuple[Any, ...]]:
    with open_lake(settings) as lake:
        relation = delta_relation(settings, table.name, version=version)
        return lake.execute(f"select * from {relation} order by all").fetchall()


def operations(settings: Settings) -> list[tuple[str, str]]:
    return [
        (line["operation"], line["kind"]) for line in chain.lines("operations", settings=settings)
    ]


def customer(offset: int, event_id: str, *, partition: int = 0) -> Record:
    """A change of a customer with personal values that occur nowhere else."""
    body = {
        "event_id": event_id,
        "schema_version": 1,
        "occurred_at": "2011-12-10T08:00:00Z",
        "customer_id": f"C{offset}",
        "country": "France",
        "marketing_consent": "yes",
        "name": f"Zebediah{offset} Quackenbush",
        "email": f"zebediah{offset}@quackenbush.example",
        "address": f"{offset} Persimmon Crescent",
    }
    return Record(CRM_CUSTOMERS.name, json.dumps(body).encode(), offset, partition)


@pytest.mark.slow
def test_sixty_small_commits_become_few_files_and_nobody_notices(lake: LakeState) -> None:
    settings = lake.settings
    for number in range(30):
        lake.land(erp(number, InvoiceNo=str(540_000 + number)))
    lake.refine()
    for number in range(30, 60):
        lake.land(erp(number, InvoiceNo=str(540_000 + number)))
    before = current_version(BRONZE_EVENTS, settings=settings) or 0
    rows = rows_at(BRONZE_EVENTS, before, settings)
    assert len(rows) == live_files(BRONZE_EVENTS, settings) == 60
    log = Path(location(BRONZE_EVENTS, settings=settings)) / "_delta_log"
    assert list(log.glob("*.checkpoint.parquet"))

    stages = {stage.name: (stage.rows_in, stage.rows_out) for stage in run_upkeep(lake).stages}
    assert stages == {"compact": (60, 1)}
    assert live_files(BRONZE_EVENTS, settings) == 1
    assert rows_at(BRONZE_EVENTS, before + 1, settings) == rows
    assert rows_at(BRONZE_EVENTS, before, settings) == rows
    assert rows_at(BRONZE_EVENTS, before - 20, settings) == rows[:40]
    assert operations(settings) == [("maintain", "intent"), ("maintain", "done")]
    (line,) = [
        each
        for each in chain.lines(commits.CHAIN, settings=settings)
        if each["operation"] == "OPTIMIZE"
    ]
    assert (line["query"], len(line["added"]), len(line["removed"])) == ("maintain", 1, 60)

    outcomes = lake.refine()  # goes on behind the commits that were joined, each record once
    assert sum(outcome.count("accepted") for outcome in outcomes) == 30
    assert lake.rows(ORDER_LINES, "source_offset") == [(number,) for number in range(60)]
    lake.land(erp(60, InvoiceNo="549999"))
    lake.refine()
    assert lake.rows(ORDER_LINES, "source_offset") == [(number,) for number in range(61)]
    assert proven(settings) == {}

    again = run_upkeep(lake)
    assert [(stage.name, stage.status) for stage in again.stages] == [("maintain", "skipped")]
    assert len(operations(settings)) == 2


def test_only_files_that_nobody_may_still_read_are_deleted(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = lake.settings
    for number in range(SMALL_FILES_ALLOWED + 1):
        lake.land(erp(number, InvoiceNo=str(540_000 + number)))
    stray = Path(location(BRONZE_EVENTS, settings=settings)) / "part-00000-cut-short.parquet"
    stray.write_bytes(b"half a file")
    run_upkeep(lake)
    (bronze,) = [each for each in chores(settings) if each.table is BRONZE_EVENTS]
    assert (bronze.survey.expired, bronze.survey.resting) == (0, SMALL_FILES_ALLOWED + 1)
    assert (bronze.survey.stray, bronze.survey.stray_expired) == (1, 0)

    now = time.time()
    os.utime(stray, (now - 8 * DAY, now - 8 * DAY))
    assert [stage.name for stage in run_upkeep(lake).stages] == ["vacuum"]
    assert not stray.exists()
    (bronze,) = [each for each in chores(settings) if each.table is BRONZE_EVENTS]
    assert (bronze.survey.live_files, bronze.survey.resting) == (1, SMALL_FILES_ALLOWED + 1)
    lake.refine()
    assert proven(settings) == {}

    later = now + 9 * DAY
    monkeypatch.setattr(time, "time", lambda: later)
    (bronze,) = [each for each in chores(settings) if each.table is BRONZE_EVENTS]
    assert (bronze.keep_hours, bronze.survey.expired) == (LEAST_HOURS, SMALL_FILES_ALLOWED + 1)


def test_files_stay_while_refine_or_gold_in_service_may_read_them(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = lake.settings
    lake.land(erp(0))
    lake.refine()
    for number in range(1, SMALL_FILES_ALLOWED + 2):
        lake.land(erp(number, InvoiceNo=str(540_000 + number)))
    run_upkeep(lake)
    later = time.time() + 30 * DAY
    monkeypatch.setattr(time, "time", lambda: later)
    (bronze,) = [each for each in chores(settings) if each.table is BRONZE_EVENTS]
    assert (bronze.why, bronze.survey.can_free) == ("refine has not read all of it", False)

    publish = {
        "run_id": "old",
        "file": "gold-old.duckdb",
        "table_versions": {},
        "rows": {},
        "refined_batch": 0,
        "at": "2011-12-10T00:00:00.000Z",
    }
    chain.write("publishes", {"kind": "published", **publish}, settings=settings)
    why = {each.table: (each.why, each.survey.can_free) for each in chores(settings)}
    assert why[QUARANTINE] == ("gold in service, run old, is audited on it", False)


def test_less_than_a_week_is_refused_with_the_reason(lake: LakeState) -> None:
    with pytest.raises(LakeError, match=r"kept for 168 hours at least .* may still read them"):
        chores(lake.settings, keep_hours=167)
    with pytest.raises(LakeError, match="168 or more"):
        maintenance.vacuum(BRONZE_EVENTS, keep_hours=0, settings=lake.settings)


def test_an_upkeep_cut_short_is_closed_and_done_again(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = lake.settings
    for number in range(SMALL_FILES_ALLOWED + 1):
        lake.land(erp(number, InvoiceNo=str(540_000 + number)))

    def cut_short(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "compact", cut_short)
        with pytest.raises(KeyboardInterrupt):
            run_upkeep(lake)
    assert operations(settings) == [("maintain", "intent")]
    run_upkeep(lake)
    assert [kind for _, kind in operations(settings)] == ["intent", "abandoned", "intent", "done"]
    assert live_files(BRONZE_EVENTS, settings) == 1
    lake.refine()
    assert proven(settings) == {}


def test_reports_of_old_runs_go(new_settings: Callable[..., Settings]) -> None:
    settings = new_settings()
    settings.reports_dir.mkdir()
    for number in range(103):
        (settings.reports_dir / f"run-{number:04}.json").write_text("{}")
    (settings.reports_dir / "latest.json").write_text("{}")
    assert pipeline.drop_old_reports(settings) == 3
    kept = sorted(path.name for path in settings.reports_dir.iterdir())
    assert kept[:2] == ["latest.json", "run-0003.json"]
    assert len(kept) == 101


def log_bytes(settings: Settings) -> bytes:
    """Everything that the tables' logs say, Parquet checkpoints decoded."""
    found = bytearray()
    for table in TABLES:
        for path in (Path(location(table, settings=settings)) / "_delta_log").rglob("*"):
            if path.suffix == ".parquet":
                found += str(pyarrow.parquet.read_table(path).to_pylist()).encode()
            elif path.is_file():
                found += path.read_bytes()
    return bytes(found)


def test_no_log_holds_a_personal_value_whatever_was_written(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = lake.settings
    for table in (BRONZE_EVENTS, CUSTOMER_CONTACTS, QUARANTINE):
        lake.spark.sql(
            f"alter table delta.`{location(table, settings=settings)}` "
            "set tblproperties ('delta.checkpointInterval' = '1')"
        )
    lake.land(customer(5, "person-1"), customer(6, "person-2"), customer(7, "person-2"))
    lake.refine()
    lake.land(customer(2, "person-1"))  # a smaller position: it wins by a MERGE
    lake.refine()
    monkeypatch.setattr(maintenance, "SMALL_FILES_ALLOWED", 1)
    run_upkeep(lake)

    done = {
        line["operation"]
        for line in chain.lines(commits.CHAIN, settings=settings)
        if line["table"] in (BRONZE_EVENTS.name, CUSTOMER_CONTACTS.name, QUARANTINE.name)
    }
    assert {"WRITE", "MERGE", "OPTIMIZE"} <= done
    assert b"Zebediah2 Quackenbush" in repr(lake.rows(CUSTOMER_CONTACTS, "name")).encode()
    found = log_bytes(settings)
    assert b"checkpointInterval" in found
    assert b"numRecords" in found
    assert b"person-2" in found  # statistics are there, of the columns that may have them
    for private in (b"Zebediah", b"zebediah", b"Quackenbush", b"quackenbush", b"Persimmon"):
        assert private not in found
