"""Delta by Spark, on tables that delta-rs made and writes too: each write once, with its facts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakehouse.contracts.tables import (
    CUSTOMERS,
    ORDER_LINES,
    PRODUCTS,
    TABLES,
    Table,
)
from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.tables import (
    Transaction,
    append_rows,
    create_tables,
    current_version,
    current_versions,
    location,
    merge_rows,
)
from tests.lake_state import LakeState

pytestmark = pytest.mark.spark

COLUMNS = ("event_id", "sku", "unit_price", "source_offset")


def products(lake: LakeState, *rows: tuple[str, str, int]) -> Any:
    """Product changes: event id, price, offset."""
    schema = ", ".join(f"`{each.name}` {each.type}" for each in PRODUCTS.columns)
    frame = lake.spark.createDataFrame(rows, "event_id string, price string, source_offset bigint")
    return frame.selectExpr(
        "event_id",
        "'h' as content_hash",
        "'LAMP' as sku",
        "timestamp'2011-12-10 00:00:00' as changed_at",
        "'lamp' as description",
        "'light' as category",
        "cast(price as decimal(12,4)) as unit_price",
        "true as is_active",
        "1L as refined_batch",
        "'t' as source_topic",
        "0 as source_partition",
        "source_offset",
    ).to(lake.spark.createDataFrame([], schema).schema)


def log(lake: LakeState, table: Table, version: int) -> dict[str, Any]:
    """Actions of a commit by their kind."""
    folder = Path(location(table, settings=lake.settings)) / "_delta_log"
    lines = (folder / f"{version:020}.json").read_text().splitlines()
    return {kind: body for line in lines for kind, body in json.loads(line).items()}


def facts(lake: LakeState, table: Table) -> dict[str, Any]:
    """The facts in a table's last commit."""
    version = current_version(table, settings=lake.settings) or 0
    found: dict[str, Any] = json.loads(log(lake, table, version)["commitInfo"]["userMetadata"])
    return found


def prices(lake: LakeState) -> list[tuple[str, str]]:
    return [(key, f"{price}") for key, price in lake.rows(PRODUCTS, "event_id", "unit_price")]


def test_every_table_is_there_empty_and_made_only_once(lake: LakeState) -> None:
    assert current_versions(lake.settings) == {table.name: 0 for table in TABLES}
    create_tables(lake.settings)
    assert current_versions(lake.settings) == {table.name: 0 for table in TABLES}
    for table in TABLES:
        assert lake.rows(table) == []
        place = location(table, settings=lake.settings)
        schema = lake.spark.read.format("delta").load(place).dtypes
        assert schema == [(each.name, each.type) for each in table.columns]


def test_spark_would_have_made_the_same_table(lake: LakeState) -> None:
    from delta.tables import DeltaTable

    ours, place = log(lake, ORDER_LINES, 0), location(ORDER_LINES, settings=lake.settings)
    shutil.rmtree(place)
    builder = DeltaTable.createIfNotExists(lake.spark).location(place).partitionedBy("order_month")
    for column in ORDER_LINES.columns:
        builder = builder.addColumn(column.name, column.type, nullable=column.nullable)
    for name, value in ours["metaData"]["configuration"].items():
        builder = builder.property(name, value)
    builder.execute()
    theirs = log(lake, ORDER_LINES, 0)
    assert theirs["protocol"] == ours["protocol"]
    for name in ("schemaString", "partitionColumns", "configuration", "format"):
        assert theirs["metaData"][name] == ours["metaData"][name]
    create_tables(lake.settings)  # a table that Spark made is as good as ours
    assert current_versions(lake.settings) == {table.name: 0 for table in TABLES}


def test_a_write_with_the_same_transaction_lands_once(lake: LakeState) -> None:
    target = {"settings": lake.settings, "metadata": {"query": "q", "rows": 1}}

    def add(rows: Any, table: Table, **options: Any) -> None:
        append_rows(rows.toArrow().to_reader(), table, **options)

    first = Transaction("app", 0)
    add(products(lake, ("a", "1", 0)), PRODUCTS, transaction=first, **target)
    add(products(lake, ("b", "1", 1)), PRODUCTS, transaction=first, **target)
    assert prices(lake) == [("a", "1.0000")]
    assert facts(lake, PRODUCTS) == {"query": "q", "rows": 1, "app_id": "app", "batch_id": 0}

    second = Transaction("app", 1)
    rows = products(lake, ("a", "2", 2), ("c", "3", 3)).toArrow()
    for _ in range(2):
        merge_rows(rows.to_reader(), PRODUCTS, transaction=second, **target)
    add(products(lake, ("d", "4", 4)), PRODUCTS, transaction=second, **target)
    assert prices(lake) == [("a", "2.0000"), ("c", "3.0000")]
    assert facts(lake, PRODUCTS)["batch_id"] == 1
    other = Transaction("another app", 0)
    add(products(lake, ("e", "5", 5)), PRODUCTS, transaction=other, **target)
    assert [key for key, _ in prices(lake)] == ["a", "c", "e"]


def test_a_writer_waits_for_the_table_of_another_only(
    lake: LakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.tables.writing.LOCK_WAIT_SECONDS", 0.1)
    write: Callable[[], None] = lambda: append_rows(  # noqa: E731
        products(lake, ("a", "1", 0)).toArrow().to_reader(),
        PRODUCTS,
        settings=lake.settings,
        transaction=Transaction("p", 0),
        metadata={},
    )
    with hold(f"table-{CUSTOMERS.name}", settings=lake.settings):
        write()
    with (
        hold(f"table-{PRODUCTS.name}", settings=lake.settings),
        pytest.raises(LakeError, match=f"'table-{PRODUCTS.name}'"),
    ):
        write()
