"""Programs of ours that run beside a command: who they are, whether they live, how they end.

In: commands, pids, ports. Out: a record file per program, recognised by pid, time of start and a
mark in the command line, so that a pid which the system has given to another program is never taken
for ours.
"""

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.processes import supervisor
from lakehouse.processes.supervisor import ORDERLY_SECONDS

LOOPBACK = "127.0.0.1"
NEEDED_FILES = 1024
"""Open files that one program must be allowed: Spark's class path alone has nearly 300."""
_WANTED_FILES = 8192
_WATCH_SECONDS = 0.3
_CLOCK_SECONDS = 5.0  # a start time shifts a little when the machine's clock is set


@dataclass(frozen=True)
class Recorded:
    """A program that was started, `started_at` in seconds since 1970; `facts` are the caller's."""

    pid: int
    started_at: float
    mark: str
    facts: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Tied:
    """A program that ends with this process, however this process ends."""

    pid: int
    supervisor: "subprocess.Popen[str]"

    def close(self) -> None:
        """Stop the program in good order and wait until it is gone; closing twice is harmless."""
        self.supervisor.terminate()
        self._wait()

    def abandon(self) -> None:
        """End the program as when this process were gone, and wait until it is."""
        if self.supervisor.stdin is not None:
            self.supervisor.stdin.close()
        self._wait()

    def _wait(self) -> None:
        self.supervisor.wait()
        if self.supervisor.stdin is not None:
            self.supervisor.stdin.close()
        if self.supervisor.stdout is not None:
            self.supervisor.stdout.close()


def record(path: Path, *, pid: int, mark: str, facts: Mapping[str, str | float]) -> Recorded:
    """Write down a program that runs. Raises: psutil.NoSuchProcess when it has ended already."""
    written = Recorded(pid, psutil.Process(pid).create_time(), mark, facts)
    replace_text(path, json.dumps(asdict(written)))
    return written


