"""Csv extracts: what is read, and the one message for each way a file can be broken."""

import codecs
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from storefront.erp.columns import ExtractRow
from storefront.erp.csv_file import read_rows, text_encoding, validate
from storefront.erp.date_column import DateColumn

WriteCsv = Callable[..., Path]
HEADER = ",".join(ERP_COLUMNS)
CELLS = ("536365", "85123A", "WHITE, HANGING", "6", "12/1/2010 8:26", "2.55", "17850", "France")
LINE = '536365,85123A,"WHITE, HANGING",6,12/1/2010 8:26,2.55,17850,France'
UNQUOTED = LINE.replace('"', "")


def rows_of(path: Path, encoding: str = "utf-8") -> list[ExtractRow]:
    name = text_encoding(encoding)
    rows = list(read_rows(path, encoding=name))
    assert validate(path, encoding=name, dates=DateColumn()) == len(rows)
    return rows


def refusal(path: Path, encoding: str = "utf-8") -> str:
    with pytest.raises(LakeError) as refused:
        validate(path, encoding=text_encoding(encoding), dates=DateColumn())
    return str(refused.value)


def saved(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", ["extract.csv", "extract.csv.gz"])
def test_rows_are_raw_texts_with_empty_cells_as_none(write_csv: WriteCsv, name: str) -> None:
    path = write_csv([CELLS, ("", " ", "", "", "", "", "", "")], name=name)
    assert rows_of(path) == [
        ExtractRow(CELLS, 1, 8),
        ExtractRow((None, " ", None, None, None, None, None, None), 2, 8),
    ]


def test_columns_in_another_order_come_back_in_the_order_of_the_contract(
    write_csv: WriteCsv,
) -> None:
    path = write_csv([CELLS[::-1]], names=[f" {name} " for name in ERP_COLUMNS[::-1]])
    assert rows_of(path) == [ExtractRow(CELLS, 1, 8)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_any_line_ending_and_blank_lines_make_no_difference(
    tmp_path: Path, end: str, last: str
) -> None:
    lines = ["", HEADER, LINE, "", LINE]
    path = saved(tmp_path / "extract.csv", end.join(lines) + (end if last else ""))
    assert rows_of(path) == [ExtractRow(CELLS, 1, 8), ExtractRow(CELLS, 2, 8)]


@pytest.mark.parametrize("header", [HEADER, '"' + HEADER.replace(",", '","') + '"'])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path, header: str) -> None:
    path = saved(tmp_path / "extract.csv", codecs.BOM_UTF8 + f"{header}\n{LINE}\n".encode())
    assert rows_of(path) == [ExtractRow(CELLS, 1, 8)]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "UTF-8"])
def test_texts_are_read_in_the_named_encoding(write_csv: WriteCsv, encoding: str) -> None:
    cells = (*CELLS[:2], "CAFÉ £", *CELLS[3:])
    path = write_csv([cells], encoding=encoding)
    assert rows_of(path, encoding) == [ExtractRow(cells, 1, 8)]


def test_quoted_line_ends_and_marks_belong_to_the_text(write_csv: WriteCsv) -> None:
    cells = (*CELLS[:2], 'two\nlines, "quoted"', *CELLS[3:])
    assert rows_of(write_csv([cells])) == [ExtractRow(cells, 1, 8)]


def test_a_row_with_too_few_or_too_many_cells_passes_with_its_count(tmp_path: Path) -> None:
    path = saved(tmp_path / "extract.csv", f"{HEADER}\n536365,X\n{LINE},more,\n \n{LINE}\n")
    assert rows_of(path) == [
        ExtractRow(("536365", "X", None, None, None, None, None, None), 1, 2),
        ExtractRow(CELLS, 2, 10),
        ExtractRow((" ", None, None, None, None, None, None, None), 3, 1),
        ExtractRow(CELLS, 4, 8),
    ]


def test_a_short_row_under_a_changed_order_keeps_each_cell_in_its_column(tmp_path: Path) -> None:
    names = ",".join(ERP_COLUMNS[::-1])
    path = saved(tmp_path / "extract.csv", f"{names}\nFrance,17850\n")
    texts = (None, None, None, None, None, None, "17850", "France")
    assert rows_of(path) == [ExtractRow(texts, 1, 2)]


def test_bytes_of_another_encoding_are_named_with_their_line(tmp_path: Path) -> None:
    lines = [HEADER, LINE, LINE.replace("WHITE", "CAFÉ"), LINE]
    path = saved(tmp_path / "extract.csv", "\r\n".join(lines).encode("latin-1"))
    assert refusal(path) == (
        f"{path}, line 3: the bytes are not valid utf-8; "
        "name the file's own encoding, for example --encoding cp1252."
    )


GOOD = f"{LINE}\n".encode() * 40_000


