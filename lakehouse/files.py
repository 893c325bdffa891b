"""Small files that others read while we write them.

In: a path and a text. Out: the file, which a reader finds as it was or as it is now, never in half.
"""

import os
import secrets
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write a text in the place of what a file held; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def create_private(path: Path, text: str) -> bool:
    """Make a file that only its owner reads, whole or not at all; one that is there stays.

    Returns: whether it was made; of several programs that try at once, one makes it.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
