"""Small files that others read while we write them.

In: a path and a text. Out: the file, which a reader finds as it was or as it is now, never in half.
"""

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write a text in the place of what a file held; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
