"""What a checkpoint says, and how a damaged one is named."""

import json
import zlib
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.ledger import chain, commits
from lakehouse.settings import Settings
from streaming.checkpoints import app_id, checkpoint_dir, kafka_ranges, require_sound


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def write(settings: Settings, name: str, text: str) -> Path:
    path = checkpoint_dir("ingest", settings=settings) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    sums_of(path).unlink(missing_ok=True)
    return path


def sums_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.crc")


def sum_up(path: Path) -> None:
    """Write the checksums beside a file as Hadoop does, one for each 512 bytes."""
    content = path.read_bytes()
    parts = [content[start : start + 512] for start in range(0, len(content), 512)]
    sums = b"".join(zlib.crc32(part).to_bytes(4) for part in parts)
    sums_of(path).write_bytes(b"crc\0" + (512).to_bytes(4) + sums)


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


def whole(settings: Settings, *, begun: int, finished: int) -> None:
    """A checkpoint that has begun and finished so many batches."""
    write(settings, "metadata", '{"id":"8b0c"}')
    write(settings, "sources/0/0", "v1\n" + json.dumps({"a": {"0": 0}}))
    for number in range(begun):
        sum_up(write(settings, f"offsets/{number}", offsets(a={"0": number}) + " " * 600))
    for number in range(finished):
        write(settings, f"commits/{number}", 'v1\n{"nextBatchWatermarkMs":0}')


@pytest.mark.parametrize(("begun", "finished"), [(0, 0), (1, 0), (1, 1), (3, 2), (3, 3)])
def test_a_checkpoint_that_a_crash_leaves_behind_is_sound(
    settings: Settings, begun: int, finished: int
) -> None:
    require_sound("ingest", settings=settings)  # none yet
    whole(settings, begun=begun, finished=finished)
    require_sound("ingest", settings=settings)


@pytest.mark.parametrize("name", ["metadata", "sources/0/0", "offsets/1", "offsets/2", "commits/1"])
@pytest.mark.parametrize("content", ["", "v1\n{", "{}"])
def test_each_file_that_the_next_start_reads_is_checked_before_it(
    settings: Settings, name: str, content: str
) -> None:
    if (name, content) == ("sources/0/0", "{}"):
        content = "[]"
    whole(settings, begun=3, finished=2)
    path = write(settings, name, content)
    if (name, content) == ("metadata", "{}"):
        path.write_text("[]")
    with pytest.raises(LakeError, match=r"`lake reset ingest`") as failure:
        require_sound("ingest", settings=settings)
    assert str(path) in str(failure.value)


@pytest.mark.parametrize(("place", "other"), [(38, "7"), (-1, "\t")])
@pytest.mark.parametrize("name", ["offsets/1", "offsets/2"])
def test_a_changed_byte_is_told_by_the_checksum_though_the_file_can_be_read(
    settings: Settings, name: str, place: int, other: str
) -> None:
    whole(settings, begun=3, finished=2)
    require_sound("ingest", settings=settings)
    path = checkpoint_dir("ingest", settings=settings) / name
    written = bytearray(path.read_bytes())
    assert bytes(written[place : place + 1 or None]) in (b"1", b"2", b" ")
    written[place] = ord(other)
    path.write_bytes(written)
    with pytest.raises(LakeError, match=rf"{name} is missing or damaged.*`lake reset ingest`"):
        require_sound("ingest", settings=settings)


def test_checksums_that_were_cut_short_count_as_damage(settings: Settings) -> None:
    whole(settings, begun=1, finished=0)
    path = checkpoint_dir("ingest", settings=settings) / "offsets" / "0"
    sums_of(path).write_bytes(b"crc\0")
    with pytest.raises(LakeError, match="offsets/0 is missing or damaged"):
        require_sound("ingest", settings=settings)


def test_a_checkpoint_older_than_what_its_query_wrote_is_refused(settings: Settings) -> None:
    whole(settings, begun=3, finished=3)
    lines = [
        {"kind": "commit", "table": "t", "version": n, "app_id": own_id, "batch_id": n}
        for own_id, last in (("another", 9), ("8b0c", 2))
        for n in range(last + 1)
    ]
    chain.write(commits.CHAIN, *lines, settings=settings)
    require_sound("ingest", settings=settings)
    for name in ("offsets/2", "commits/2"):
        (checkpoint_dir("ingest", settings=settings) / name).unlink()
    with pytest.raises(LakeError, match=r"checkpoints/ingest/offsets/2 is missing"):
        require_sound("ingest", settings=settings)


def test_offsets_that_a_finished_batch_must_have_are_missed(settings: Settings) -> None:
    whole(settings, begun=2, finished=3)
    with pytest.raises(LakeError, match=r"checkpoints/ingest/offsets/2 is missing"):
        require_sound("ingest", settings=settings)