def recorded(path: Path) -> Recorded | None:
    """The program of this record, if it is that very one and still runs."""
    try:
        written = Recorded(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    same = is_same(written.pid, started_at=written.started_at)
    return written if same and is_running(written.pid, mark=written.mark) else None


def left_behind(path: Path) -> int | None:
    """Number of the session whose first program, the recorded one, is gone while others live."""
    try:
        number = int(json.loads(path.read_bytes())["pid"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    is_gone = not psutil.pid_exists(number)
    return number if is_gone and any(_session_members(number)) else None


def is_same(pid: int, *, started_at: float) -> bool:
    """Whether a process has this pid and began at this time (seconds since 1970)."""
    try:
        return abs(psutil.Process(pid).create_time() - started_at) < _CLOCK_SECONDS
    except psutil.Error:
        return False


def is_running(pid: int, *, mark: str) -> bool:
    """Whether a live program has this pid and the mark among its arguments."""
    try:
        return mark in _arguments(psutil.Process(pid))
    except psutil.Error:
        return False


def is_alive(pid: int) -> bool:
    """Whether the program has not ended. Right after a start its command line is still unknown."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def stop(pid: int, *, grace_seconds: float) -> None:
    """Ask a program to end, wait, and end it by force after the grace. Gone already is fine."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        if not _has_ended(process, within=grace_seconds):
            process.kill()
            _has_ended(process, within=grace_seconds)


def stop_session(number: int, *, grace_seconds: float) -> None:
    """Ask all programs of a session to end, and end by force those left after the grace."""
    members = _session_members(number)
    for each in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.terminate()
    _, left = psutil.wait_procs(members, timeout=grace_seconds)
    left += _session_members(number)
    for each in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(left, timeout=grace_seconds)


def stop_recorded(path: Path, *, grace_seconds: float) -> int | None:
    """End the recorded program's session, also where it is gone and others of it live on.

    Returns: the number of the session; None when nothing of it ran.
    """
    found = recorded(path)
    session = found.pid if found else left_behind(path)
    if session is not None:
        stop_session(session, grace_seconds=grace_seconds)
    path.unlink(missing_ok=True)
    return session


def _session_members(number: int) -> list[psutil.Process]:
    return [each for each in psutil.process_iter() if _session_of(each.pid) == number]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def await_ending(path: Path, *, within: float) -> None:
    """Wait while the recorded program is ending: killed, but still holding its ports and files."""
    with contextlib.suppress(OSError, ValueError, TypeError, psutil.NoSuchProcess):
        written = Recorded(**json.loads(path.read_bytes()))
        process = psutil.Process(written.pid)
        if is_same(written.pid, started_at=written.started_at) and not _arguments(process):
            _has_ended(process, within=within)


def _has_ended(process: psutil.Process, *, within: float) -> bool:
    """Wait for the end: the program is gone, or only its parent has yet to take note.

    A zombie with threads left is not at its end: they still hold the ports.
    """
    deadline = time.monotonic() + within
    while True:
        status, threads = process.status(), process.num_threads()
        try:
            process.wait(timeout=0.05)
        except psutil.TimeoutExpired:
            if status == psutil.STATUS_ZOMBIE and threads <= 1:
                return True
        else:
            return True
        if time.monotonic() > deadline:
            return False


def _arguments(process: psutil.Process) -> list[str]:
    """The command line; empty for a program that is ending."""
    try:
        return process.cmdline()
    except psutil.ZombieProcess:
        return []


def run_detached(
    command: Sequence[str], *, folder: Path, output: Path, environment: Mapping[str, str]
) -> int:
    """Start a program that outlives this process and its shell, in a session of its own.

    Returns: its pid, which is also the number of that session.

    Raises: LakeError when it would be allowed too few open files.
    """
    _require_files()
    with output.open("wb") as console:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )
    process.returncode = 0  # it is not this process's to wait for: say nothing when it goes on
    return process.pid


def run_tied(
    command: Sequence[str],
    *,
    folder: Path,
    output: Path,
    environment: Mapping[str, str],
    orphan_seconds: float = ORDERLY_SECONDS,
    own_session: bool = True,
) -> Tied:
    """Start a program that ends with this process.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        output: Takes what it prints.
        environment: All of its environment.
        orphan_seconds: How long it may take to end when this process is gone; 0 kills it at once.
        own_session: Whether signals to this process's group pass it by. Ctrl-C does so always.

    Raises:
        OSError: The program can't be run; `output` holds the reason.
        LakeError: It would be allowed too few open files.
    """
    _require_files()
    start = [sys.executable, "-I", "-S", supervisor.__file__, str(os.getpid()), str(orphan_seconds)]
    with output.open("wb") as console:
        guard = subprocess.Popen(
            [*start, *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=console,
            text=True,
            start_new_session=own_session,
        )
    try:
        pid = guard.stdout.readline() if guard.stdout else ""
    except BaseException:
        guard.terminate()
        raise
    if not pid:
        guard.wait()
        raise OSError(None, f"{command[0]} can't be run", str(output))
    return Tied(int(pid), guard)


def run_to_end(
    command: Sequence[str],
    *,
    folder: Path,
    output: Path,
    environment: Mapping[str, str],
    watch: Callable[[], None] = lambda: None,
) -> int:
    """Run a program that ends by itself, or at once with this process. Returns its exit code.

    `watch` is called about three times a second meanwhile. Raises: as `run_tied`.
    """
    tied = run_tied(
        command, folder=folder, output=output, environment=environment, orphan_seconds=0
    )
    try:
        while True:
            try:
                return tied.supervisor.wait(timeout=_WATCH_SECONDS)
            except subprocess.TimeoutExpired:
                watch()
    finally:
        tied.abandon()


def allowed_files() -> int:
    """Open files that a program of ours may have: the limit is raised as far as that is free."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < _WANTED_FILES:
        raised = _WANTED_FILES if hard == unlimited else min(_WANTED_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = raised
    return sys.maxsize if soft == unlimited else soft


def _require_files() -> None:
    if (allowed := allowed_files()) < NEEDED_FILES:
        raise LakeError(
            f"A program started here may open only {allowed} files, Kafka and Spark need "
            f"{NEEDED_FILES}. Open a new shell without `ulimit -n`, or raise the limit there."
        )


def is_free(port: int) -> bool:
    """Whether a loopback port can be listened on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def listener(port: int) -> psutil.Process | None:
    """The process that listens on a port; None when unknown (another user's, or nobody)."""
    with contextlib.suppress(psutil.Error, PermissionError):
        for each in psutil.net_connections(kind="tcp"):
            listens = each.status == psutil.CONN_LISTEN and each.laddr and each.laddr[1] == port
            if listens and each.pid is not None:
                return psutil.Process(each.pid)
    return None


def describe_listener(port: int) -> str:
    """Who holds a port, for a message: "java (pid 4711)", or "another process"."""
    process = listener(port)
    if process is not None:
        with contextlib.suppress(psutil.Error):
            return f"{process.name()} (pid {process.pid})"
    return "another process"
