"""The eight columns of an extract: where they are in a file, and what a row looks like.

In: the header of a file. Out: the position of each column, or one clear refusal.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError

EIGHT = ", ".join(ERP_COLUMNS)


class ExtractRow(NamedTuple):
    """One row of an extract.

    Attributes:
        texts: The eight raw texts in the order of `ERP_COLUMNS`; empty and null are None.
        row_number: Ordinal of the row in the file, from 1; header and blank lines don't count.
        column_count: Cells that the row really had; 8 in a sound row.
    """

    texts: tuple[str | None, ...]
    row_number: int
    column_count: int = len(ERP_COLUMNS)


def column_positions(names: Sequence[str], *, path: Path) -> tuple[int, ...]:
    """Position in the file of each of the eight columns, in the order of `ERP_COLUMNS`.

    Blanks around a name do not matter, nor does the order of the columns.

    Raises:
        LakeError: A column is missing, unexpected or there twice.
    """
    found = [name.strip() for name in names]
    missing = [name for name in ERP_COLUMNS if name not in found]
    unexpected = [name or "(no name)" for name in found if name not in ERP_COLUMNS]
    twice = [name for name in ERP_COLUMNS if found.count(name) > 1]
    faults = [
        f"{fault}: {', '.join(_shown(name) for name in columns)}"
        for fault, columns in (("missing", missing), ("unexpected", unexpected), ("twice", twice))
        if columns
    ]
    if faults:
        raise LakeError(
            f"{path}: the columns do not fit ({'; '.join(faults)}). "
            f"An ERP extract has exactly these eight, in any order, separated by commas: {EIGHT}."
        )
    return tuple(found.index(name) for name in ERP_COLUMNS)


def _shown(name: str, *, longest: int = 40) -> str:
    """A stranger's column name, safe for a terminal and short."""
    plain = "".join(each if each.isprintable() else "?" for each in name)
    return plain if len(plain) <= longest else plain[:longest] + "…"
