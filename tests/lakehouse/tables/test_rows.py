"""Arrow rows into Delta tables: each write once, with its facts, and no personal statistics."""

import json
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.contracts.arrow import arrow_schema
from lakehouse.contracts.tables import CUSTOMER_CONTACTS, CUSTOMERS, PRODUCTS, Table
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.tables import (
    Transaction,
    append_rows,
    create_tables,
    current_version,
    location,
    merge_rows,
    replace_rows,
)

AT = datetime(2011, 12, 10, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "state", storage=None)
    create_tables(settings)
    return settings


def products(*rows: tuple[str, str, int], **more: list[Any]) -> pa.RecordBatchReader:
    """Product changes: event id, price, offset."""
    found = [
        {
            "event_id": event_id,
            "content_hash": "h",
            "sku": "LAMP",
            "changed_at": AT,
            "description": "lamp",
            "category": "light",
            "unit_price": Decimal(price),
            "is_active": True,
            "refined_batch": 1,
            "source_topic": "t",
            "source_partition": 0,
            "source_offset": offset,
        }
        for event_id, price, offset in rows
    ]
    table = pa.Table.from_pylist(found, schema=arrow_schema(PRODUCTS))
    for name, values in more.items():
        table = table.append_column(name, pa.array(values))
    return table.to_reader()


def last_facts(table: Table, settings: Settings) -> dict[str, Any]:
    """The facts in a table's last commit."""
    version = current_version(table, settings=settings) or 0
    log = Path(location(table, settings=settings)) / "_delta_log" / f"{version:020}.json"
    actions = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    (info,) = [each["commitInfo"] for each in actions if "commitInfo" in each]
    found: dict[str, Any] = json.loads(info["userMetadata"])
    return found


def prices(settings: Settings) -> list[tuple[str, str]]:
    with open_lake(settings) as lake:
        relation = delta_relation(settings, PRODUCTS.name)
        return lake.execute(
            f"select event_id, unit_price::varchar from {relation} order by all"
        ).fetchall()


def test_a_write_with_the_same_transaction_lands_once(settings: Settings) -> None:
    target: dict[str, Any] = {"settings": settings, "metadata": {"query": "q", "rows": 1}}
    first, second = Transaction("app", 0), Transaction("app", 1)
    append_rows(products(("a", "1", 0)), PRODUCTS, transaction=first, **target)
    append_rows(products(("b", "1", 1)), PRODUCTS, transaction=first, **target)
    assert prices(settings) == [("a", "1.0000")]
    assert last_facts(PRODUCTS, settings) == {
        "query": "q",
        "rows": 1,
        "app_id": "app",
        "batch_id": 0,
    }
    merge_rows(products(("a", "2", 2), ("c", "3", 3)), PRODUCTS, transaction=second, **target)
    merge_rows(products(("d", "4", 4)), PRODUCTS, transaction=second, **target)
    merge_rows(products(("d", "4", 4)), PRODUCTS, transaction=first, **target)
    assert prices(settings) == [("a", "2.0000"), ("c", "3.0000")]
    assert last_facts(PRODUCTS, settings)["batch_id"] == 1
    other = Transaction("another app", 0)
    append_rows(products(("e", "5", 5)), PRODUCTS, transaction=other, **target)
    assert [key for key, _ in prices(settings)] == ["a", "c", "e"]


def test_a_merge_of_two_rows_for_one_changes_nothing(settings: Settings) -> None:
    target: dict[str, Any] = {"settings": settings, "metadata": {}}
    append_rows(products(("a", "1", 0)), PRODUCTS, transaction=Transaction("p", 0), **target)
    twice = products(("a", "2", 1), ("a", "3", 2))
    with pytest.raises(LakeError, match=r"can't be written .*multiple source rows"):
        merge_rows(twice, PRODUCTS, transaction=Transaction("p", 1), **target)
    assert prices(settings) == [("a", "1.0000")]
    merge_rows(products(("a", "2", 1)), PRODUCTS, transaction=Transaction("p", 1), **target)
    assert prices(settings) == [("a", "2.0000")]


def test_a_merge_deletes_what_it_is_told_to_and_inserts_no_such_row(settings: Settings) -> None:
    target: dict[str, Any] = {"settings": settings, "metadata": {}}
    start = products(("a", "1", 0), ("b", "1", 1))
    append_rows(start, PRODUCTS, transaction=Transaction("p", 0), **target)
    rows = products(
        *(("a", "2", 2), ("b", "2", 3), ("c", "2", 4), ("d", "2", 5)),
        leaves=[False, True, False, True],
    )
    merge_rows(rows, PRODUCTS, transaction=Transaction("p", 1), delete_when="new.leaves", **target)
    assert prices(settings) == [("a", "2.0000"), ("c", "2.0000")]


def test_a_replacement_touches_only_the_rows_it_names(settings: Settings) -> None:
    target: dict[str, Any] = {"settings": settings, "metadata": {"query": "backfill"}}
    start = products(("a", "1", 0), ("b", "1", 1))
    append_rows(start, PRODUCTS, transaction=Transaction("p", 0), **target)
    replace_rows(products(("b", "9", 1)), PRODUCTS, where="source_offset = 1", **target)
    assert prices(settings) == [("a", "1.0000"), ("b", "9.0000")]
    with pytest.raises(LakeError, match="1 rows failed validation check") as failure:
        replace_rows(products(("a", "9", 0)), PRODUCTS, where="source_offset = 1", **target)
    shown = "".join(traceback.format_exception(failure.value))
    assert "LAMP" not in shown  # the rows themselves may be of a person
    assert prices(settings) == [("a", "1.0000"), ("b", "9.0000")]
    assert last_facts(PRODUCTS, settings) == {"query": "backfill"}


def test_personal_values_are_in_no_commit(settings: Settings) -> None:
    row = {
        "event_id": "e",
        "content_hash": "h",
        "customer_id": "1",
        "changed_at": AT,
        "name": "Ada Secret",
        "email": "ada@secret.test",
        "address": "1 Secret Street",
        "refined_batch": 1,
        "source_topic": "t",
        "source_partition": 0,
        "source_offset": 0,
    }
    rows = pa.Table.from_pylist([row], schema=arrow_schema(CUSTOMER_CONTACTS)).to_reader()
    append_rows(
        *(rows, CUSTOMER_CONTACTS),
        settings=settings,
        transaction=Transaction("p", 0),
        metadata={},
    )
    log = Path(location(CUSTOMER_CONTACTS, settings=settings)) / "_delta_log"
    written = b"".join(path.read_bytes() for path in log.iterdir())
    assert b'\\"event_id\\":\\"e\\"' in written
    assert b"ecret" not in written


def test_a_writer_waits_for_the_table_of_another_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lakehouse.tables.writing.LOCK_WAIT_SECONDS", 0.1)
    target: dict[str, Any] = {"settings": settings, "metadata": {}}
    writes: list[Callable[[], None]] = [
        lambda: append_rows(
            products(("a", "1", 0)), PRODUCTS, transaction=Transaction("p", 0), **target
        ),
        lambda: merge_rows(
            products(("a", "1", 0)), PRODUCTS, transaction=Transaction("p", 1), **target
        ),
        lambda: replace_rows(products(("a", "1", 0)), PRODUCTS, where="true", **target),
    ]
    for write in writes:
        with hold(f"table-{CUSTOMERS.name}", settings=settings):
            write()
        with (
            hold(f"table-{PRODUCTS.name}", settings=settings),
            pytest.raises(LakeError, match=f"'table-{PRODUCTS.name}'"),
        ):
            write()