@pytest.mark.parametrize(
    ("content", "line"), [(GOOD + b"caf\xe9\n" + GOOD, 40_002), (f"{LINE}é".encode()[:-1], 2)]
)
def test_a_fault_far_into_a_file_or_at_its_end_is_named_with_its_line(
    tmp_path: Path, content: bytes, line: int
) -> None:
    path = saved(tmp_path / "extract.csv", f"{HEADER}\n".encode() + content)
    assert f"{path}, line {line}: the bytes are not valid utf-8" in refusal(path)


def test_a_file_with_another_byte_order_mark_names_its_encoding(write_csv: WriteCsv) -> None:
    assert "for example --encoding utf-16." in refusal(write_csv([CELLS], encoding="utf-16"))


def test_utf8_read_as_ascii_suggests_utf8(write_csv: WriteCsv) -> None:
    path = write_csv([(*CELLS[:7], "Österreich")])
    assert "line 2: the bytes are not valid ascii" in refusal(path, "ascii")
    assert "for example --encoding utf-8." in refusal(path, "ascii")


def test_a_nul_in_a_cell_is_a_fault_of_its_row_alone(tmp_path: Path) -> None:
    bad = LINE.replace("WHITE", "WH\0TE")
    path = saved(tmp_path / "extract.csv", f"{HEADER}\n{LINE}\n{bad}\n{LINE}")
    assert validate(path, encoding="utf-8-sig", dates=DateColumn()) == 3
    texts = [row.texts[2] for row in read_rows(path, encoding="utf-8-sig")]
    assert texts == [CELLS[2], CELLS[2].replace("WHITE", "WH\0TE"), CELLS[2]]


@pytest.mark.parametrize("content", [f"{HEADER}\n{LINE}\n" + "a\0b\0" * 99, "\x7fELF\0\0"])
def test_a_binary_file_is_refused_with_its_line(tmp_path: Path, content: str) -> None:
    path = saved(tmp_path / "extract.csv", content)
    line = content[: content.index("\0")].count("\n") + 1
    assert refusal(path) == (
        f"{path}, line {line}: NUL bytes. This is a binary file, or a text in another encoding "
        "(try --encoding utf-16)."
    )


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", "", "utf\0"])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(LakeError, match="is no known text encoding; use one such as utf-8"):
        text_encoding(encoding)


def flipped(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 0xFF
    return bytes(changed)


@pytest.mark.parametrize(
    "damage",
    [
        *(lambda content, kept=kept: content[:kept] for kept in (5, 60, -1, -9)),
        *(lambda content, at=at: flipped(content, at) for at in (30, -6, -2)),
        lambda content: content + b"more",
    ],
)
def test_a_damaged_gzip_is_refused(write_csv: WriteCsv, damage: Callable[[bytes], bytes]) -> None:
    path = write_csv([(str(number), *CELLS[1:]) for number in range(500)], name="extract.csv.gz")
    path.write_bytes(damage(path.read_bytes()))
    assert refusal(path).startswith(f"{path}: the gzip is cut off or damaged (")


def test_a_gzip_of_several_parts_is_one_file(tmp_path: Path) -> None:
    parts = (f"{HEADER}\n{LINE}\n", f"{LINE}\n")
    path = saved(tmp_path / "extract.csv.gz", b"".join(gzip.compress(p.encode()) for p in parts))
    assert rows_of(path) == [ExtractRow(CELLS, 1, 8), ExtractRow(CELLS, 2, 8)]


@pytest.mark.parametrize("content", ["\n", "\n\r\n\n", "\ufeff"])
def test_a_file_without_any_text_is_empty(tmp_path: Path, content: str) -> None:
    path = saved(tmp_path / "extract.csv", content)
    assert refusal(path).startswith(f"{path} is empty;")


def test_an_open_quotation_mark_is_named_with_its_line(tmp_path: Path) -> None:
    opened = LINE.replace('"WHITE, HANGING"', '"WHITE')
    path = saved(tmp_path / "extract.csv", f"{HEADER}\n{LINE}\n\n{opened}\n{UNQUOTED}\n")
    assert refusal(path) == (
        f"{path}, line 4: a quotation mark opens in this row and is never closed; "
        "the file may be cut off. Extract it again."
    )


def test_an_open_quotation_mark_in_the_only_row_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "extract.csv", f'{HEADER}\n536365,"X')
    assert f"{path}, line 2: a quotation mark opens in this row" in refusal(path)


def test_a_cell_beyond_the_limit_of_csv_is_named_with_its_line(tmp_path: Path) -> None:
    many = f"{UNQUOTED}\n" * 3_000
    path = saved(tmp_path / "extract.csv", f'{HEADER}\n{LINE}\n536365,"open\n{many}')
    assert "this is no readable csv (field larger than field limit" in refusal(path)


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    good = f"{LINE}\n" * 10_000
    path = saved(tmp_path / "extract.csv", f"{HEADER}\n{good}{'x' * 1_000_001}")
    assert f"{path}, line 10002: a line of more than 1,000,000 characters" in refusal(path)


def test_columns_separated_by_semicolons_are_refused_with_the_expected_eight(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path / "extract.csv", f"{HEADER};{LINE}".replace(",", ";"))
    assert "separated by commas: InvoiceNo, StockCode" in refusal(path)
