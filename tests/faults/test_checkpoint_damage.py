"""A checkpoint that was deleted, cut short or set back: it stops, and a reset loses nothing."""

import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import LakeError
from operations.recovery.reset import reset_query
from streaming.checkpoints import checkpoint_dir, start_file
from tests.faults.proof import Trial
from tests.faults.results import Recorder

pytestmark = [pytest.mark.spark, pytest.mark.kafka, pytest.mark.slow]

WRITES = {"ingest": "append_rows", "refine": "refine_records"}


def interrupted(trial: Trial, query: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a query do its first batch and fail in its third; returns its checkpoint."""
    if query == "refine":
        trial.lake.ingest()
    module = import_module(f"streaming.{query}")
    real: Callable[..., Any] = getattr(module, WRITES[query])
    calls = iter((True, True, False))

    def write(*args: Any, **options: Any) -> Any:
        if not next(calls):
            raise RuntimeError("planted before the third batch")
        return real(*args, **options)

    monkeypatch.setattr(module, WRITES[query], write)
    with pytest.raises(LakeError, match="planted"):
        run(trial, query)
    monkeypatch.setattr(module, WRITES[query], real)
    assert not start_file(query, settings=trial.settings).exists()
    return checkpoint_dir(query, settings=trial.settings)


def run(trial: Trial, query: str) -> None:
    getattr(trial.lake, query)()


def heal(trial: Trial, query: str) -> None:
    """The one human step, and the rest of the work."""
    reset_query(query, settings=trial.settings)
    run(trial, query)
    if query == "ingest":
        trial.lake.refine()


@pytest.mark.parametrize("query", ["ingest", "refine"])
@pytest.mark.parametrize("part", [".", "metadata", "offsets", "offsets/2"])
def test_a_deleted_checkpoint_stops_and_a_reset_loses_and_doubles_nothing(
    trial: Trial, query: str, part: str, monkeypatch: pytest.MonkeyPatch, record_fault: Recorder
) -> None:
    """T07: the checkpoint deleted, whole or in part."""
    folder = interrupted(trial, query, monkeypatch)
    victim = folder / part
    if victim.is_dir():
        shutil.rmtree(victim)
    else:
        victim.unlink()
    if part == "offsets/2":  # and with it every trace of the last batches: an older checkpoint
        for name in ("offsets/1", "commits/1"):
            (folder / name).unlink()
    named = {".": "metadata", "metadata": "metadata"}.get(part, "offsets/1")
    with pytest.raises(LakeError) as stopped:
        run(trial, query)
    assert f"{folder / named} is missing" in str(stopped.value)
    assert f"`lake reset {query}`" in str(stopped.value)
    heal(trial, query)
    record_fault(trial.prove(), human_steps=1)


@pytest.mark.parametrize("query", ["ingest", "refine"])
@pytest.mark.parametrize("part", ["metadata", "offsets/1", "offsets/2", "commits/1"])
def test_a_truncated_checkpoint_file_is_named_with_the_command_that_mends_it(
    trial: Trial, query: str, part: str, monkeypatch: pytest.MonkeyPatch, record_fault: Recorder
) -> None:
    """T08: a file of the checkpoint truncated."""
    folder = interrupted(trial, query, monkeypatch)
    (folder / part).write_bytes(b"")
    with pytest.raises(LakeError) as stopped:
        run(trial, query)
    assert f"{folder / part} is missing or damaged" in str(stopped.value)
    assert f"`lake reset {query}`" in str(stopped.value)
    heal(trial, query)
    record_fault(trial.prove(), human_steps=1)


def test_a_flipped_byte_in_a_checkpoint_file_is_told_with_the_command(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, record_fault: Recorder
) -> None:
    """T08: a byte of a checkpoint file flipped, so that only its checksum tells."""
    folder = interrupted(trial, "ingest", monkeypatch)
    path = folder / "offsets" / "2"
    path.write_text(path.read_text().replace('"0":', '"1":', 1))
    with pytest.raises(LakeError, match=r"checkpoint.*damaged.*`lake reset ingest`"):
        run(trial, "ingest")
    heal(trial, "ingest")
    record_fault(trial.prove(), human_steps=1)
