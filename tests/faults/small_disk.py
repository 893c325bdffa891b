"""A disk that can be full: a small one mounted over a folder of the state, or a limit on files.

In: a folder. Out: as root, a tmpfs in its place that fills up and is freed again; without the right
to mount, a limit under which a command's files can't grow, so that it fails with the same error.
"""

import contextlib
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FILLER = "filler"
LARGEST_FILE = 512
"""Bytes, where a limit stands for a full disk."""


@dataclass(frozen=True)
class SmallDisk:
    """A disk under `folder`; `is_mounted` false: only `before_start` makes it full."""

    folder: Path
    is_mounted: bool

    def fill(self, *, but: int) -> None:
        """Take all space but so many bytes."""
        if not self.is_mounted:
            return
        free = shutil.disk_usage(self.folder).free
        with contextlib.suppress(OSError), (self.folder / FILLER).open("wb") as file:
            file.write(bytes(max(0, free - but)))

    def free(self) -> None:
        """Give the space back."""
        (self.folder / FILLER).unlink(missing_ok=True)

    @property
    def before_start(self) -> Callable[[], None] | None:
        """What a command that meets the full disk must do in its process before it starts."""
        return None if self.is_mounted else limit_files


def limit_files() -> None:
    """No file of this process or its children may grow beyond a few bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """Put a disk of this size in the place of a folder, with what the folder holds on it."""
    kept = folder.with_name(f"{folder.name}.kept")
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m"
    folder.rename(kept)
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", options, "cartlake-test", str(folder)]
    is_mounted = False
    with contextlib.suppress(FileNotFoundError):
        is_mounted = subprocess.run(mounting, check=False, capture_output=True).returncode == 0
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    try:
        yield SmallDisk(folder, is_mounted)
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
