"""What silver holds is found in few of its files, and always found."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakehouse.contracts.arrow import arrow_schema
from lakehouse.contracts.tables import DUPLICATES, TABLES, WEB_EVENTS, Table
from lakehouse.duck import open_lake
from lakehouse.settings import Settings
from lakehouse.tables import Transaction, append_rows, location
from pipelines.silver import known
from pipelines.silver.known import find_known, last_refined_batch, rows_by_id, rows_by_place

TOPIC = "web.events.v1"
Held = tuple[str, int]
"""Id and offset of a record in a table."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A state with empty tables."""
    made = Settings(home=tmp_path, storage=None)
    for table in TABLES:
        DeltaTable.create(
            location(table, settings=made),
            schema=arrow_schema(table),
            partition_by=[table.partition_by] if table.partition_by else None,
        )
    return made


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that a look-up reads."""
    paths: list[Path] = []
    real: Callable[[Sequence[Path], Table], str] = known.files_relation

    def noting(files: Sequence[Path], table: Table) -> str:
        paths.extend(files)
        return real(files, table)

    monkeypatch.setattr(known, "files_relation", noting)
    return paths


def hold(settings: Settings, table: Table, batch: int, records: Sequence[Held]) -> None:
    """Append records of the web shop's events, or duplicates of them, as one file."""
    schema = arrow_schema(table)
    rows = [
        dict.fromkeys(schema.names, "x")
        | {"event_id": event_id, "identity": event_id, "refined_batch": batch, "amount": None}
        | {"topic": TOPIC, "partition": 0, "offset": offset}
        | {"source_topic": TOPIC, "source_partition": 0, "source_offset": offset}
        | {"event_date": date(2011, 12, 10), "occurred_at": datetime(2011, 12, 10, tzinfo=UTC)}
        for event_id, offset in records
    ]
    append_rows(
        pa.Table.from_pylist(rows, schema=schema).to_reader(),
        table,
        settings=settings,
        transaction=Transaction("test", batch),
        metadata={},
    )


def by_id(settings: Settings, table: Table, ids: Sequence[str]) -> set[str]:
    with open_lake(settings, reads_delta=False) as lake:
        values = ", ".join(f"('{each}')" for each in ids)
        rows = rows_by_id(
            lake, table, f"(from (values {values}) as w (identity))", settings=settings
        )
        found = lake.execute(f"select event_id from {rows}").fetchall()
    return {event_id for (event_id,) in found} & set(ids)


def test_files_of_other_days_are_not_opened(settings: Settings, opened: list[Path]) -> None:
    for day in range(1, 29):
        records = [(f"201112{day:02}-{n:04}", 100 * day + n) for n in range(50)]
        hold(settings, WEB_EVENTS, day, records)
    wanted = ["20111203-0007", "20111203-0049", "20111220-0000", "20111220-9999", "20121220-0000"]
    assert by_id(settings, WEB_EVENTS, wanted) == set(wanted[:3])
    assert len(opened) == 2
    assert last_refined_batch(settings) == 28


def test_an_id_without_a_time_is_found_in_any_file(settings: Settings, opened: list[Path]) -> None:
    dice = random.Random(7)  # noqa: S311 - the same dice each time
    ids = [f"{dice.getrandbits(128):032x}" for _ in range(120)] + ["É", "~", "a b", "x" * 190]
    dice.shuffle(ids)
    for batch in range(6):
        part = ids[batch::6]
        hold(settings, WEB_EVENTS, batch, [(each, 10 * batch + n) for n, each in enumerate(part)])
    assert by_id(settings, WEB_EVENTS, ids) == set(ids)
    for each in ids[:20]:
        assert by_id(settings, WEB_EVENTS, [each]) == {each}


def test_files_of_other_places_are_not_opened(settings: Settings, opened: list[Path]) -> None:
    for batch in range(10):
        records = [(f"e-{batch}-{n}", 100 * batch + n) for n in range(20)]
        hold(settings, DUPLICATES, batch, records)
    with open_lake(settings, reads_delta=False) as lake:
        wanted = "(select 'web.events.v1' as topic, unnest([305, 319, 777]) as \"offset\")"
        rows = rows_by_place(lake, DUPLICATES, wanted, settings=settings)
        found = lake.execute(f'select "offset" from {rows}').fetchall()
    assert {305, 319} <= {offset for (offset,) in found} <= set(range(300, 320))
    assert len(opened) == 1


def test_known_records_are_those_of_the_same_topic_and_identity(settings: Settings) -> None:
    hold(settings, WEB_EVENTS, 1, [("a", 1), ("b", 2), ("c", 3)])
    with open_lake(settings, reads_delta=False) as lake:
        lake.execute("""
            create view records as
            select * from (values ('web.events.v1', 'a', null), ('web.events.v1', 'c', 'bad_time'),
                ('crm.customers.v1', 'b', null)) as r (topic, identity, reason)""")
        find_known(lake, settings=settings)
        assert lake.execute('select event_id, "offset" from known').fetchall() == [("a", 1)]
