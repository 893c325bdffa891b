"""Files that a command generates for the repository: written where they differ, or compared.

In: a path and the text that it is to hold. Out: the file, a line that says what was done, or an
error. Run standalone: `lake dictionary`, `lake lineage --picture FILE`, each with `--check`.
"""

import os
from pathlib import Path

from lakehouse.errors import CheckFailed, LakeError


def keep_current(path: Path, text: str, *, what: str, check: bool, remedy: str) -> None:
    """Write a generated file where it differs and say so, or only compare it.

    Args:
        path: The file.
        text: What it is to hold.
        what: What it is, for the message of an error.
        check: Only compare; write nothing.
        remedy: The sentence that says what brings it up to date.

    Raises:
        CheckFailed: It is not current, and `check` was asked for.
        LakeError: It can't be read or written.
    """
    try:
        is_current = path.is_file() and path.read_text(encoding="utf-8") == text
        if not is_current and not check:
            path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else "no UTF-8"
        raise LakeError(f"The {what} {path} can't be read or written ({reason}).") from error
    if check and not is_current:
        raise CheckFailed(f"{path} is not current. {remedy}")
    print(f"{path} {'is current' if is_current else 'was written'}.")
