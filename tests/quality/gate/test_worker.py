"""The warm gate: the same verdicts as in-process, and a process that never outlives its parent."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lakehouse.contracts.tables import ORDER_LINES
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from quality.gate.judge import judge
from quality.gate.worker import GateWorker

PARENT = """
import sys, threading
from pathlib import Path
from lakehouse.settings import Settings
from quality.gate.worker import GateWorker

worker = GateWorker(Settings(home=Path(sys.argv[1])))
print(worker.pid, flush=True)
threading.Event().wait()
"""


def test_the_worker_judges_as_the_gate_does_and_is_gone_when_closed(
    clean_lake: tuple[Path, dict[str, int]],
) -> None:
    home, versions = clean_lake
    settings = Settings(home=home)
    planted = {**versions, ORDER_LINES.name: 2}
    with GateWorker(settings) as worker:
        first = worker.judge(table_versions=versions, since_batch=2)
        second = worker.judge(table_versions=planted, since_batch=None)
        pid = worker.pid
    assert not psutil.pid_exists(pid)
    for found, expected in (
        (first, judge(settings, table_versions=versions, since_batch=2)),
        (second, judge(settings, table_versions=planted, since_batch=None)),
    ):
        same = replace(found, seconds=expected.seconds, judged_at=expected.judged_at)
        assert same == expected
    assert (first.passed, second.passed) == (True, False)


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGINT])
def test_the_worker_dies_with_its_parent_and_silently(death: int, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(death)
    parent.wait(timeout=30)
    parent.stdout.close()
    psutil.wait_procs([worker], timeout=30)
    assert not worker.is_running()
    assert (tmp_path / "home/logs/quality-gate.log").read_text(encoding="utf-8") == ""


def test_a_worker_that_was_killed_is_named_with_its_log(tmp_path: Path) -> None:
    worker = GateWorker(Settings(home=tmp_path))
    psutil.Process(worker.pid).kill()
    with pytest.raises(LakeError) as told:
        worker.judge(table_versions={}, since_batch=None)
    worker.close()
    assert str(told.value) == (
        "The quality gate's process ended with code -9: see "
        f"{tmp_path / 'logs/quality-gate.log'}, and run the command again."
    )
