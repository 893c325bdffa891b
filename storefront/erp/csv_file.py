"""Csv extracts, plain or gzipped: validated as a whole first, then streamed row by row.

In: a file, an encoding. Out: `ExtractRow`s. `validate` finds every fault of the file itself before
the first row is used; bad rows are no fault of the file and pass.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, cast

from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from lakehouse.packing import GZIP_MAGIC
from lakehouse.shop_format import counted
from storefront.erp.columns import ExtractRow, column_positions
from storefront.erp.date_column import DateColumn

NEWLINE = "\n"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHUNK = 1 << 20
_LONGEST_LINE = 1_000_000
_WIDTH = len(ERP_COLUMNS)
_END = "\0end\0"  # a row of its own after the last line, unless a quotation mark is still open
_BINARY_SHARE = 1 / 8
"""Of a chunk's characters; with more NULs the file is no text, with fewer a row of it is bad."""


def text_encoding(name: str) -> str:
    """Python's name of an encoding; UTF-8 with or without its byte order mark.

    Raises:
        LakeError: There is no such text encoding.
    """
    try:
        found = codecs.lookup(name)
        "".encode(name)
    except (LookupError, ValueError):
        raise LakeError(
            f"--encoding {name!r} is no known text encoding; "
            "use one such as utf-8, cp1252, latin-1 or utf-16."
        ) from None
    return "utf-8-sig" if found.name == "utf-8" else found.name


def validate(path: Path, *, encoding: str, dates: DateColumn) -> int:
    """Read the whole file once, count its rows, and gather the InvoiceDates of the sound ones.

    Raises:
        LakeError: Cut-off gzip, a binary file, bytes that are not the encoding, wrong columns, an
            open quotation mark, a line or cell without end.
    """
    _check_characters(path, encoding=encoding)
    with _opened_text(path, encoding=encoding) as text:
        reader = csv.reader(chain(text, [_END]))
        count = last = 0
        try:
            date_at = _read_header(reader, path=path)[ERP_COLUMNS.index("InvoiceDate")]
            last_date = ""
            begins = reader.line_num
            for row in reader:
                if row == [_END]:
                    return count
                if row:
                    count += 1
                    last = begins
                    if len(row) == _WIDTH and row[date_at] != last_date:
                        last_date = row[date_at]
                        dates.add(last_date)
                begins = reader.line_num
        except csv.Error as error:
            raise LakeError(
                f"{path}, line {reader.line_num}: this is no readable csv ({error}); "
                "a quotation mark may be missing on that line or above it."
            ) from None
    raise LakeError(
        f"{path}, line {last + 1}: a quotation mark opens in this row and is never closed; "
        "the file may be cut off. Extract it again."
    )


def read_rows(path: Path, *, encoding: str) -> Iterator[ExtractRow]:
    """Rows of a validated file, in order, one in memory at a time."""
    with _opened_text(path, encoding=encoding) as text:
        reader = csv.reader(text)
        positions = _read_header(reader, path=path)
        in_order = itemgetter(*positions)
        is_ordered = positions == tuple(range(_WIDTH))
        rows = filter(None, reader)
        for row_number, cells in enumerate(rows, 1):
            column_count = len(cells)
            if column_count < _WIDTH:
                cells.extend([""] * (_WIDTH - column_count))
            ordered = cells[:_WIDTH] if is_ordered else in_order(cells)
            yield ExtractRow(tuple([cell or None for cell in ordered]), row_number, column_count)


def _read_header(reader: Iterator[list[str]], *, path: Path) -> tuple[int, ...]:
    header = next(filter(None, reader), [_END])
    if header == [_END]:
        raise LakeError(f"{path} is empty; an ERP extract starts with a line of column names.")
    return column_positions(header, path=path)


def _check_characters(path: Path, *, encoding: str) -> None:
    """Decode everything once, in bounded memory; a fault is named with its line."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = io.IncrementalNewlineDecoder(decoder, translate=True)
    line, unended, is_last = 1, 0, False
    with _opened_bytes(path) as raw:
        while not is_last:
            chunk = raw.read(_CHUNK)
            is_last = not chunk
            try:
                text = lines.decode(chunk, final=is_last)
                text.encode()  # lone surrogates, which some encodings let through, end here
            except UnicodeError as error:
                raise _not_encoded(path, error, line=line, encoding=encoding) from None
            at = text.find("\0")
            if at >= 0 and _is_no_text(text, at, line=line):
                raise LakeError(
                    f"{path}, line {line + text.count(NEWLINE, 0, at)}: NUL bytes. This is a "
                    "binary file, or a text in another encoding (try --encoding utf-16)."
                )
            line += text.count(NEWLINE)
            unended = len(text) - text.rfind(NEWLINE) - 1 + (0 if NEWLINE in text else unended)
            if unended > _LONGEST_LINE:
                raise LakeError(
                    f"{path}, line {line}: a line of more than {counted(_LONGEST_LINE)} "
                    "characters; this is no csv file with one row a line."
                )


def _is_no_text(text: str, first_nul: int, *, line: int) -> bool:
    """Whether NULs speak against the file: one among its column names, or many."""
    in_header = line == 1 and NEWLINE not in text[:first_nul]
    return in_header or text.count("\0") > len(text) * _BINARY_SHARE


def _not_encoded(path: Path, error: UnicodeError, *, line: int, encoding: str) -> LakeError:
    suggestion = "cp1252" if encoding.startswith("utf") else "utf-8"
    if isinstance(error, UnicodeDecodeError):
        read = error.object[: error.start].decode(error.encoding, "ignore")
        line += read.replace("\r\n", NEWLINE).replace("\r", NEWLINE).count(NEWLINE)
        if line == 1 and error.object[:2] in _UTF16_MARKS:
            suggestion = "utf-16"
    shown = "utf-8" if encoding == "utf-8-sig" else encoding
    return LakeError(
        f"{path}, line {line}: the bytes are not valid {shown}; "
        f"name the file's own encoding, for example --encoding {suggestion}."
    )


@contextmanager
def _opened_bytes(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as raw:
        if raw.peek(2)[:2] != GZIP_MAGIC:
            yield raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield cast(BinaryIO, unpacked)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise LakeError(
                f"{path}: the gzip is cut off or damaged ({_first_line(error)}); "
                "copy or download the file again."
            ) from None


@contextmanager
def _opened_text(path: Path, *, encoding: str) -> Iterator[io.TextIOWrapper]:
    with (
        _opened_bytes(path) as raw,
        io.TextIOWrapper(raw, encoding, newline="") as text,
    ):
        yield text


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
