"""Every kind of loss, doubling and tampering is found and named, and the verdict fails."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from lakehouse.contracts.tables import BRONZE_EVENTS, ORDER_LINES, Table
from lakehouse.errors import CheckFailed
from lakehouse.ledger import chain
from lakehouse.pointer import CURRENT, current_gold
from lakehouse.settings import Settings
from lakehouse.tables import current_version, location
from operations.audit import audit_service
from pipelines.publishing.publish import Workers
from tests.lake_state import LakeState, Published, bring_into_service, failing

pytestmark = [pytest.mark.spark, pytest.mark.kafka]


def commit_file(settings: Settings, table: Table, *, back: int = 0) -> Path:
    version = (current_version(table, settings=settings) or 0) - back
    return Path(location(table, settings=settings)) / "_delta_log" / f"{version:020}.json"


def remove_last_commit(settings: Settings) -> None:
    commit_file(settings, ORDER_LINES).unlink()


def empty_last_commit(settings: Settings) -> None:
    commit_file(settings, ORDER_LINES).write_bytes(b"")


def edit_older_commit(settings: Settings) -> None:
    path = commit_file(settings, ORDER_LINES, back=1)
    path.write_text(path.read_text().replace('"operation":"WRITE"', '"operation":"MERGE"'))


def remove_last_bronze_commit(settings: Settings) -> None:
    commit_file(settings, BRONZE_EVENTS).unlink()


def flip_a_byte_of_a_text(settings: Settings) -> None:
    path = next(Path(location(BRONZE_EVENTS, settings=settings)).glob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def remove_a_data_file(settings: Settings) -> None:
    next(Path(location(ORDER_LINES, settings=settings)).rglob("*.parquet")).unlink()


def change_lines(name: str, change: Callable[[list[str]], None]) -> Callable[[Settings], None]:
    def damage(settings: Settings) -> None:
        path = chain.chain_path(name, settings=settings)
        lines = path.read_text(encoding="utf-8").splitlines()
        change(lines)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    return damage


def without_chunk(lines: list[str]) -> None:
    del lines[next(n for n, line in enumerate(lines) if json.loads(line)["kind"] == "chunk")]


def with_other_amount(lines: list[str]) -> None:
    at = next(n for n, line in enumerate(lines) if json.loads(line)["kind"] == "chunk")
    amount = json.loads(lines[at])["amount"]
    lines[at] = lines[at].replace(amount, "1.0000")


def edit_gold(settings: Settings) -> None:
    current_gold(settings).chmod(0o644)
    with duckdb.connect(str(current_gold(settings))) as gold:
        gold.execute(
            "update gold.fct_daily_sales set gross_amount = gross_amount + 0.01, "
            "net_amount = net_amount + 0.01 where order_date = "
            "(select min(order_date) from gold.fct_daily_sales)"
        )


def point_to_the_file_before(settings: Settings) -> None:
    path = settings.gold_dir / CURRENT
    pointer = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**pointer, "file": "gold-first.duckdb"}), encoding="utf-8")


DAMAGES: dict[str, tuple[Callable[[Settings], None], str, str]] = {
    "last commit removed": (remove_last_commit, "R6", "silver.order_lines was at version 2"),
    "last commit emptied": (empty_last_commit, "R6", "silver.order_lines version 2: its commit"),
    "older commit edited": (edit_older_commit, "R6", "version 1: its commit file was changed"),
    "bronze commit removed": (remove_last_bronze_commit, "R6", "bronze.events was at version 2"),
    "byte flipped": (flip_a_byte_of_a_text, "R6", "bronze.events: the data file part-"),
    "data file removed": (remove_a_data_file, "R6", "is missing"),
    "ledger line deleted": (
        change_lines("produced", lambda lines: lines.pop(2)),
        "R8",
        "produced line 3 does not follow",
    ),
    "chunk line deleted": (change_lines("produced", without_chunk), "R3", "no line opens chunk 0"),
    "last batch line deleted": (
        change_lines("batches", lambda lines: lines.pop()),
        "R8",
        "batches had",
    ),
    "last publish deleted": (
        change_lines("publishes", lambda lines: lines.pop()),
        "R8",
        "CURRENT points to run second, last published: first",
    ),
    "ledger amount edited": (change_lines("produced", with_other_amount), "R8", "was changed"),
    "gold edited, sums": (edit_gold, "R5", "0.0100 off in gold.fct_daily_sales"),
    "gold edited, file": (edit_gold, "R7", "was changed after run second"),
    "pointer edited": (
        point_to_the_file_before,
        "R8",
        "CURRENT points to file gold-first.duckdb, last published: gold-second.duckdb",
    ),
}


def test_a_sound_state_holds_every_equation(published: Published) -> None:
    equations = audit_service(published.settings, full=True)
    assert failing(equations) == {}
    assert sorted({each.equation for each in equations}) == [f"R{n}" for n in range(1, 9)]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_named(published: Published, damage: str) -> None:
    """T25: a table's last commit removed or emptied; a file, the ledger, gold changed by hand."""
    act, equation, named = DAMAGES[damage]
    act(published.settings)
    found = failing(audit_service(published.settings, full=False))
    assert named in "; ".join(found[equation])


