"""The contracts as plain data, and the snapshot of those that were released to others.

In: topics, tables and the marts' contracts as the code has them. Out: one `Shape` per contract;
`released.json` beside this module holds the shapes of the last `lake contracts release`.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lakehouse.contracts.marts import Mart, read_marts
from lakehouse.contracts.tables import TABLES, Table
from lakehouse.contracts.topics import ENVELOPE, ORDER_LINE_FIELDS, SOURCE_TOPICS, Field, Topic
from lakehouse.errors import LakeError

SNAPSHOT = Path(__file__).with_name("released.json")
LINES = "lines[]."
"""What the fields of an order line are called within their message."""

Layer = Literal["topic", "table", "mart"]


@dataclass(frozen=True)
class Shape:
    """One contract, comparable.

    Attributes:
        facts: What holds for the whole: key, grain, partitions.
        versions: Schema versions of a topic's messages that are read; empty otherwise.
        fields: By name: type, nullable, unit and, where they exist, values, since, personal.
    """

    name: str
    layer: Layer
    facts: Mapping[str, Any]
    versions: Sequence[int]
    fields: Mapping[str, Mapping[str, Any]]


def present_shapes() -> dict[str, Shape]:
    """The contracts as the code states them, by name.

    Raises:
        LakeError: The dbt project's contracts can't be read.
    """
    shapes = [
        *map(topic_shape, SOURCE_TOPICS),
        *map(table_shape, TABLES),
        *map(mart_shape, read_marts()),
    ]
    return {shape.name: shape for shape in shapes}


def released_shapes(snapshot: Path = SNAPSHOT) -> dict[str, Shape]:
    """The contracts as they were released, by name.

    Raises:
        LakeError: The snapshot is missing or damaged.
    """
    try:
        found = json.loads(snapshot.read_text(encoding="utf-8"))
        return {name: Shape(name=name, **body) for name, body in found.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise LakeError(
            f"The released contracts {snapshot} can't be read ({type(error).__name__}). "
            "Take the file back from version control."
        ) from error


def write_released(shapes: Mapping[str, Shape], *, snapshot: Path = SNAPSHOT) -> None:
    """Replace the snapshot in one step: whole or not at all.

    Raises:
        LakeError: It can't be written.
    """
    text = _as_text({name: asdict(shape) for name, shape in sorted(shapes.items())})
    try:
        handle, path = tempfile.mkstemp(dir=snapshot.parent, prefix=".released-")
        try:
            with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
                file.write(text)
            Path(path).chmod(0o644)
            Path(path).replace(snapshot)
        finally:
            Path(path).unlink(missing_ok=True)
    except OSError as error:
        raise LakeError(
            f"The released contracts {snapshot} can't be written "
            f"({os.strerror(error.errno or 0)}). Run this in a clone that you may change."
        ) from error


def topic_shape(topic: Topic) -> Shape:
    """A topic with the fields of its envelope and of its order lines."""
    fields = {field.name: _field(field) for field in (*ENVELOPE, *topic.fields)}
    if any(field.kind == "lines" for field in topic.fields):
        fields |= {f"{LINES}{field.name}": _field(field) for field in ORDER_LINE_FIELDS}
    facts = {"key": topic.key, "partitions": topic.partitions}
    return Shape(topic.name, "topic", facts, list(topic.versions), fields)


def table_shape(table: Table) -> Shape:
    """A Delta table."""
    facts = {
        "grain": table.grain,
        "key": list(table.key),
        "partition column": table.partition_by,
    }
    fields = {
        column.name: {
            "type": column.type,
            "nullable": column.nullable,
            "unit": column.unit,
            "personal": column.personal,
        }
        for column in table.columns
    }
    return Shape(table.name, "table", facts, [], fields)


def mart_shape(mart: Mart) -> Shape:
    """A table of gold."""
    facts = {"grain": mart.grain, "key": list(mart.key)}
    fields = {
        column.name: {"type": column.type, "nullable": column.nullable, "unit": column.unit}
        for column in mart.columns
    }
    return Shape(mart.name, "mart", facts, [], fields)


def _as_text(shapes: Mapping[str, dict[str, Any]]) -> str:
    """JSON with one line per field, so that a difference of two releases reads well."""
    blocks = []
    for name, shape in shapes.items():
        lines = [
            f"  {_compact(key)}: {_compact(shape[key])}" for key in ("layer", "facts", "versions")
        ]
        fields = (
            f"   {_compact(each)}: {_compact(body)}" for each, body in shape["fields"].items()
        )
        lines.append('  "fields": {\n' + ",\n".join(fields) + "\n  }")
        blocks.append(f" {_compact(name)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _field(field: Field) -> dict[str, Any]:
    return {
        "type": field.kind,
        "nullable": field.nullable,
        "unit": field.unit,
        "values": list(field.values),
        "since": field.since,
    }
