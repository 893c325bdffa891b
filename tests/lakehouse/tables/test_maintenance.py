"""Joining and deleting files, straight on tables that delta-rs wrote; no Spark."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from lakehouse.contracts.tables import CUSTOMER_CONTACTS, ORDER_LINES, Table
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.ledger import commits
from lakehouse.settings import Settings
from lakehouse.tables import compact, create_tables, current_version, location, survey, vacuum
from lakehouse.tables.maintenance import LEAST_HOURS, SMALL_FILES_ALLOWED

DAY = 24 * 3600.0
SAMPLES: dict[str, Any] = {
    "string": "x",
    "int": 1,
    "bigint": 1,
    "timestamp": datetime(2011, 12, 10, tzinfo=UTC),
    "date": datetime(2011, 12, 10, tzinfo=UTC).date(),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "state", storage=None)
    create_tables(settings)
    return settings


def write(table: Table, settings: Settings, *, number: int, **values: object) -> None:
    """One row in a commit of its own, with the transaction of a batch."""
    place = location(table, settings=settings)
    row = {each.name: SAMPLES.get(each.type, "1.2345") for each in table.columns} | values
    types = {each.name: each.type for each in table.columns}
    schema = pa.schema(DeltaTable(place).schema())
    columns = [
        pa.array([row[field.name]]).cast(field.type)
        if types[field.name].startswith("decimal")
        else pa.array([row[field.name]], field.type)
        for field in schema
    ]
    write_deltalake(
        place,
        pa.Table.from_arrays(columns, schema=schema),
        mode="append",
        commit_properties=CommitProperties(app_transactions=[Transaction("app", number)]),
    )


def surveyed(table: Table, settings: Settings, *, keep_hours: float = LEAST_HOURS) -> Any:
    return survey(table, settings=settings, keep_hours=keep_hours, now=time.time())


def rows(table: Table, settings: Settings, version: int | None = None) -> list[tuple[Any, ...]]:
    with open_lake(settings) as lake:
        relation = delta_relation(settings, table.name, version=version)
        return lake.execute(f"select * from {relation} order by all").fetchall()


def joined(table: Table, settings: Settings) -> None:
    crowded = surveyed(table, settings).crowded
    compact(table, crowded=crowded, settings=settings, metadata={"query": "maintain"})


def test_only_crowded_parts_are_joined_and_no_row_changes(settings: Settings) -> None:
    crowd, few = SMALL_FILES_ALLOWED + 1, SMALL_FILES_ALLOWED
    for number in range(crowd):
        write(ORDER_LINES, settings, number=number, order_month="2011-10", event_id=f"{number:03}")
    for number in range(few):
        write(ORDER_LINES, settings, number=crowd + number, order_month="2011-11")
    before = rows(ORDER_LINES, settings)
    old = current_version(ORDER_LINES, settings=settings)
    assert old == crowd + few
    found = surveyed(ORDER_LINES, settings)
    assert (found.live_files, found.crowded) == (crowd + few, ("2011-10",))
    commits.derive(settings)

    joined(ORDER_LINES, settings)
    found = surveyed(ORDER_LINES, settings)
    assert (found.live_files, found.resting, found.crowded) == (1 + few, crowd, ())
    assert rows(ORDER_LINES, settings) == rows(ORDER_LINES, settings, old) == before
    commits.derive(settings)
    line = commits.commits(settings)[-1]
    assert (line["version"], line["operation"], line["query"]) == (old + 1, "OPTIMIZE", "maintain")
    assert (len(line["added"]), len(line["removed"]), line["rows"]) == (1, crowd, crowd)
    assert None not in line["added"].values()
    assert DeltaTable(location(ORDER_LINES, settings=settings)).transaction_version("app") == (
        crowd + few - 1
    )
    log = Path(location(ORDER_LINES, settings=settings)) / "_delta_log"
    actions = [
        json.loads(text) for text in (log / f"{old + 1:020}.json").read_text("utf-8").splitlines()
    ]
    moved = [each.get("add") or each.get("remove") for each in actions[1:]]
    assert [each["dataChange"] for each in moved] == [False] * (crowd + 1)
    (path,) = [each["add"]["path"] for each in actions if "add" in each]
    joint = pyarrow.parquet.read_metadata(Path(location(ORDER_LINES, settings=settings)) / path)
    assert joint.row_group(0).column(0).compression == "ZSTD"

    joined(ORDER_LINES, settings)  # nothing is crowded: no commit
    assert current_version(ORDER_LINES, settings=settings) == old + 1


def test_no_personal_value_comes_into_the_log_by_joining(settings: Settings) -> None:
    for number in range(SMALL_FILES_ALLOWED + 1):
        write(
            CUSTOMER_CONTACTS,
            settings,
            number=number,
            event_id=f"person-{number}",
            name="Ada Secret",
            email="ada@secret.test",
            address="1 Secret Street",
        )
    joined(CUSTOMER_CONTACTS, settings)
    place = Path(location(CUSTOMER_CONTACTS, settings=settings))
    DeltaTable(place).create_checkpoint()
    log = b"".join(path.read_bytes() for path in (place / "_delta_log").iterdir())
    assert b"person-0" in log
    assert b"ecret" not in log


def test_exactly_the_files_that_left_long_ago_and_old_strays_are_deleted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path(location(CUSTOMER_CONTACTS, settings=settings))
    for number in range(SMALL_FILES_ALLOWED + 1):
        write(CUSTOMER_CONTACTS, settings, number=number)
    first = set(place.glob("*.parquet"))
    joined(CUSTOMER_CONTACTS, settings)
    before = rows(CUSTOMER_CONTACTS, settings)
    strays = {name: place / f"part-0-{name}.parquet" for name in ("old", "new")}
    for path in strays.values():
        path.write_bytes(b"half")
    checksum = place / ".part-0-old.parquet.crc"
    checksum.write_bytes(b"crc")
    now = time.time()
    for path in (*first, strays["old"]):  # written long ago; of `first` that says nothing
        os.utime(path, (now - 400 * DAY, now - 400 * DAY))

    assert vacuum(CUSTOMER_CONTACTS, keep_hours=LEAST_HOURS, settings=settings) == len(b"half")
    assert not strays["old"].exists()
    assert not checksum.exists()
    assert strays["new"].exists()
    assert all(path.exists() for path in first)

    # Ten days later a checkpoint has forgotten what left; we keep it longer than a week.
    monkeypatch.setattr(time, "time", lambda: now + 10 * DAY)
    DeltaTable(place).create_checkpoint()
    assert vacuum(CUSTOMER_CONTACTS, keep_hours=11 * 24, settings=settings) == 0
    assert all(path.exists() for path in first)
    size = sum(path.stat().st_size for path in (*first, strays["new"]))
    assert vacuum(CUSTOMER_CONTACTS, keep_hours=9 * 24, settings=settings) == size
    assert not any(path.exists() for path in (*first, strays["new"]))
    assert vacuum(CUSTOMER_CONTACTS, keep_hours=9 * 24, settings=settings) == 0
    assert rows(CUSTOMER_CONTACTS, settings) == before


def test_less_than_a_week_is_refused(settings: Settings) -> None:
    with pytest.raises(LakeError, match="168 or more"):
        vacuum(CUSTOMER_CONTACTS, keep_hours=167.9, settings=settings)


def test_a_commit_that_can_not_be_read_stops_the_upkeep(settings: Settings) -> None:
    log = Path(location(CUSTOMER_CONTACTS, settings=settings)) / "_delta_log"
    (log / f"{0:020}.json").write_text('{"add"')
    with pytest.raises(LakeError, match="can't be read: leave its files as they are"):
        vacuum(CUSTOMER_CONTACTS, keep_hours=LEAST_HOURS, settings=settings)
    with pytest.raises(LakeError, match=r"silver\.customer_contacts can't be written"):
        compact(CUSTOMER_CONTACTS, crowded=(None,), settings=settings, metadata={})