def test_a_checkpoint_that_names_other_files_than_its_commits_is_found(
    published: Published,
) -> None:
    settings = published.settings
    log = commit_file(settings, ORDER_LINES).parent
    path = log / f"{1:020}.checkpoint.parquet"
    files = [
        action["add"]["path"]
        for version in (0, 1)
        for action in map(json.loads, (log / f"{version:020}.json").read_text().splitlines())
        if "add" in action
    ]

    def differences_of(names: list[str]) -> tuple[str, ...]:
        parquet.write_table(pa.table({"add": [{"path": name} for name in [*names, None]]}), path)
        return failing(audit_service(settings, full=True)).get("R6", ())

    assert differences_of(files) == ()
    (found,) = differences_of(["part-of-another.parquet"])
    assert f"silver.order_lines: {path.name} names other files than its commits (fix" in found
    path.write_bytes(b"torn")
    (found,) = failing(audit_service(settings, full=True))["R6"]
    assert found.startswith(f"silver.order_lines: {path.name} can't be read: ")


@pytest.mark.slow
def test_a_pointer_moved_back_is_found_and_a_publish_puts_it_right(
    published: Published, workers: Workers
) -> None:
    settings = published.settings
    (settings.gold_dir / CURRENT).write_bytes(published.earlier_pointer)
    assert failing(audit_service(settings, full=True)) == {
        "R8": ("CURRENT points to run first, last published: second",)
    }
    bring_into_service(settings, workers, run_id="third")
    assert json.loads((settings.gold_dir / CURRENT).read_text())["run_id"] == "third"
    assert failing(audit_service(settings, full=True)) == {}


def append_bronze_again(lake: LakeState) -> None:
    """What a sink without app transactions does after a crash."""
    place = location(BRONZE_EVENTS, settings=lake.settings)
    rows = lake.spark.read.format("delta").load(place).filter("batch_id = 0")
    rows.write.format("delta").mode("append").save(place)


def delete_an_order(lake: LakeState) -> None:
    from delta.tables import DeltaTable

    place = location(ORDER_LINES, settings=lake.settings)
    DeltaTable.forPath(lake.spark, place).delete("order_id = '540005'")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "equation", "named"),
    [(append_bronze_again, "R1", "offsets, bronze"), (delete_an_order, "R4", "is lost")],
)
def test_a_doubled_batch_or_a_lost_record_blocks_the_publish(
    published: Published,
    workers: Workers,
    act: Callable[[LakeState], None],
    equation: str,
    named: str,
) -> None:
    settings = published.settings
    pointer = (settings.gold_dir / CURRENT).read_bytes()
    act(published.lake)
    with pytest.raises(CheckFailed, match=rf"The audit failed.*{equation} .*{named}"):
        bring_into_service(settings, workers)
    assert (settings.gold_dir / CURRENT).read_bytes() == pointer
    assert current_gold(settings).name == "gold-second.duckdb"
