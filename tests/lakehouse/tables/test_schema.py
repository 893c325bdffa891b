"""Columns of Delta tables as their logs say, and what a contract has beyond them; no Spark."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.contracts.tables import PRODUCTS, Column, Table
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables import columns_due, held_columns, location

Write = Callable[..., None]
TYPES = {"bigint": "long", "int": "integer"}


def metadata(*columns: Column) -> dict[str, Any]:
    fields = [{"name": each.name, "type": TYPES.get(each.type, each.type)} for each in columns]
    return {"metaData": {"schemaString": json.dumps({"type": "struct", "fields": fields})}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, storage=None)


@pytest.fixture
def log(settings: Settings) -> Path:
    folder = Path(location(PRODUCTS, settings=settings)) / "_delta_log"
    folder.mkdir(parents=True)
    return folder


def commit(log: Path, version: int, *actions: dict[str, Any]) -> None:
    text = "\n".join(map(json.dumps, [{"commitInfo": {}}, *actions]))
    (log / f"{version:020}.json").write_text(text)


def with_columns(*columns: Column) -> Table:
    return dataclasses.replace(PRODUCTS, columns=(*PRODUCTS.columns, *columns))


NEW = Column("colour", "string", nullable=True)
HELD = {column.name: column.type for column in PRODUCTS.columns}


def test_the_newest_metadata_counts(log: Path, settings: Settings) -> None:
    commit(log, 0, metadata(*PRODUCTS.columns))
    commit(log, 1, {"add": {"path": "x"}})
    assert held_columns(PRODUCTS, settings=settings) == HELD
    commit(log, 2, metadata(*PRODUCTS.columns, NEW))
    commit(log, 10, {"add": {"path": "y"}})
    assert held_columns(PRODUCTS, settings=settings) == {**HELD, "colour": "string"}


def test_a_checkpoint_stands_for_the_commits_before_it(log: Path, settings: Settings) -> None:
    commit(log, 0, metadata(*PRODUCTS.columns))
    rows = pa.table({"metaData": [None, metadata(*PRODUCTS.columns, NEW)["metaData"]]})
    pq.write_table(rows, log / f"{3:020}.checkpoint.parquet")
    (log / "_last_checkpoint").write_text('{"version": 3, "size": 2}')
    commit(log, 4, {"add": {"path": "x"}})
    assert held_columns(PRODUCTS, settings=settings) == {**HELD, "colour": "string"}
    commit(log, 5, metadata(*PRODUCTS.columns))
    assert held_columns(PRODUCTS, settings=settings) == HELD


def test_columns_that_the_contract_gained_are_due(log: Path, settings: Settings) -> None:
    commit(log, 0, metadata(*PRODUCTS.columns))
    assert columns_due(PRODUCTS, settings=settings) == ()
    assert columns_due(with_columns(NEW), settings=settings) == (NEW,)


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
def test_what_no_new_column_mends_is_refused(
    log: Path, settings: Settings, table: Table, what: str
) -> None:
    commit(log, 0, metadata(*PRODUCTS.columns))
    with pytest.raises(LakeError, match=what):
        columns_due(table, settings=settings)


def test_a_log_that_can_not_be_read_is_not_judged(log: Path, settings: Settings) -> None:
    damages: list[Callable[[], object]] = [
        lambda: None,
        lambda: (log / f"{0:020}.json").write_text('{"metaData": {"schemaStr'),
        lambda: (log / f"{0:020}.json").write_text('{"metaData": {"schemaString": "x"}}'),
        lambda: (log / f"{0:020}.json").write_text(""),
        lambda: (log / "_last_checkpoint").write_text('{"version": 0}'),
        lambda: (log / f"{0:020}.checkpoint.parquet").write_text("no parquet"),
    ]
    for damage in damages:
        damage()
        assert held_columns(PRODUCTS, settings=settings) is None
        assert columns_due(with_columns(NEW), settings=settings) == ()
