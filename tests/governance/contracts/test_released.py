"""The snapshot of the released contracts: complete, and written whole or not at all."""

from pathlib import Path

import pytest

from governance.contracts.changes import changes_between
from governance.contracts.released import (
    SNAPSHOT,
    Shape,
    present_shapes,
    released_shapes,
    write_released,
)
from lakehouse.contracts import TABLES
from lakehouse.contracts.gold import GOLD_TABLES
from lakehouse.contracts.topics import SOURCE_TOPICS
from lakehouse.errors import LakeError


def test_every_topic_table_and_mart_has_a_shape_with_a_key_and_a_grain() -> None:
    shapes = present_shapes()
    names = {each.name for each in (*SOURCE_TOPICS, *TABLES)} | set(GOLD_TABLES)
    assert set(shapes) == names
    assert [name for name, shape in shapes.items() if not shape.facts["key"]] == []
    keyless = [name for name, shape in shapes.items() if not shape.facts.get("grain", "topic")]
    assert keyless == []


def test_nothing_that_was_released_is_broken() -> None:
    changes = changes_between(released_shapes(), present_shapes())
    assert [str(each) for each in changes if each.is_breaking] == []


def test_money_quantities_and_times_state_their_units() -> None:
    silent = [
        f"{shape.name} {name}"
        for shape in present_shapes().values()
        for name, field in shape.fields.items()
        if not field["unit"]
        and (
            field["type"].startswith(("decimal", "timestamp", "date"))
            or name.lower().endswith(("quantity", "price", "amount", "_at", "_date", "_rate"))
        )
    ]
    assert silent == []


def test_a_snapshot_reads_as_it_was_written_and_is_replaced_whole(tmp_path: Path) -> None:
    snapshot = tmp_path / "released.json"
    shapes = present_shapes()
    write_released(shapes, snapshot=snapshot)
    assert released_shapes(snapshot) == shapes
    before = snapshot.read_bytes()
    unwritable = Shape("x", "table", {"grain": "\ud800"}, [], {})  # fails in mid-write
    with pytest.raises(UnicodeEncodeError):
        write_released({"x": unwritable}, snapshot=snapshot)
    assert snapshot.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["released.json"]


def test_a_missing_or_damaged_snapshot_is_named(tmp_path: Path) -> None:
    snapshot = tmp_path / "released.json"
    for text in (None, "", "[]", '{"a": 1}', '{"a": {"b": 1}}'):
        if text is not None:
            snapshot.write_text(text)
        with pytest.raises(LakeError, match=r"released\.json can't be read"):
            released_shapes(snapshot)


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="can't be written"):
        write_released({}, snapshot=tmp_path / "no such folder" / SNAPSHOT.name)
