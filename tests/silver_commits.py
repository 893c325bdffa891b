"""Silver by hand: Delta commits without Spark, for tests of what reads silver.

In: rows. Out: a table's next version, as the protocol says it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from lakehouse.contracts.tables import Table
from lakehouse.duck import duck_type
from lakehouse.settings import Settings


def commit(
    settings: Settings,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    version: int = 0,
    replaces: Sequence[int] = (),
    is_moved: bool = False,
) -> None:
    """One Delta commit by hand: a Parquet file and the protocol's JSON lines.

    `replaces` are versions whose files leave; `is_moved` says that no row changed.
    """
    folder = Path(settings.tables_uri) / table.name.replace(".", "/")
    (folder / "_delta_log").mkdir(parents=True, exist_ok=True)
    part = folder / f"part-{version}.parquet"
    with duckdb.connect() as lake:
        columns = ", ".join(f"{each.name} {duck_type(each)}" for each in table.columns)
        lake.execute(f"create table new ({columns})")
        marks = ", ".join("?" for _ in table.columns)
        for row in rows:
            values = [row[name] for name in table.column_names()]
            lake.execute(f"insert into new values ({marks})", values)
        lake.execute(f"copy new to '{str(part).replace(chr(39), chr(39) * 2)}' (format parquet)")
    kinds = {"int": "integer", "bigint": "long"}
    fields = [
        {
            "name": each.name,
            "type": kinds.get(each.type, each.type),
            "nullable": True,
            "metadata": {},
        }
        for each in table.columns
    ]
    created = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": table.name,
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": [],
                "configuration": {},
            }
        },
    ]
    added = {
        "add": {
            "path": part.name,
            "partitionValues": {},
            "size": part.stat().st_size,
            "modificationTime": 0,
            "dataChange": not is_moved,
        }
    }
    left = [
        {"remove": {"path": f"part-{each}.parquet", "dataChange": not is_moved}}
        for each in replaces
    ]
    actions = [*(created if version == 0 else []), *left, added]
    log = folder / "_delta_log" / f"{version:020}.json"
    log.write_text("\n".join(json.dumps(action) for action in actions))
