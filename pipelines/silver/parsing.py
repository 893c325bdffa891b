"""Bronze records -> what each becomes, by the record functions: the part that runs inside Spark.

In: Arrow batches of bronze rows in a Spark task. Out: Parquet files in a scratch folder, one of
`records` (a row per record: identity, content, money, or why it is refused) and one per silver
table with the rows of sound records. Which records win is decided later, on these narrow rows.
"""

import contextlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from lakehouse.contracts import dead_letter_topic
from lakehouse.contracts.arrow import arrow_schema
from lakehouse.contracts.tables import Table
from pipelines.silver import routing
from pipelines.silver.routing import TABLE_OF, RecordFunction
from pipelines.transforms.records import Accepted, Refused, Row

BRONZE_COLUMNS = ("topic", "partition", "offset", "value", "kafka_at")
RECORDS = "records"
RECORDS_SCHEMA = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("event_id", pa.string()),
        ("identity", pa.string()),
        ("content_hash", pa.string()),
        ("amount", pa.decimal128(18, 4)),
        ("day", pa.date32()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("value", pa.binary()),  # of refused records alone, as the two above
        ("kafka_at", pa.timestamp("us", tz="UTC")),
    ]
)
_REASON = re.compile(r"[a-z0-9_]{1,40}")
_FIELD = re.compile(r"[\w.\[\]]{1,80}", re.ASCII)


def rows_schema(table: Table) -> pa.Schema:
    """Schema of a table's rows before they have the number of their batch."""
    return arrow_schema(table, without=("refined_batch",))


def new_rows(table: Table) -> str:
    """Name of the rows that the sound records of a batch make for a table."""
    return f"new_{table.flat_name}"


def record_functions() -> dict[str, RecordFunction]:
    """The function of each topic that bronze holds, dead letters included."""
    functions = {route.topic.name: route.refine for route in routing.ROUTES}
    return {
        **functions,
        **dict.fromkeys(map(dead_letter_topic, functions), refine_dead_letter),
    }


def refine_dead_letter(value: bytes | None) -> Refused:
    """A record that a producer refused: it is quarantined with the reason that it states."""
    try:
        letter = json.loads((value or b"").decode())
    except (ValueError, RecursionError):
        letter = None
    if not isinstance(letter, dict):
        return Refused("contract_refused")
    event_id, reason, field = (letter.get(name) for name in ("event_id", "reason", "field"))
    detail = ""
    if isinstance(reason, str) and _REASON.fullmatch(reason):
        is_field = isinstance(field, str) and _FIELD.fullmatch(field)
        detail = f"{reason}: {field}" if is_field else reason
    return Refused("contract_refused", detail, event_id if isinstance(event_id, str) else None)


def write_parsed(
    batches: Iterator[pa.RecordBatch], *, folder: str, functions: Mapping[str, RecordFunction]
) -> Iterator[pa.RecordBatch]:
    """A Spark task: parse its bronze rows into files of its own, and yield their paths.

    Args:
        batches: Rows with `BRONZE_COLUMNS`.
        folder: Where the files go; a task that runs again writes new ones, and only those of the
            task that succeeded are named.
        functions: Record function by topic; records of other topics are left out.
    """
    token, paths = uuid.uuid4().hex, []
    with contextlib.ExitStack() as stack:
        writers: dict[str, parquet.ParquetWriter] = {}
        for batch in batches:
            for name, rows in parsed(batch, functions).items():
                if name not in writers:
                    path = Path(folder) / f"{name}-{token}.parquet"
                    paths.append(str(path))
                    writer = parquet.ParquetWriter(path, rows.schema, compression="lz4")
                    writers[name] = stack.enter_context(writer)
                writers[name].write_table(rows)
    yield pa.RecordBatch.from_pydict({"path": pa.array(paths, pa.string())})


def parsed(batch: pa.RecordBatch, functions: Mapping[str, RecordFunction]) -> dict[str, pa.Table]:
    """What the records of a batch become: `records`, and rows by the name of their table."""
    records: list[tuple[Any, ...]] = []
    rows: dict[type[Row], list[tuple[Any, ...]]] = {}
    *columns, arrived = (batch.column(name) for name in BRONZE_COLUMNS)
    for number, (topic, partition, offset, value) in enumerate(
        zip(*(column.to_pylist() for column in columns), strict=True)
    ):
        place = (topic, partition, offset)
        if topic not in functions:
            continue
        found = functions[topic](value)
        common = (*place, found.event_id, found.identity)
        if isinstance(found, Accepted):
            records.append(
                (*common, found.content_hash, found.amount, found.day, None, None, None, None)
            )
            for row in found.rows:
                fact = (found.event_id, found.content_hash, *row, *place)
                rows.setdefault(type(row), []).append(fact)
        else:
            refusal = (found.reason, found.detail, value, arrived[number].as_py())
            records.append((*common, None, found.amount, found.day, *refusal))
    tables = {
        new_rows(TABLE_OF[kind]): _columnar(each, rows_schema(TABLE_OF[kind]))
        for kind, each in rows.items()
    }
    return {RECORDS: _columnar(records, RECORDS_SCHEMA), **tables} if records else {}


def _columnar(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(each, field.type) for each, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
