"""An extract is judged as a whole, with one message for each fault, before a row is handed out."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.contracts.outliers import Span
from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from storefront.erp.extract import Reading, read_extract

WriteCsv = Callable[..., Path]
CELLS = ("536365", "85123A", "HEART", "6", "12/13/2010 8:26", "2.55", "17850", "France")
NOBODY = 65534


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(LakeError) as refused:
        read_extract(path, Reading(**options))
    assert refused.value.exit_code == 2
    return str(refused.value)


@contextmanager
def an_ordinary_user() -> Iterator[None]:
    """Root may read everything, so step down for a moment."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


def parquet(path: Path, rows: list[tuple[str, ...]]) -> Path:
    columns = {
        name: pa.array([row[number] for row in rows], pa.string())
        for number, name in enumerate(ERP_COLUMNS)
    }
    pq.write_table(pa.table(columns), path)
    return path


def test_csv_gzip_and_parquet_of_the_same_rows_are_the_same_extract(
    write_csv: WriteCsv, tmp_path: Path
) -> None:
    paths = {
        "csv": write_csv([CELLS, CELLS]),
        "csv.gz": write_csv([CELLS, CELLS], name="extract.csv.gz"),
        "parquet": parquet(tmp_path / "extract.parquet", [CELLS, CELLS]),
    }
    for form, path in paths.items():
        extract = read_extract(path)
        assert (extract.form, extract.row_count) == (form, 2)
        assert extract.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert [row.texts for row in extract.rows()] == [CELLS, CELLS]
        assert list(extract.rows()) == list(extract.rows())


@pytest.mark.parametrize("suffix", [".gz", ".parquet", ".csv"])
def test_the_content_decides_where_a_name_says_nothing(
    write_csv: WriteCsv, tmp_path: Path, suffix: str
) -> None:
    real = {
        ".gz": write_csv([CELLS], name="extract.csv.gz"),
        ".parquet": parquet(tmp_path / "extract.parquet", [CELLS]),
        ".csv": write_csv([CELLS]),
    }[suffix]
    unnamed = real.rename(tmp_path / "download")
    assert [row.texts for row in read_extract(unnamed).rows()] == [CELLS]


def test_the_encoding_is_kept_for_the_rows_and_suggested_for_what_is_not_utf8(
    write_csv: WriteCsv,
) -> None:
    cells = (*CELLS[:2], "BOY’S CAP", *CELLS[3:7], "Österreich")
    path = write_csv([cells], encoding="cp1252")
    extract = read_extract(path, Reading(encoding="cp1252"))
    assert [row.texts for row in extract.rows()] == [cells]
    assert "for example --encoding cp1252" in refusal(path)


def test_the_same_bytes_read_in_another_way_are_another_source(write_csv: WriteCsv) -> None:
    open_dates = (*CELLS[:4], "1/2/2010 8:26", *CELLS[5:])
    path = write_csv([open_dates])
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    keys = {
        (encoding, order): read_extract(path, Reading(encoding, order)).key
        for encoding in ("utf-8", "UTF8", "cp1252", "latin-1", "iso-8859-1")
        for order in ("day-first", "month-first")
    }
    assert keys["utf-8", "day-first"] == keys["UTF8", "day-first"]
    assert keys["latin-1", "day-first"] == keys["iso-8859-1", "day-first"]
    assert keys["utf-8", "day-first"] == f"{sha256}:day-first"
    assert keys["cp1252", "month-first"] == f"{sha256}:cp1252:month-first"
    assert len(set(keys.values())) == 6


def test_what_the_file_itself_says_is_no_part_of_its_key(
    write_csv: WriteCsv, tmp_path: Path
) -> None:
    for path in (write_csv([CELLS]), parquet(tmp_path / "extract.parquet", [CELLS])):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        assert read_extract(path).key == sha256
        assert read_extract(path, Reading(date_order="month-first")).key == sha256
    assert read_extract(path, Reading(encoding="cp1252")).key == sha256


def test_the_order_of_its_dates_is_that_of_the_whole_column(
    write_csv: WriteCsv, tmp_path: Path
) -> None:
    rows = [(*CELLS[:4], text, *CELLS[5:]) for text in ("3/4/2019 8:00", "14/3/2019 8:00")]
    for path in (write_csv(rows), parquet(tmp_path / "extract.parquet", rows)):
        extract = read_extract(path)
        assert extract.date_order == "day-first"
        assert extract.span == Span(date(2019, 3, 14), date(2019, 4, 3))
        assert extract.warning == ""


