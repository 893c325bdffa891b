"""Parquet extracts: every page checked first, then streamed as texts, batch by batch.

In: a Parquet file with the eight columns in any type. Out: `ExtractRow`s of plain texts: times as
`yyyy-MM-dd HH:mm:ss` in shop time, decimals with their zeros, floats in shortest form, nulls None.
"""

from collections.abc import Iterator
from decimal import Decimal
from math import isnan
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from lakehouse.shop import shop
from storefront.erp.columns import ExtractRow, column_positions
from storefront.erp.date_column import DateColumn

_BATCH_ROWS = 1 << 15


def validate(path: Path, *, dates: DateColumn) -> int:
    """Read every page once, with its checksum where it has one; count rows and gather dates.

    Raises:
        LakeError: Damaged file, wrong columns, a column of a type that has no plain text.
    """
    row_count = 0
    for batch in _text_batches(path):
        row_count += batch.num_rows
        for text in pc.unique(batch.column("InvoiceDate")).to_pylist():
            if text is not None:
                dates.add(text)
    return row_count


def read_rows(path: Path) -> Iterator[ExtractRow]:
    """Rows of a validated file, in order, one batch in memory at a time."""
    row_number = 0
    for batch in _text_batches(path):
        for texts in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            row_number += 1
            yield ExtractRow(texts, row_number)


def _text_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Batches of eight string columns in the order of `ERP_COLUMNS`, empty texts as null."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = file.schema_arrow.names
            raw = [names[position] for position in column_positions(names, path=path)]
            for batch in file.iter_batches(_BATCH_ROWS, columns=raw, use_threads=False):
                yield pa.RecordBatch.from_arrays(
                    [_texts(batch.column(name), name=name, path=path) for name in raw],
                    names=list(ERP_COLUMNS),
                )
    except (pa.ArrowException, OSError) as error:
        raise LakeError(
            f"{path} is a damaged Parquet file ({_first_line(error)}); "
            "copy or export the file again."
        ) from None


def _texts(values: pa.Array, *, name: str, path: Path) -> pa.Array:
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        texts = _time_texts(values)
    elif pa.types.is_decimal(kind):
        texts = _decimal_texts(values)
    elif pa.types.is_floating(kind):
        texts = _float_texts(values)
    else:
        try:
            texts = values.cast(pa.string())
        except pa.ArrowNotImplementedError:
            raise LakeError(
                f"{path}: column {name} holds {kind}, which is no text, number or time; "
                "export it as text."
            ) from None
    texts.validate(full=True)
    return _without_empty(texts)


def _without_empty(texts: pa.Array) -> pa.Array:
    """Empty texts as null. (`pa.scalar` would import pandas for a second: only where needed.)"""
    lengths = pc.binary_length(texts)
    if pc.min(lengths).as_py() != 0:
        return texts
    return pc.if_else(pc.equal(lengths, 0), pa.nulls(len(texts), pa.string()), texts)


def _time_texts(values: pa.Array) -> pa.Array:
    """Instants with a zone become wall time of the shop; only a real fraction of a second stays."""
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        values = pc.local_timestamp(values.cast(pa.timestamp(values.type.unit, shop().time_zone)))
    try:
        return values.cast(pa.timestamp("s")).cast(pa.string())
    except pa.ArrowInvalid:
        return pc.replace_substring_regex(values.cast(pa.string()), r"\.0+$", "")


def _decimal_texts(values: pa.Array) -> pa.Array:
    """Arrow writes very small decimals with an exponent; those are written out."""
    texts = values.cast(pa.string())
    if not pc.any(pc.match_substring(texts, "E")).as_py():
        return texts
    plain = [None if value is None else format(value, "f") for value in values.to_pylist()]
    return pa.array(plain, pa.string())


def _float_texts(values: pa.Array) -> pa.Array:
    """Shortest text that reads back the same; NaN, which often stands for missing, is null."""
    if not pa.types.is_float64(values.type):
        shortest = values.cast(pa.string()).to_pylist()
        numbers = [None if text is None else float(text) for text in shortest]
    else:
        numbers = values.to_pylist()
    return pa.array(
        [None if number is None or isnan(number) else _plain(number) for number in numbers],
        pa.string(),
    )


def _plain(number: float) -> str:
    """Shortest text of a float, without an exponent, which no platform reads as a number or id."""
    text = repr(number)
    return f"{Decimal(text):f}" if "e" in text else text


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
