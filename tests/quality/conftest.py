"""The invented shop of the proof, for tests to change, and the same as small Delta tables."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lakehouse.contracts.tables import ORDER_LINES, TABLES, Table
from quality.proof.sample_shop import Shop, build_shop, planted_line

_DELTA_TYPES = {"int": "integer", "bigint": "long"}


def write_delta(folder: Path, table: Table, commits: Sequence[Path | None]) -> None:
    """A Delta table by its log: commit 0 makes it, and each further one adds a Parquet file."""
    log = folder / "_delta_log"
    log.mkdir(parents=True)
    schema = {
        "type": "struct",
        "fields": [
            {
                "name": column.name,
                "type": _DELTA_TYPES.get(column.type, column.type),
                "nullable": True,
                "metadata": {},
            }
            for column in table.columns
        ],
    }
    metadata = {
        "id": table.name,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": json.dumps(schema),
        "partitionColumns": [],
        "configuration": {},
        "createdTime": 0,
    }
    actions: list[dict[str, Any]] = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": metadata},
    ]
    for version, added in enumerate([None, *commits]):
        if added is not None:
            size = added.stat().st_size
            entry = {"path": added.name, "size": size, "partitionValues": {}}
            actions = [{"add": {**entry, "modificationTime": 0, "dataChange": True}}]
        path = log / f"{version:020}.json"
        path.write_text("\n".join(json.dumps(action) for action in actions), encoding="utf-8")


def write_lake(shop: Shop, tables_dir: Path) -> dict[str, int]:
    """Every table as Delta; order lines get a second commit that adds a planted line in euros.

    Returns:
        The version of each table that holds clean rows.
    """
    versions = {}
    for table in TABLES:
        name = table.name.partition(".")[2]
        folder = tables_dir / table.name.replace(".", "/")
        folder.mkdir(parents=True)
        shop.connection.execute(f"copy {name} to '{folder}/clean.parquet' (format parquet)")
        commits = [folder / "clean.parquet"]
        if table is ORDER_LINES:
            with shop.changed():
                shop.add("order_lines", **planted_line(currency="EUR"))
                shop.connection.execute(
                    "copy (select * from order_lines where event_id = 'planted') "
                    f"to '{folder}/planted.parquet' (format parquet)"
                )
            commits.append(folder / "planted.parquet")
        write_delta(folder, table, commits)
        versions[table.name] = 1
    return versions


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The clean shop of seed 0; tests change it inside `changed()` only."""
    built = build_shop(0)
    yield built
    built.connection.close()


@pytest.fixture(scope="session")
def shop_of_seed() -> Callable[[int], Shop]:
    return build_shop


@pytest.fixture(scope="session")
def line_with() -> Callable[..., dict[str, Any]]:
    return planted_line


@pytest.fixture(scope="session")
def clean_lake(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A state folder with Delta tables of the clean shop, and their versions."""
    home = tmp_path_factory.mktemp("state")
    return home, write_lake(shop, home / "tables")
