"""Tables are made and brought to their contracts, as Spark would have made them; no Spark."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from lakehouse.contracts.tables import ORDER_LINES, PRODUCTS, TABLES, Column, Table
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables import (
    columns_due,
    create_tables,
    creation,
    current_version,
    current_versions,
    extend_tables,
    held_columns,
    location,
)

NEW = Column("colour", "string", nullable=True)
HELD = {column.name: column.type for column in PRODUCTS.columns}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An empty state in a folder whose name needs quoting somewhere."""
    return Settings(home=tmp_path / "Läden, 50 % 'neu' #1?", storage=None)


def log_of(table: Table, settings: Settings) -> Path:
    return Path(location(table, settings=settings)) / "_delta_log"


def actions(table: Table, settings: Settings, version: int = 0) -> dict[str, Any]:
    """Actions of a commit by their kind."""
    text = (log_of(table, settings) / f"{version:020}.json").read_text(encoding="utf-8")
    return {kind: body for line in text.splitlines() for kind, body in json.loads(line).items()}


def with_columns(*columns: Column) -> Table:
    return dataclasses.replace(PRODUCTS, columns=(*PRODUCTS.columns, *columns))


def test_tables_are_made_once(settings: Settings) -> None:
    create_tables(settings)
    before = {table.name: actions(table, settings) for table in TABLES}
    create_tables(settings)
    assert current_versions(settings) == {table.name: 0 for table in TABLES}
    assert {table.name: actions(table, settings) for table in TABLES} == before
    for table in TABLES:
        assert held_columns(table, settings=settings) == {
            column.name: column.type for column in table.columns
        }
        with open_lake(settings) as lake:
            found = lake.sql(f"select * from {delta_relation(settings, table.name, version=0)}")
            assert found.columns == list(table.column_names())
            assert found.fetchall() == []


def test_no_table_needs_a_newer_reader_or_knows_a_personal_value(settings: Settings) -> None:
    create_tables(settings)
    for table in TABLES:
        found = actions(table, settings)
        assert found["protocol"] == {"minReaderVersion": 1, "minWriterVersion": 2}
        configuration = dict(found["metaData"]["configuration"])
        indexed = configuration.pop("delta.dataSkippingStatsColumns").split(",")
        assert not {column.name for column in table.columns if column.personal} & set(indexed)
        assert set(table.key) - {table.partition_by} <= set(indexed)
        assert configuration == {
            "delta.enableDeletionVectors": "false",
            "delta.logRetentionDuration": "interval 3650 days",
            "delta.deletedFileRetentionDuration": "interval 168 hours",
        }
        assert found["metaData"]["partitionColumns"] == (
            [table.partition_by] if table.partition_by else []
        )
    fields = json.loads(actions(ORDER_LINES, settings)["metaData"]["schemaString"])["fields"]
    known = {each["name"]: (each["type"], each["nullable"]) for each in fields}
    assert known["ordered_at"] == ("timestamp", False)
    assert known["order_date"] == ("date", False)
    assert known["line_number"] == ("integer", False)
    assert known["quantity"] == ("long", False)
    assert known["line_amount"] == ("decimal(18,4)", False)
    assert known["customer_id"] == ("string", True)


def test_a_table_is_given_the_columns_that_its_contract_gained(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_tables(settings)
    assert columns_due(PRODUCTS, settings=settings) == ()
    first, second = with_columns(NEW), with_columns(NEW, dataclasses.replace(NEW, name="secret"))
    second = dataclasses.replace(
        second, columns=(*first.columns, dataclasses.replace(second.columns[-1], personal=True))
    )
    for table, version in ((first, 2), (second, 4)):
        monkeypatch.setattr(creation, "TABLES", (table,))
        assert columns_due(table, settings=settings) == table.columns[-1:]
        for _ in range(2):
            extend_tables(settings)
            assert current_version(table, settings=settings) == version
        assert columns_due(table, settings=settings) == ()
    assert held_columns(second, settings=settings) == {
        **HELD,
        "colour": "string",
        "secret": "string",
    }
    last = actions(second, settings, 4)
    indexed = last["metaData"]["configuration"]["delta.dataSkippingStatsColumns"].split(",")
    assert "colour" in indexed
    assert "secret" not in indexed
    reasons = [
        json.loads(actions(second, settings, version)["commitInfo"]["userMetadata"])["reason"]
        for version in (1, 2, 3, 4)
    ]
    assert reasons == ["the contract gained colour"] * 2 + ["the contract gained secret"] * 2


def test_a_checkpoint_stands_for_the_commits_before_it(settings: Settings) -> None:
    create_tables(settings)
    DeltaTable(location(PRODUCTS, settings=settings)).create_checkpoint()
    (log_of(PRODUCTS, settings) / f"{0:020}.json").unlink()
    assert held_columns(PRODUCTS, settings=settings) == HELD


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (with_columns(dataclasses.replace(NEW, nullable=False)), "colour as no column"),
        (
            dataclasses.replace(
                PRODUCTS,
                columns=tuple(
                    dataclasses.replace(each, type="bigint") if each.name == "unit_price" else each
                    for each in PRODUCTS.columns
                ),
            ),
            r"unit_price as decimal\(12,4\), its contract as bigint",
        ),
    ],
)
def test_what_no_new_column_mends_is_refused(settings: Settings, table: Table, what: str) -> None:
    create_tables(settings)
    with pytest.raises(LakeError, match=what):
        columns_due(table, settings=settings)


def test_a_log_that_can_not_be_read_is_not_judged(settings: Settings) -> None:
    assert held_columns(PRODUCTS, settings=settings) is None
    create_tables(settings)
    log = log_of(PRODUCTS, settings)
    first = log / f"{0:020}.json"
    whole = first.read_text(encoding="utf-8")
    damages: list[Callable[[], object]] = [
        lambda: first.write_text(whole[: len(whole) // 2]),
        lambda: first.write_text('{"metaData": {"schemaString": "x"}}'),
        lambda: first.write_bytes(b"\xff\xfe\x00"),
        lambda: first.write_text(""),
        first.unlink,
        lambda: (log / "_last_checkpoint").write_text('{"version": 0, "size": 2}'),
        lambda: (log / f"{0:020}.checkpoint.parquet").write_text("no parquet"),
    ]
    for damage in damages:
        damage()
        assert held_columns(PRODUCTS, settings=settings) is None
        assert columns_due(with_columns(NEW), settings=settings) == ()


def test_a_folder_that_can_not_be_written_is_named(settings: Settings) -> None:
    place = Path(location(PRODUCTS, settings=settings))
    place.parent.mkdir(parents=True)
    place.write_text("a file where the table belongs")
    with pytest.raises(LakeError, match=r"silver\.products can't be written at .*products"):
        create_tables(settings)
