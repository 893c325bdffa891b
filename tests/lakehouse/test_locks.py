"""One holder per name, named by its process id, free again even after SIGKILL."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.locks import hold, is_held
from lakehouse.settings import PROJECT_ROOT, Settings

HOLDS_UNTIL_KILLED = """
import sys
from lakehouse.locks import hold
from lakehouse.settings import Settings
with hold("run", settings=Settings()):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_a_second_holder_is_told_who_holds_it_until_it_is_freed(settings: Settings) -> None:
    assert not is_held("run", settings=settings)
    with hold("run", settings=settings):
        assert is_held("run", settings=settings)
        with hold("another", settings=settings):
            pass
        with (
            pytest.raises(LakeError, match=rf"pid {os.getpid()}\) is working on 'run'"),
            hold("run", settings=settings),
        ):
            pass
    with hold("run", settings=settings):
        pass


def test_a_failure_inside_frees_the_lock(settings: Settings) -> None:
    with pytest.raises(ValueError, match="inside"), hold("run", settings=settings):
        raise ValueError("inside")
    with hold("run", settings=settings):
        pass


def test_a_killed_holder_leaves_the_lock_free_and_who_waits_gets_it(settings: Settings) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDS_UNTIL_KILLED],
        cwd=PROJECT_ROOT,
        env=settings.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with (
            pytest.raises(LakeError, match=rf"pid {child.pid}\)"),
            hold("run", settings=settings, wait_seconds=0.1),
        ):
            pass
        child.send_signal(signal.SIGKILL)
        with hold("run", settings=settings, wait_seconds=30):
            pass
    finally:
        child.kill()
        child.communicate()
