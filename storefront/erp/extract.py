"""An ERP extract of any shop: one validated file, csv, csv.gz or Parquet, as a stream of rows.

In: a path. Out: `Extract`, whose rows are raw texts. Every fault of the file itself is found before
the first row is handed out, so nothing of a bad file is ever sent.
Run standalone:
`python -c "from storefront.erp.extract import *; print(read_extract(Path('extract.csv')))"`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Literal

from lakehouse.contracts.outliers import Span
from lakehouse.contracts.topics import DateOrder
from lakehouse.errors import LakeError
from lakehouse.packing import GZIP_MAGIC, PARQUET_MAGIC
from storefront.erp import csv_file, parquet_file
from storefront.erp.columns import ExtractRow
from storefront.erp.date_column import DateColumn

Form = Literal["csv", "csv.gz", "parquet"]

_USUAL_ENCODING = csv_file.text_encoding("utf-8")
_FOREIGN = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True)
class Reading:
    """What a user says of a file that the file does not say itself.

    Attributes:
        encoding: Of a csv; without meaning for Parquet.
        date_order: Of dates with slashes, where the column of dates leaves it open.
    """

    encoding: str = "utf-8"
    date_order: DateOrder | None = None


AS_USUAL = Reading()


@dataclass(frozen=True)
class Extract:
    """A validated extract.

    Attributes:
        sha256: Of the file's bytes, in hexadecimal.
        row_count: Rows in the file, sound or not; at least 1.
        encoding: Of a csv; without meaning for Parquet.
        date_order: Of the dates with slashes; None where there are none.
        span: The plausible days and those that lie apart; None without a readable date.
        key: Names the content as it is read: the same bytes in another encoding are another source.
    """

    path: Path
    form: Form
    encoding: str
    sha256: str
    row_count: int
    date_order: DateOrder | None
    span: Span | None
    key: str
    stamp: tuple[int, int, int]

    @property
    def warning(self) -> str:
        """What a user should know of a file that is sent all the same; empty without a doubt."""
        if self.span is None or not self.span.outliers:
            return ""
        days = ", ".join(map(str, self.span.outliers[:3]))
        more = len(self.span.outliers) - 3
        return (
            f"{self.path.name}: {days}{f' and {more} more days' if more > 0 else ''} "
            f"{'lie' if len(self.span.outliers) > 1 else 'lies'} more than two years away from the "
            f"other dates ({self.span.first} to {self.span.last}). Such lines count on their own "
            "day and move no clock; correct the date at the source if it is mistyped."
        )

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


def read_extract(path: Path, reading: Reading = AS_USUAL) -> Extract:
    """Validate an extract as a whole.

    Raises:
        LakeError: The file is missing, a folder, unreadable, empty, damaged, without rows, in
            another encoding, has other columns than the eight, or dates of no single order.
    """
    encoding = csv_file.text_encoding(reading.encoding)
    dates = DateColumn()
    try:
        form = _form(path)
        stamp = _stamp(path)
        with path.open("rb") as raw:
            sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
        if form == "parquet":
            row_count = parquet_file.validate(path, dates=dates)
        else:
            row_count = csv_file.validate(path, encoding=encoding, dates=dates)
    except OSError as error:
        raise LakeError(
            f"{path} can't be read ({error.strerror or error}); check the file and its permissions."
        ) from None
    if row_count == 0:
        raise LakeError(f"{path} has column names but no rows; there is nothing to send.")
    date_order = dates.order(reading.date_order, path=path)
    return Extract(
        path=path,
        form=form,
        encoding=encoding,
        sha256=sha256,
        row_count=row_count,
        date_order=date_order,
        span=dates.span(date_order),
        key=":".join(
            [
                sha256,
                *([encoding] if form != "parquet" and encoding != _USUAL_ENCODING else []),
                *([date_order] if date_order and dates.possible != {date_order} else []),
            ]
        ),
        stamp=stamp,
    )


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
    if start == PARQUET_MAGIC:
        return "parquet"
    if start[:2] == GZIP_MAGIC:
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
