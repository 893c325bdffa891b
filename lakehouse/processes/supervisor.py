"""Keeps one program alive exactly as long as the process that asked for it.

In: the pid of the asking process and a command; standard input is a pipe that only the asker holds.
Out: the program's pid as one line. When the pipe closes, by an exit or by SIGKILL, the program is
stopped. Runs as a file of its own on the standard library alone: `python -I -S supervisor.py PID
COMMAND…`.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys

GRACE_SECONDS = 20
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG in <sys/prctl.h>


def main(arguments: list[str]) -> int:
    """Run the command until it ends or the asker is gone. Returns the command's exit code."""
    asker, command = int(arguments[0]), arguments[1:]
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    program = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        preexec_fn=_end_with_supervisor,  # noqa: PLW1509 - this process has one thread
    )
    try:
        with contextlib.suppress(BrokenPipeError):
            print(program.pid, flush=True)
        while program.poll() is None and os.getppid() == asker:
            readable, _, _ = select.select([0], [], [], 1.0)
            if readable and not os.read(0, 1):
                break
    finally:
        program.terminate()
        try:
            program.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
    return program.returncode


def _end_with_supervisor() -> None:
    """On Linux, have the kernel stop the program should this supervisor itself be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
