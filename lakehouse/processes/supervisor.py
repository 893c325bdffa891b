"""Keeps one program alive exactly as long as the process that asked for it.

In: the pid of the asking process, seconds of grace, a command; standard input is a pipe that only
the asker holds. Out: the program's pid as one line. SIGTERM ends the program in good order. When
the pipe closes, by an exit or by SIGKILL, it has the seconds of grace, then it is killed. Runs as a
file of its own on the standard library alone: `python -I -S supervisor.py PID SECONDS COMMAND…`.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys

ORDERLY_SECONDS = 20.0
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG in <sys/prctl.h>


def main(arguments: list[str]) -> int:
    """Run the command until it ends or the asker is gone. Returns the command's exit code."""
    asker, grace, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ended, ending = os.pipe()
    os.set_blocking(ending, False)
    signal.set_wakeup_fd(ending)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing wakes us
    program = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,  # it closes with this process: Spark's Java ends by that too
        stdout=sys.stderr,
        stderr=sys.stderr,
        preexec_fn=_end_with_supervisor,  # noqa: PLW1509 - this process has one thread
    )
    try:
        with contextlib.suppress(BrokenPipeError):
            print(program.pid, flush=True)
        while program.poll() is None and os.getppid() == asker:
            readable, _, _ = select.select([0, ended], [], [], 1.0)
            if 0 in readable and not os.read(0, 1):
                break
            if ended in readable:  # a program that was only stopped wakes us as well
                os.read(ended, 512)
    except SystemExit:
        grace = ORDERLY_SECONDS
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(program, grace=grace)
    return program.returncode


def _end(program: "subprocess.Popen[bytes]", *, grace: float) -> None:
    if grace:
        program.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(timeout=grace)
    program.kill()
    program.wait()


def _end_with_supervisor() -> None:
    """On Linux, have the kernel stop the program should this supervisor itself be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
