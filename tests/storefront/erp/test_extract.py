"""An extract is judged as a whole, with one message for each fault, before a row is handed out."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from storefront.erp.extract import read_extract

WriteCsv = Callable[..., Path]
CELLS = ("536365", "85123A", "HEART", "6", "12/1/2010 8:26", "2.55", "17850", "France")
NOBODY = 65534


def refusal(path: Path, **options: str) -> str:
    with pytest.raises(LakeError) as refused:
        read_extract(path, **options)
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


def test_the_encoding_is_kept_for_the_rows(write_csv: WriteCsv) -> None:
    cells = (*CELLS[:7], "Österreich")
    path = write_csv([cells], encoding="latin-1")
    assert [row.texts for row in read_extract(path, encoding="latin-1").rows()] == [cells]
    assert "for example --encoding latin-1" in refusal(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    assert refusal(path) == f"{path} does not exist; give the path of an ERP extract."


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        f"{tmp_path} is a folder; give the path of one csv, csv.gz or Parquet file."
    )


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert refusal(path) == f"{path} is no regular file; save the extract to a file first."


def test_a_file_without_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.touch()
    assert refusal(path) == f"{path} is empty (0 bytes); extract it again."


@pytest.mark.parametrize("name", ["extract.csv", "extract.csv.gz"])
def test_a_header_without_rows_is_refused(write_csv: WriteCsv, name: str) -> None:
    path = write_csv([], name=name)
    assert refusal(path) == f"{path} has column names but no rows; there is nothing to send."


def test_a_parquet_without_rows_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "extract.parquet", [])
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


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"PK\x03\x04", "a zip or Excel file"), (b"\xd0\xcf\x11\xe0", "an old Excel file")],
)
def test_a_spreadsheet_is_refused_by_its_kind(tmp_path: Path, start: bytes, kind: str) -> None:
    path = tmp_path / "extract.xlsx"
    path.write_bytes(start + b"rest")
    assert refusal(path) == f"{path} is {kind}; save it as csv with the eight columns."


@pytest.mark.parametrize(("name", "kind"), [("a.parquet", "Parquet"), ("a.csv.GZ", "gzip")])
def test_a_name_that_promises_another_form_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\0" + b"damaged")
    assert f"is no {kind} file, or its start is damaged" in refusal(path)


def test_a_file_that_changes_after_its_validation_gives_no_row(write_csv: WriteCsv) -> None:
    path = write_csv([CELLS])
    extract = read_extract(path)
    path.write_bytes(path.read_bytes() + b"more\n")
    with pytest.raises(LakeError, match="changed while it was read; run the command again"):
        next(extract.rows())


def test_a_file_that_vanishes_after_its_validation_is_named(write_csv: WriteCsv) -> None:
    path = write_csv([CELLS])
    extract = read_extract(path)
    path.unlink()
    with pytest.raises(LakeError, match="changed while it was read; run the command again"):
        next(extract.rows())


def test_a_good_file_is_read_after_a_bad_one(write_csv: WriteCsv) -> None:
    refusal(write_csv([], name="bad.csv"))
    assert read_extract(write_csv([CELLS], name="good.csv")).row_count == 1
