"""Locks between processes: one holder per name, freed by the kernel even after SIGKILL.

In: a name. Out: a held lock, or an error that names the holder. Two writers of one Delta table on a
local disk can both win the same commit, so every writer goes through `hold`.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from typing import IO

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.state import claim


@contextlib.contextmanager
def hold(name: str, *, settings: Settings, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock `name` of this state folder.

    Args:
        name: What is locked, e.g. a table or a pipeline.
        settings: Where the state lies.
        wait_seconds: How long to wait for another holder.

    Raises:
        LakeError: Another process holds it; the message names its process id.
    """
    claim(settings)
    path = settings.locks_dir / f"{name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise LakeError(
            f"The state folder {settings.home} can't be written ({error.strerror}). "
            "Fix that, or choose another one with LAKE_HOME."
        ) from error
    with opened as handle:
        _acquire(handle, name=name, wait_seconds=wait_seconds)
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)
            fcntl.flock(handle, fcntl.LOCK_UN)


def is_held(name: str, *, settings: Settings) -> bool:
    """Whether some process holds the lock now."""
    try:
        with (settings.locks_dir / f"{name}.lock").open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _acquire(handle: IO[str], *, name: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                handle.seek(0)
                holder = handle.read().strip() or "unknown"
                raise LakeError(
                    f"Another process (pid {holder}) is working on '{name}' in this state folder. "
                    "Wait until it has finished, or stop it."
                ) from None
            time.sleep(0.05)
        else:
            return
