"""How a file of a table is packed: Parquet, gzipped text or plain text, by its first bytes.

In: a path. Out: a word. What the rows say is the reader's business.
"""

from pathlib import Path
from typing import Literal

from lakehouse.errors import LakeError

Packing = Literal["parquet", "gzip", "none"]
PARQUET_MAGIC, GZIP_MAGIC = b"PAR1", b"\x1f\x8b"


def packing_of(path: Path, *, needs: str) -> Packing:
    """How a table file is packed, by its first bytes; "none" is plain text.

    Args:
        path: The file.
        needs: What it must hold at least, for the message about an empty one.

    Raises:
        LakeError: It can't be read, or is empty.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise LakeError(f"{path} can't be read: {error.strerror}.") from error
    if not start:
        raise LakeError(f"{path} is empty: it needs {needs}.")
    if start == PARQUET_MAGIC:
        return "parquet"
    return "gzip" if start.startswith(GZIP_MAGIC) else "none"
