"""A worker answers, hands errors on with their type, and never outlives its parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.processes.worker import Worker
from lakehouse.settings import PROJECT_ROOT, Settings

PARENT = """
import sys, threading
from pathlib import Path
from lakehouse.processes.worker import Worker
from lakehouse.settings import Settings

settings = Settings(home=Path(sys.argv[1]))
worker = Worker("tests.echo_worker", task="echoes", settings=settings, log_name="echo.log")
if sys.argv[2] == "busy":
    worker.await_ready()
    worker.send({"do": "wait"})
print(worker.pid, flush=True)
threading.Event().wait()
"""


def echo(home: Path, **options: Any) -> Worker:
    settings = Settings(home=home, **options.pop("settings", {}))
    return Worker("tests.echo_worker", task="echoes", settings=settings, log_name="log", **options)


def test_requests_are_answered_in_order_under_the_parents_settings(tmp_path: Path) -> None:
    heard: list[Any] = []
    with echo(tmp_path, on_news=heard.append, settings={"kafka_port": 19000}) as worker:
        worker.await_ready()
        assert worker.ask({"do": "echo", "text": "größe\n"}) == {"text": "größe\n", "port": 19000}
        worker.send({"do": "echo", "text": "1"})
        worker.send({"do": "echo", "text": "2"})
        assert [worker.answer()["text"], worker.answer()["text"]] == ["1", "2"]
        assert worker.answer(within=0.01) is None
        pid = worker.pid
    assert not psutil.pid_exists(pid)
    assert heard == [{"heard": text} for text in ("größe\n", "1", "2")]
    assert worker.log.read_text() == "what libraries print\n"
    worker.close()


@pytest.mark.parametrize(("check", "kind"), [(True, CheckFailed), (False, LakeError)])
def test_errors_keep_their_type_and_the_worker_goes_on(
    tmp_path: Path, check: bool, kind: type[LakeError]
) -> None:
    with echo(tmp_path) as worker:
        with pytest.raises(LakeError) as told:
            worker.ask({"do": "fail", "check": check})
        assert type(told.value) is kind
        assert str(told.value) == ("A check failed." if check else "Wrong.")
        assert worker.ask({"do": "echo", "text": "on"})["text"] == "on"


def test_a_worker_that_cannot_warm_up_says_so_at_every_question(tmp_path: Path) -> None:
    with echo(tmp_path, settings={"ingest_max_records": 1}) as worker:
        with pytest.raises(LakeError, match=r"^It can't be warm\.$"):
            worker.await_ready()
        with pytest.raises(LakeError, match=r"that echoes was ended with exit code 0"):
            worker.ask({"do": "echo", "text": ""})


@pytest.mark.parametrize(
    ("request_", "how"),
    [
        ({"do": "crash"}, "with exit code 1: ValueError: nobody thought of this"),
        ({"do": "leave"}, "with exit code 7: what libraries print"),
    ],
)
def test_a_worker_that_ended_is_told_with_the_last_line_of_its_log(
    tmp_path: Path, request_: dict[str, str], how: str
) -> None:
    with echo(tmp_path) as worker:
        for _ in range(2):
            with pytest.raises(LakeError) as told:
                worker.ask(request_)
            assert str(told.value) == (
                f"The process that echoes was ended {how}; published gold is unchanged. "
                f"See {tmp_path}/logs/log and run the command again."
            )


def test_a_worker_that_was_killed_is_named(tmp_path: Path) -> None:
    with echo(tmp_path) as worker:
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(LakeError, match=r"was ended by SIGKILL, often for want of memory;"):
            worker.await_ready()


@pytest.mark.parametrize("state", ["warming", "busy"])
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_worker_ends_with_its_parent_and_silently(tmp_path: Path, death: int, state: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), state],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    assert os.getsid(worker.pid) != os.getsid(parent.pid)  # Ctrl-C reaches it through us only
    parent.send_signal(death)
    parent.communicate(timeout=30)
    _, alive = psutil.wait_procs([worker], timeout=30)
    assert alive == []
    assert (tmp_path / "logs/echo.log").read_text() in ("", "what libraries print\n")
