"""How a stream may end: asked to, half of it killed, or with a bad exit code after its work."""

import signal
import time

import psutil
import pytest

from lakehouse.settings import Settings
from lakehouse.tables import current_versions
from tests.faults.commands import Command, Fault, run, succeed
from tests.faults.proof import Trial
from tests.faults.results import Recorder

pytestmark = [pytest.mark.spark, pytest.mark.kafka, pytest.mark.slow]

FIRST_BATCH = Fault("refine.before_batch", "note", 2)


@pytest.fixture
def landed(trial: Trial) -> Trial:
    """The trial with the whole shop in bronze."""
    trial.lake.ingest()
    return trial


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_stream_that_is_asked_to_stop_in_mid_batch_ends_soon(
    landed: Trial, number: signal.Signals, code: int, record_fault: Recorder
) -> None:
    """T04: SIGINT and SIGTERM to the process group in mid-batch, both to be over in 30 seconds."""
    with Command(*("refine", "--follow"), settings=landed.settings, faults=[FIRST_BATCH]) as stream:
        stream.await_point(FIRST_BATCH.point)
        asked = time.monotonic()
        stream.signal(number)
        assert stream.end(within=30).code == code, stream.output()
        seconds = time.monotonic() - asked
        assert "Traceback" not in stream.output()
    succeed("refine", "--once", settings=landed.settings)
    record_fault(landed.prove(), note=f"{number.name}: over after {seconds:.1f} s")


def test_sigkill_of_the_python_half_leaves_no_orphan_that_writes(
    landed: Trial, record_fault: Recorder
) -> None:
    """T05: SIGKILL of the Python half only; Java must be gone before anyone could start again."""
    with Command(*("refine", "--follow"), settings=landed.settings, faults=[FIRST_BATCH]) as stream:
        stream.await_point(FIRST_BATCH.point)
        java = stream.java()
        stream.process.kill()
        killed = time.monotonic()
        psutil.wait_procs([java], timeout=30)
        assert not java.is_running() or java.status() == psutil.STATUS_ZOMBIE
        seconds = time.monotonic() - killed
        at_its_end = current_versions(landed.settings)
        stream.await_gone()
    assert seconds < 5
    assert current_versions(landed.settings) == at_its_end
    succeed("refine", "--once", settings=landed.settings)
    record_fault(landed.prove(), note=f"Java gone after {seconds:.1f} s")


def test_sigkill_of_the_java_half_ends_the_command_with_one_sentence(
    landed: Trial, record_fault: Recorder
) -> None:
    """T05: SIGKILL of the Java half only, as the kernel does when memory is short."""
    with Command(*("refine", "--follow"), settings=landed.settings, faults=[FIRST_BATCH]) as stream:
        stream.await_point(FIRST_BATCH.point)
        stream.java().kill()
        killed = time.monotonic()
        ended = stream.end(within=30)
        seconds = time.monotonic() - killed
    assert ended.code == 2, ended.output
    said = [line for line in ended.output.splitlines() if line.strip()]
    assert len(said) == 2, ended.output
    assert said[-1].startswith("Spark's Java process ended")
    succeed("refine", "--once", settings=landed.settings)
    record_fault(landed.prove(), note=f"over after {seconds:.1f} s")


def test_a_bad_exit_code_after_the_work_makes_the_retry_a_no_op(
    trial: Trial, record_fault: Recorder
) -> None:
    """T33: exit 134 after the commit, as an orchestrator sees it; the retry does nothing."""
    settings = trial.settings
    for words, point in (
        (("ingest", "--once"), "query.ended"),
        (("refine", "--once"), "query.ended"),
        (("publish",), "publish.after_pointer"),
    ):
        crashed = run(*words, settings=settings, faults=[Fault(point, "abort")])
        assert crashed.code == -signal.SIGABRT, crashed.output
        before = left_behind(settings)
        succeed(*words, settings=settings)
        assert left_behind(settings) == before
    record_fault(trial.prove())


def left_behind(settings: Settings) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """Versions of tables, batches that the checkpoints have begun, files of gold."""
    begun = {
        query: len(list((settings.checkpoints_dir / query / "offsets").glob("[0-9]*")))
        for query in ("ingest", "refine")
    }
    gold = sorted(path.name for path in settings.gold_dir.glob("gold-*"))
    return current_versions(settings), begun, gold
