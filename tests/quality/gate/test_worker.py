"""The warm gate: the same verdicts as in-process, and a process that never outlives its parent."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lakehouse.contracts.tables import ORDER_LINES
from lakehouse.settings import Settings
from quality.gate.judge import judge
from quality.gate.worker import GateWorker


@pytest.mark.slow
def test_the_worker_judges_as_the_gate_does_and_is_gone_when_closed(
    clean_lake: tuple[Path, dict[str, int]],
) -> None:
    home, versions = clean_lake
    settings = Settings(home=home)
    planted = {**versions, ORDER_LINES.name: 2}
    with GateWorker(settings) as worker:
        found = worker.judge(table_versions=planted, since_batch=None)
        pid = worker.pid
    assert not psutil.pid_exists(pid)
    expected = judge(settings, table_versions=planted, since_batch=None)
    assert replace(found, seconds=expected.seconds, judged_at=expected.judged_at) == expected
    assert not found.passed