def test_rows_of_another_width_say_nothing_about_dates(tmp_path: Path, write_csv: WriteCsv) -> None:
    rows = [(*CELLS[:4], "3/4/2019 8:00", *CELLS[5:]), (*CELLS[:4], "14/3/2019 8:00", "1")]
    assert "nothing in the column InvoiceDate decides" in refusal(write_csv(rows))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_days_far_from_all_others_are_warned_of(
    write_csv: WriteCsv, tmp_path: Path, form: str
) -> None:
    days = ["2019-01-02", "2019-01-03", "2091-01-03", "1891-01-03", "2019-01-04"]
    rows = [(*CELLS[:4], f"{day} 08:00", *CELLS[5:]) for day in days]
    path = write_csv(rows) if form == "csv" else parquet(tmp_path / "extract.parquet", rows)
    extract = read_extract(path)
    assert extract.span == Span(date(2019, 1, 2), date(2019, 1, 4), (date(2091, 1, 3),))
    assert extract.warning == (
        f"{path.name}: 2091-01-03 lies more than two years away from the other dates "
        "(2019-01-02 to 2019-01-04). Such lines count on their own day and move no "
        "clock; correct the date at the source if it is mistyped."
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "does not exist; give the path of an ERP extract."),
        (Path.mkdir, "is a folder; give the path of one csv, csv.gz or Parquet file."),
        (os.mkfifo, "is no regular file; save the extract to a file first."),
        (Path.touch, "is empty (0 bytes); extract it again."),
        (
            lambda path: path.write_bytes(b"PK\x03\x04rest"),
            "is a zip or Excel file; save it as csv with the eight columns.",
        ),
        (
            lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0rest"),
            "is an old Excel file; save it as csv with the eight columns.",
        ),
        (
            lambda path: parquet(path, []),
            "has column names but no rows; there is nothing to send.",
        ),
    ],
    ids=["missing", "folder", "pipe", "empty", "zip", "old Excel", "no rows"],
)
def test_what_is_no_extract_is_refused_by_its_kind(
    tmp_path: Path, make: Callable[[Path], Any], message: str
) -> None:
    path = tmp_path / "extract"
    make(path)
    assert refusal(path) == f"{path} {message}"


@pytest.mark.parametrize("name", ["extract.csv", "extract.csv.gz"])
def test_a_header_without_rows_is_refused(write_csv: WriteCsv, name: str) -> None:
    path = write_csv([], name=name)
    assert refusal(path) == f"{path} has column names but no rows; there is nothing to send."


def test_a_file_without_permission_is_refused(write_csv: WriteCsv) -> None:
    path = write_csv([CELLS])
    path.chmod(0)
    with an_ordinary_user():
        message = refusal(path)
    assert (
        message == f"{path} can't be read (Permission denied); check the file and its permissions."
    )


def test_an_unknown_encoding_is_refused(write_csv: WriteCsv) -> None:
    assert "--encoding 'klingon' is no known text encoding" in refusal(
        write_csv([CELLS]), encoding="klingon"
    )


@pytest.mark.parametrize(("name", "kind"), [("a.parquet", "Parquet"), ("a.csv.GZ", "gzip")])
def test_a_name_that_promises_another_form_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\0" + b"damaged")
    assert f"is no {kind} file, or its start is damaged" in refusal(path)


@pytest.mark.parametrize(
    "change", [lambda path: path.write_bytes(path.read_bytes() + b"more\n"), Path.unlink]
)
def test_a_file_that_changes_or_vanishes_after_its_validation_gives_no_row(
    write_csv: WriteCsv, change: Callable[[Path], Any]
) -> None:
    path = write_csv([CELLS])
    extract = read_extract(path)
    change(path)
    with pytest.raises(LakeError, match="changed while it was read; run the command again"):
        next(extract.rows())


def test_a_good_file_is_read_after_a_bad_one(write_csv: WriteCsv) -> None:
    refusal(write_csv([], name="bad.csv"))
    assert read_extract(write_csv([CELLS], name="good.csv")).row_count == 1
