"""T26: a silver table whose log or files are damaged is rebuilt from bronze."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from lakehouse.contracts.tables import (
    DUPLICATES,
    ORDER_LINES,
    QUARANTINE,
    Table,
)
from lakehouse.duck import open_gold
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.ledger import chain, commits
from lakehouse.pointer import current_gold
from lakehouse.settings import Settings
from lakehouse.stages import StageLog, TreeMeter
from lakehouse.tables import current_version, location
from operations.audit import audit_service
from operations.context import Context
from operations.recover import repair_table
from operations.recovery import repair
from operations.recovery.intents import unfinished
from operations.recovery.resume import finish_cut_short
from pipelines.publishing.publish import PublishOutcome, Workers
from pipelines.silver import rewriter
from streaming.producer import Source, produce
from tests.lake_state import (
    LakeState,
    Published,
    bring_into_service,
    erp,
    failing,
    messages_of,
)

pytestmark = [pytest.mark.spark, pytest.mark.kafka]


def log_of(settings: Settings, table: Table) -> Path:
    version = current_version(table, settings=settings) or 0
    return Path(location(table, settings=settings)) / "_delta_log" / f"{version:020}.json"


def newest_file(settings: Settings, table: Table) -> Path:
    """The data file that the last commit added; a writer may leave an empty one beside it."""
    added = [
        relative
        for line in commits.commits(settings)
        if line["table"] == table.name
        for relative in sorted(line["added"])
    ]
    return Path(location(table, settings=settings)) / unquote(added[-1])


def remove_last_commit(settings: Settings, table: Table) -> None:
    log_of(settings, table).unlink()


def tear_last_commit(settings: Settings, table: Table) -> None:
    path = log_of(settings, table)
    os.truncate(path, path.stat().st_size // 2)


def empty_last_commit(settings: Settings, table: Table) -> None:
    os.truncate(log_of(settings, table), 0)


def truncate_file(settings: Settings, table: Table) -> None:
    os.truncate(newest_file(settings, table), 100)


def flip_a_byte(settings: Settings, table: Table) -> None:
    path = newest_file(settings, table)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def remove_file(settings: Settings, table: Table) -> None:
    newest_file(settings, table).unlink()


DAMAGES: dict[str, tuple[Table, Callable[[Settings, Table], None]]] = {
    "last commit removed": (ORDER_LINES, remove_last_commit),
    "last commit emptied": (ORDER_LINES, empty_last_commit),
    "last commit torn": (DUPLICATES, tear_last_commit),
    "data file truncated": (QUARANTINE, truncate_file),
    "data file flipped": (ORDER_LINES, flip_a_byte),
    "data file removed": (ORDER_LINES, remove_file),
}
AT_ONCE = ("data file truncated",)
"""Damages of every run; the others wait for `lake test --all`."""


def context(lake: LakeState, run_id: str) -> Context:
    log, outcome = StageLog(TreeMeter()), PublishOutcome(run_id)
    return Context(lake.settings, log, outcome, _spark=lake.spark)


def request(table: Table, at: str = "now") -> dict[str, Any]:
    return {"operation": "repair", "table": table.name, "aside": f"damaged/{at}"}


def run(lake: LakeState, table: Table, run_id: str = "repair") -> dict[str, int]:
    found = repair.run(context(lake, run_id), request(table))
    return {each.table: each.differing for each in found if each.differing}


def rows(lake: LakeState, table: Table) -> list[tuple[Any, ...]]:
    return lake.rows(table, *(each for each in table.column_names() if each != "refined_batch"))


def gold_rows(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    with open_gold(current_gold(settings)) as gold:
        names = gold.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall()
        return {
            name: gold.execute(
                f"select * exclude (refined_batch) from {name} order by all"
                if "refined_batch" in gold.table(name).columns
                else f"select * from {name} order by all"
            ).fetchall()
            for (name,) in names
        }


@pytest.mark.parametrize(
    "damage",
    [each if each in AT_ONCE else pytest.param(each, marks=pytest.mark.slow) for each in DAMAGES],
)
def test_a_damaged_table_is_named_repaired_and_published_again(
    published: Published, workers: Workers, damage: str
) -> None:
    table, act = DAMAGES[damage]
    lake, settings = published.lake, published.settings
    before, gold = rows(lake, table), gold_rows(settings)
    act(settings, table)
    differences = failing(audit_service(settings, full=True))["R6"]
    assert any(f"(fix: `lake repair {table.name}`)" in each for each in differences)

    assert run(lake, table) == {table.name: len(before)}
    assert rows(lake, table) == before
    kept = settings.home / "damaged" / "now" / "silver" / table.name.partition(".")[2]
    assert (kept / "_delta_log").is_dir()
    # Not published yet: the new table is judged as it is now, and the audit says so.
    equations = audit_service(settings, full=True)
    assert failing(equations) == {}
    assert {each.equation for each in equations if table.name in each.statement} >= {"R4"}
    if damage == "last commit removed":
        assert bring_into_service(settings, workers).is_new
        assert gold_rows(settings) == gold
        assert failing(audit_service(settings, full=True)) == {}
        assert not bring_into_service(settings, workers).is_new


@pytest.mark.slow
def test_records_that_came_after_the_publish_are_no_difference(
    published_on_kafka: Published, workers: Workers
) -> None:
    lake, settings = published_on_kafka.lake, published_on_kafka.settings
    produce(messages_of(erp(0, InvoiceNo="560000")), source=Source("x", "x"), settings=settings)
    lake.ingest()
    lake.refine()
    run(lake, ORDER_LINES)
    assert failing(audit_service(settings, full=True)) == {}
    bring_into_service(settings, workers)
    assert failing(audit_service(settings, full=True)) == {}


@pytest.mark.slow
def test_a_table_that_is_gone_is_named_and_repaired(published: Published) -> None:
    lake, settings = published.lake, published.settings
    before = rows(lake, ORDER_LINES)
    root = Path(location(ORDER_LINES, settings=settings))
    root.rename(settings.home / "elsewhere")
    with pytest.raises(LakeError, match=r"`lake repair silver\.order_lines`"):
        audit_service(settings, full=False)
    run(lake, ORDER_LINES)
    assert rows(lake, ORDER_LINES) == before
    assert failing(audit_service(settings, full=True)) == {}


@pytest.mark.slow
def test_a_repair_that_was_cut_short_is_finished_by_the_next_run(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, settings = published.lake, published.settings
    before = rows(lake, ORDER_LINES)
    empty_last_commit(settings, ORDER_LINES)

    def killed(*_: Any, **__: Any) -> None:
        raise RuntimeError("killed")

    def attempt(number: int) -> None:
        if number:
            finish_cut_short(context(lake, f"retry-{number}"))
        else:
            run(lake, ORDER_LINES, run_id="first")

    cuts = [(commits, "mark_rebuilt"), (repair, "create_tables"), (rewriter, "replace_rows")]
    for number, (module, name) in enumerate(cuts):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, killed)
            with pytest.raises(RuntimeError, match="killed"):
                attempt(number)
        assert [line["id"] for line in unfinished(settings)] == ["first"]
        # Whatever asks in between must not take the new table's commits for the old one's.
        commits.derive(settings)
    finish_cut_short(context(lake, "last"))

    assert unfinished(settings) == []
    assert rows(lake, ORDER_LINES) == before
    assert failing(audit_service(settings, full=True)) == {}
    marks = [
        line
        for line in chain.lines(commits.CHAIN, settings=settings)
        if line["kind"] == commits.REBUILT
    ]
    assert [(line["table"], line["id"]) for line in marks] == [(ORDER_LINES.name, "first")]
    assert [path.name for path in (settings.home / "damaged").iterdir()] == ["now"]


@pytest.mark.slow
def test_a_repair_without_gold_holds_every_equation_that_applies(lake: LakeState) -> None:
    lake.land(erp(0), erp(1), erp(2, Quantity="six"))
    lake.refine()
    commits.derive(lake.settings)
    before = {table: rows(lake, table) for table in (ORDER_LINES, DUPLICATES, QUARANTINE)}
    remove_file(lake.settings, ORDER_LINES)
    assert run(lake, ORDER_LINES) == {ORDER_LINES.name: 1}
    assert {table: rows(lake, table) for table in before} == before
    assert failing(audit_service(lake.settings, full=True)) == {}
    assert lake.refine() == []


def test_the_stream_goes_on_after_a_repair(lake: LakeState) -> None:
    lake.land(erp(0))
    lake.refine()
    run(lake, ORDER_LINES)
    lake.land(erp(1, Quantity="7"), erp(2))
    lake.refine()
    assert lake.rows(ORDER_LINES, "source_offset", "refined_batch") == [(0, 2), (1, 3)]
    assert lake.rows(DUPLICATES, "offset") == [(2,)]


def test_bronze_and_unknown_tables_are_refused_with_what_to_do(lake: LakeState) -> None:
    with pytest.raises(LakeError, match=r"bronze\.events holds .* Restore .*LAKE_HOME=another"):
        repair_table(lake.settings, name="bronze.events")
    with pytest.raises(LakeError, match=r"Silver has no table 'gold\.fct_orders'\. Tables: "):
        repair_table(lake.settings, name="gold.fct_orders")


@pytest.mark.slow
def test_versions_of_before_a_rebuilding_do_not_count_as_known(
    published: Published, workers: Workers
) -> None:
    """The new table may reach the old one's version number with other rows."""
    lake, settings = published.lake, published.settings
    target = current_version(ORDER_LINES, settings=settings)
    flip_a_byte(settings, ORDER_LINES)
    run(lake, ORDER_LINES)
    from delta.tables import DeltaTable

    table = DeltaTable.forPath(lake.spark, location(ORDER_LINES, settings=settings))
    while (current_version(ORDER_LINES, settings=settings) or 0) < (target or 0):
        table.delete("order_id = '540005'")
    assert current_version(ORDER_LINES, settings=settings) == target
    with pytest.raises(CheckFailed, match="R4"):
        bring_into_service(settings, workers)
