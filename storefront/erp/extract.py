"""An ERP extract of any shop: one validated file, csv, csv.gz or Parquet, as a stream of rows.

In: a path. Out: `Extract`, whose rows are raw texts. Every fault of the file itself is found before
the first row is handed out, so nothing of a bad file is ever sent.
Alone: `python -c "from storefront.erp.extract import *; print(read_extract(Path('extract.csv')))"`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Literal

from lakehouse.errors import LakeError
from storefront.erp import csv_file, parquet_file
from storefront.erp.columns import ExtractRow

Form = Literal["csv", "csv.gz", "parquet"]

_FOREIGN = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True)
class Extract:
    """A validated extract.

    Attributes:
        sha256: Of the file's bytes, in hexadecimal.
        row_count: Rows in the file, sound or not; at least 1.
        encoding: Of a csv; without meaning for Parquet.
    """

    path: Path
    form: Form
    encoding: str
    sha256: str
    row_count: int
    stamp: tuple[int, int, int]

    def rows(self) -> Iterator[ExtractRow]:
        """Rows in the order of the file, each time from the first; memory stays bounded.

        Raises:
            LakeError: The file changed since it was validated.
        """
        self._require_unchanged()
        if self.form == "parquet":
            yield from parquet_file.read_rows(self.path)
        else:
            yield from csv_file.read_rows(self.path, encoding=self.encoding)
        self._require_unchanged()

    def _require_unchanged(self) -> None:
        if not self.path.is_file() or _stamp(self.path) != self.stamp:
            raise LakeError(f"{self.path} changed while it was read; run the command again.")


def read_extract(path: Path, *, encoding: str = "utf-8") -> Extract:
    """Validate an extract as a whole.

    Raises:
        LakeError: The file is missing, a folder, unreadable, empty, damaged, without rows, in
            another encoding, or has other columns than the eight.
    """
    name = csv_file.text_encoding(encoding)
    try:
        form = _form(path)
        stamp = _stamp(path)
        with path.open("rb") as raw:
            sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
        if form == "parquet":
            row_count = parquet_file.validate(path)
        else:
            row_count = csv_file.validate(path, encoding=name)
    except OSError as error:
        raise LakeError(
            f"{path} can't be read ({error.strerror or error}); check the file and its permissions."
        ) from None
    if row_count == 0:
        raise LakeError(f"{path} has column names but no rows; there is nothing to send.")
    return Extract(path, form, name, sha256, row_count, stamp)


def _form(path: Path) -> Form:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise LakeError(f"{path} does not exist; give the path of an ERP extract.") from None
    if S_ISDIR(mode):
        raise LakeError(f"{path} is a folder; give the path of one csv, csv.gz or Parquet file.")
    if not S_ISREG(mode):
        raise LakeError(f"{path} is no regular file; save the extract to a file first.")
    with path.open("rb") as raw:
        start = raw.read(4)
    if not start:
        raise LakeError(f"{path} is empty (0 bytes); extract it again.")
    if start == parquet_file.PARQUET_MAGIC:
        return "parquet"
    if start[:2] == csv_file.GZIP_MAGIC:
        return "csv.gz"
    if start in _FOREIGN:
        raise LakeError(f"{path} is {_FOREIGN[start]}; save it as csv with the eight columns.")
    for suffix, kind in ((".parquet", "Parquet"), (".gz", "gzip")):
        if path.name.lower().endswith(suffix):
            raise LakeError(
                f"{path} is called {suffix} but is no {kind} file, or its start is damaged; "
                "copy it again, or rename it if it is a plain csv."
            )
    return "csv"


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
