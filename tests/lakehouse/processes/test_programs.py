"""Programs beside a command: recognised, ended, and never left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lakehouse.processes import programs

MARK = "-Dthis.one"
WAIT = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()", MARK]
FOREVER = [sys.executable, "-c", "import threading; threading.Event().wait()", MARK]
DEAF = """
import signal, sys, threading

def note(*_):
    SAY

signal.signal(signal.SIGTERM, note)
print("up", flush=True)
sys.stdin.read()  # ends when the supervisor is gone
threading.Event().wait()
"""
TIE_AND_WAIT = f"""
import sys
from pathlib import Path
from lakehouse.processes import programs

folder = Path(sys.argv[1])
tied = programs.run_tied({FOREVER!r}, folder=folder, output=folder / "out", environment={{}})
print(tied.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def program() -> Iterator["subprocess.Popen[str]"]:
    """A program with the mark that waits until its input closes."""
    with subprocess.Popen(WAIT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as waits:
        assert waits.stdout is not None
        assert waits.stdout.readline() == "up\n"
        yield waits


def wait_until_gone(pid: int) -> None:
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=20)
    assert not psutil.pid_exists(pid)


def await_text(path: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while path.read_text() != text:
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.02)


def test_a_recorded_program_is_found_until_it_ends(
    tmp_path: Path, program: "subprocess.Popen[str]"
) -> None:
    path = tmp_path / "record.json"
    written = programs.record(path, pid=program.pid, mark=MARK, facts={"port": 1, "tied": True})
    assert programs.recorded(path) == written
    assert written.facts == {"port": 1, "tied": True}
    program.communicate()
    assert programs.recorded(path) is None


def test_a_session_is_stopped_as_a_whole_even_after_its_first_program(tmp_path: Path) -> None:
    begins = f"import subprocess; print(subprocess.Popen({FOREVER!r}).pid, flush=True); input()"
    first = subprocess.Popen(
        [sys.executable, "-c", begins, MARK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    path = tmp_path / "record.json"
    programs.record(path, pid=first.pid, mark=MARK, facts={})
    assert first.stdout is not None
    second = int(first.stdout.readline())
    assert programs.left_behind(path) is None
    first.kill()
    first.wait()
    assert programs.left_behind(path) == first.pid
    programs.stop_session(first.pid, grace_seconds=20)
    wait_until_gone(second)
    first.communicate()
    assert programs.left_behind(path) is None


def test_a_program_that_ended_but_was_not_waited_for_is_not_running(
    tmp_path: Path, program: "subprocess.Popen[str]"
) -> None:
    path = tmp_path / "record.json"
    programs.record(path, pid=program.pid, mark=MARK, facts={})
    program.kill()
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(program.pid).status() == psutil.STATUS_ZOMBIE
    assert programs.recorded(path) is None


@pytest.mark.parametrize("change", [{"started_at": 1.0}, {"mark": "-Dthis.on"}, {"pid": 2**22 + 1}])
def test_a_pid_that_now_belongs_to_another_program_is_not_ours(
    tmp_path: Path, program: "subprocess.Popen[str]", change: dict[str, object]
) -> None:
    path = tmp_path / "record.json"
    programs.record(path, pid=program.pid, mark=MARK, facts={})
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert programs.recorded(path) is None


@pytest.mark.parametrize("content", ["", "[]", '{"pid": 1}', '{"pid": "x"', "\x00"])
def test_a_damaged_record_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(content)
    assert programs.recorded(path) is None


def test_a_killed_program_is_waited_for_until_its_last_thread_is_gone(tmp_path: Path) -> None:
    code = (
        "import sys, threading, socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "held = bytearray(200_000_000)\n"
        "for _ in range(40): threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "print(server.getsockname()[1], flush=True); sys.stdin.read()"
    )
    large = subprocess.Popen(
        [sys.executable, "-c", code, MARK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert large.stdout is not None
    port = int(large.stdout.readline())
    path = tmp_path / "record.json"
    programs.record(path, pid=large.pid, mark=MARK, facts={})
    large.kill()
    while programs.recorded(path) is not None:
        pass
    programs.await_ending(path, within=20)
    assert programs.is_free(port)
    assert not programs.is_alive(large.pid)
    large.communicate()


def test_stop_ends_a_program_that_ignores_the_request(tmp_path: Path) -> None:
    code = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('up', flush=True); signal.pause()"
    )
    deaf = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert deaf.stdout is not None
    assert deaf.stdout.readline() == "up\n"
    programs.stop(deaf.pid, grace_seconds=0.2)
    assert not psutil.pid_exists(deaf.pid)
    programs.stop(deaf.pid, grace_seconds=0.2)
    deaf.stdout.close()
    deaf.wait()


def test_a_tied_program_ends_when_it_is_closed(tmp_path: Path) -> None:
    tied = programs.run_tied(FOREVER, folder=tmp_path, output=tmp_path / "out", environment={})
    assert programs.is_alive(tied.pid)
    tied.close()
    assert not programs.is_alive(tied.pid)
    assert not psutil.pid_exists(tied.pid)
    tied.close()


@pytest.mark.parametrize("victim", ["asker", "supervisor"])
def test_a_tied_program_ends_when_a_process_above_it_is_killed(tmp_path: Path, victim: str) -> None:
    command = [sys.executable, "-c", TIE_AND_WAIT, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asker:
        assert asker.stdout is not None
        pid = int(asker.stdout.readline())
        supervisor = psutil.Process(pid).parent()
        assert supervisor is not None
        if victim == "asker":
            asker.kill()
            wait_until_gone(supervisor.pid)
        else:
            supervisor.send_signal(signal.SIGKILL)
        wait_until_gone(pid)


@pytest.mark.parametrize(
    ("note", "end", "said"),
    [
        ("print('asked', flush=True)", programs.Tied.abandon, "up\n"),
        ("sys.exit('bye')", programs.Tied.close, "up\nbye\n"),
    ],
    ids=["killed at once when its asker is gone", "asked when it is closed"],
)
def test_a_program_without_grace_is(
    tmp_path: Path, note: str, end: Callable[[programs.Tied], None], said: str
) -> None:
    out = tmp_path / "out"
    tied = programs.run_tied(
        [sys.executable, "-c", DEAF.replace("SAY", note)],
        folder=tmp_path,
        output=out,
        environment={},
        orphan_seconds=0,
    )
    await_text(out, "up\n")
    end(tied)
    assert not psutil.pid_exists(tied.pid)
    assert out.read_text() == said


def test_too_few_open_files_are_named_before_anything_starts(tmp_path: Path) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n"
        "from pathlib import Path\n"
        "from lakehouse.errors import LakeError\n"
        "from lakehouse.processes import programs\n"
        "resource.setrlimit = lambda *_: None\n"
        "try: programs.run_tied(['true'], folder=Path('.'), output=Path('out'), environment={})\n"
        "except LakeError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        "A program started here may open only 256 files, Kafka and Spark need 1024. Open a new "
        "shell without `ulimit -n`, or raise the limit there.\n"
    )


def test_a_low_limit_of_open_files_is_raised_where_that_is_free() -> None:
    code = (
        "import resource; from lakehouse.processes import programs\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096))\n"
        "print(programs.allowed_files(), resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "4096 (4096, 4096)\n"


def test_a_program_that_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="/no/such/program can't be run"):
        programs.run_tied(
            ["/no/such/program"], folder=tmp_path, output=tmp_path / "out", environment={}
        )


def test_a_detached_program_has_a_session_of_its_own(tmp_path: Path) -> None:
    show = "import os, threading; print(os.environ['ONLY'], flush=True); threading.Event().wait()"
    pid = programs.run_detached(
        [sys.executable, "-c", show],
        folder=tmp_path,
        output=tmp_path / "out",
        environment={"ONLY": "this"},
    )
    try:
        assert os.getsid(pid) == pid
        await_text(tmp_path / "out", "this\n")
    finally:
        programs.stop(pid, grace_seconds=5)
    assert not psutil.pid_exists(pid)


def test_a_port_that_is_listened_on_is_taken_and_its_holder_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not programs.is_free(port)
        holder = programs.describe_listener(port)
    assert programs.is_free(port)
    assert holder == f"{psutil.Process().name()} (pid {os.getpid()})"
    assert programs.describe_listener(port) == "another process"


def test_a_tied_program_that_is_paused_costs_its_supervisor_no_time(tmp_path: Path) -> None:
    output, environment = tmp_path / "out", dict(os.environ)
    tied = programs.run_tied(FOREVER, folder=tmp_path, output=output, environment=environment)
    try:
        watching = psutil.Process(tied.supervisor.pid)
        before = sum(watching.cpu_times()[:2])
        os.kill(tied.pid, signal.SIGSTOP)
        with pytest.raises(psutil.TimeoutExpired):  # it neither ends nor spins
            watching.wait(timeout=2.0)
        assert sum(watching.cpu_times()[:2]) - before < 0.5
        os.kill(tied.pid, signal.SIGCONT)
    finally:
        tied.close()
