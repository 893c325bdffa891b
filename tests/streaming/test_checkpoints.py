"""What a checkpoint says, and how a damaged one is named."""

import json
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from streaming.checkpoints import app_id, checkpoint_dir, kafka_ranges


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def write(settings: Settings, name: str, text: str) -> Path:
    path = checkpoint_dir("ingest", settings=settings) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def offsets(**topics: dict[str, int]) -> str:
    return f'v1\n{{"batchWatermarkMs":0}}\n{json.dumps(topics)}'


def test_the_id_is_the_checkpoints_own(settings: Settings) -> None:
    write(settings, "metadata", '{"id":"8b0c"}')
    assert app_id("ingest", settings=settings) == "8b0c"


def test_ranges_run_from_the_batch_before_and_leave_idle_partitions_out(
    settings: Settings,
) -> None:
    write(settings, "sources/0/0", "v1\n" + json.dumps({"a": {"0": 4, "1": 0}}))
    write(settings, "offsets/0", offsets(a={"0": 9, "1": 0}))
    write(settings, "offsets/1", offsets(a={"0": 9, "1": 3}, b={"0": 2}))
    assert kafka_ranges("ingest", 0, settings=settings) == {"a": {"0": (4, 9)}}
    assert kafka_ranges("ingest", 1, settings=settings) == {
        "a": {"1": (0, 3)},
        "b": {"0": (0, 2)},
    }


@pytest.mark.parametrize("content", ["", "v1\n", "v1\n{", 'v1\n{"batchWatermarkMs":0}', "v1\n[]"])
def test_a_damaged_file_is_named_with_the_command_that_mends_it(
    settings: Settings, content: str
) -> None:
    write(settings, "sources/0/0", "v1\n" + json.dumps({"a": {"0": 0}}))
    path = write(settings, "offsets/0", content)
    with pytest.raises(LakeError, match=r"`lake reset ingest`") as failure:
        kafka_ranges("ingest", 0, settings=settings)
    assert str(path) in str(failure.value)


def test_a_missing_file_is_named_too(settings: Settings) -> None:
    with pytest.raises(LakeError, match=r"checkpoints/ingest/metadata is missing or damaged"):
        app_id("ingest", settings=settings)
