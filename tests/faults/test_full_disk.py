"""The disk of one part of the state is full: a clean stop, old gold readable, on when it is freed.

As root each part is a small disk of its own; otherwise a limit on files stands for it.
"""

import pytest

from tests.faults.commands import Command, succeed
from tests.faults.proof import Trial, marts
from tests.faults.results import Recorder
from tests.faults.small_disk import small_disk
from tests.faults.test_crashes import land_in_part
from tests.lake_state import bring_into_service

pytestmark = [pytest.mark.spark, pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def half_published(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """The trial with its first batch in gold."""
    land_in_part(trial.lake, monkeypatch)
    trial.lake.refine()
    bring_into_service(trial.settings, trial.workers, run_id="old")
    return trial


@pytest.mark.parametrize(
    ("folder", "room", "words"),
    [
        ("tables", 20_000, ("ingest", "--once")),
        ("tables", 60_000, ("refine", "--once")),
        ("checkpoints", 0, ("ingest", "--once")),
        ("checkpoints", 0, ("refine", "--once")),
        ("gold", 1_000_000, ("publish",)),
        ("ledger", 0, ("publish",)),
    ],
)
def test_a_full_disk_stops_cleanly_and_the_work_goes_on_when_it_is_freed(
    half_published: Trial, folder: str, room: int, words: tuple[str, ...], record_fault: Recorder
) -> None:
    """T24: the disk of data, checkpoints, gold or ledger full, each apart."""
    trial, settings = half_published, half_published.settings
    old = marts(settings)
    if words != ("ingest", "--once"):
        trial.lake.ingest()
    if words == ("publish",):
        trial.lake.refine()
    with small_disk(settings.home / folder, megabytes=64) as disk:
        disk.fill(but=room)
        with Command(*words, settings=settings, before_start=disk.before_start) as command:
            ended = command.end()
        assert ended.code in (1, 2), ended.output
        assert "Traceback" not in ended.output
        assert "disk" in told(ended.output) or "No space left" in told(ended.output)
        assert marts(settings) == old
        disk.free()
        succeed(*words, settings=settings)
        if words == ("ingest", "--once"):
            trial.lake.refine()
        how = "small disk" if disk.is_mounted else "limit on files"
        record_fault(trial.prove(), human_steps=1, note=f"`lake {words[0]}`, {folder}/, {how}")


def told(output: str) -> str:
    return " ".join(output.split())
