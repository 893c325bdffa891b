"""Parquet extracts of any types become the same plain texts; damaged ones are refused whole."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.contracts.topics import ERP_COLUMNS
from lakehouse.errors import LakeError
from storefront.erp.columns import ExtractRow
from storefront.erp.date_column import DateColumn
from storefront.erp.parquet_file import read_rows, validate

NOON = datetime(2011, 7, 1, 12, 0)
SOUND: dict[str, pa.Array] = {
    "InvoiceNo": pa.array(["536365", "C536366"]),
    "StockCode": pa.array(["85123A", "22138"]),
    "Description": pa.array([" HEART ", None]),
    "Quantity": pa.array([6, -2], pa.int32()),
    "InvoiceDate": pa.array([NOON, NOON], pa.timestamp("us")),
    "UnitPrice": pa.array([Decimal("2.550"), Decimal("0.001")], pa.decimal128(10, 3)),
    "CustomerID": pa.array([17850, None], pa.int32()),
    "Country": pa.array(["United Kingdom", "France"]),
}
TEXTS = (
    ("536365", "85123A", " HEART ", "6", "2011-07-01 12:00:00", "2.550", "17850", "United Kingdom"),
    ("C536366", "22138", None, "-2", "2011-07-01 12:00:00", "0.001", None, "France"),
)


def saved(path: Path, columns: dict[str, pa.Array], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def texts_of(tmp_path: Path, column: str, values: pa.Array) -> list[str | None]:
    columns = {name: pa.array(["x"] * len(values)) for name in ERP_COLUMNS} | {column: values}
    path = saved(tmp_path / "extract.parquet", columns)
    assert validate(path, dates=DateColumn()) == len(values)
    return [row.texts[ERP_COLUMNS.index(column)] for row in read_rows(path)]


def refusal(path: Path) -> str:
    with pytest.raises(LakeError) as refused:
        validate(path, dates=DateColumn())
    return str(refused.value)


def test_typed_columns_come_back_as_plain_texts(tmp_path: Path) -> None:
    path = saved(tmp_path / "extract.parquet", SOUND)
    assert list(read_rows(path)) == [ExtractRow(TEXTS[0], 1, 8), ExtractRow(TEXTS[1], 2, 8)]


def test_columns_come_back_in_the_order_of_the_contract(tmp_path: Path) -> None:
    reordered = {f" {name} ": SOUND[name] for name in reversed(ERP_COLUMNS)}
    path = saved(tmp_path / "extract.parquet", reordered)
    assert [row.texts for row in read_rows(path)] == list(TEXTS)


def test_rows_are_numbered_across_row_groups_and_batches(tmp_path: Path) -> None:
    count = 70_000
    columns = {name: pa.array(["x"] * count) for name in ERP_COLUMNS}
    path = saved(tmp_path / "extract.parquet", columns, row_group_size=40_000)
    assert validate(path, dates=DateColumn()) == count
    assert [row.row_number for row in read_rows(path)] == list(range(1, count + 1))


FLOATS = [2.55, 17850.0, None, float("nan"), 1e-7, -0.0, 1e22]
SHORTEST = ["2.55", "17850.0", None, None, "0.0000001", "-0.0", "10000000000000000000000"]
DECIMALS = [Decimal("2.55"), Decimal("0.00000001"), Decimal(0), None, Decimal("-11062.06")]
SUMMER, WINTER = (datetime(2011, month, 1, 12, tzinfo=UTC) for month in (7, 12))


@pytest.mark.parametrize(
    ("column", "values", "texts"),
    [
        *(
            ("InvoiceDate", pa.array([NOON, None], pa.timestamp(unit)), [f"{NOON}", None])
            for unit in ("s", "ms", "us", "ns")
        ),
        (  # only a real fraction of a second stays
            "InvoiceDate",
            pa.array([NOON, NOON.replace(microsecond=5000)], pa.timestamp("us")),
            ["2011-07-01 12:00:00", "2011-07-01 12:00:00.005000"],
        ),
        (  # instants become wall time of the shop
            "InvoiceDate",
            pa.array([SUMMER, WINTER], pa.timestamp("us", "UTC")),
            ["2011-07-01 13:00:00", "2011-12-01 12:00:00"],
        ),
        ("InvoiceDate", pa.array([date(2011, 7, 1)]), ["2011-07-01 00:00:00"]),
        ("UnitPrice", pa.array(FLOATS, pa.float64()), SHORTEST),
        ("UnitPrice", pa.array(FLOATS, pa.float32()), SHORTEST),
        (  # decimals keep their zeros and never get an exponent
            "UnitPrice",
            pa.array(DECIMALS, pa.decimal128(20, 8)),
            ["2.55000000", "0.00000001", "0.00000000", None, "-11062.06000000"],
        ),
        ("Description", pa.array(["a", None, ""]), ["a", None, None]),
        ("Description", pa.array(["a", None, ""], pa.large_string()), ["a", None, None]),
        ("Description", pa.array(["a", None, ""]).dictionary_encode(), ["a", None, None]),
        ("Description", pa.array([b"a", None, b""], pa.binary()), ["a", None, None]),
        ("CustomerID", pa.nulls(2), [None, None]),
    ],
    ids=lambda each: str(each.type) if isinstance(each, pa.Array) else "",
)
def test_values_of_every_type_become_the_same_texts(
    tmp_path: Path, column: str, values: pa.Array, texts: list[str | None]
) -> None:
    assert texts_of(tmp_path, column, values) == texts


def test_a_column_without_plain_text_is_refused(tmp_path: Path) -> None:
    columns = SOUND | {"Country": pa.array([["a"], ["b"]])}
    path = saved(tmp_path / "extract.parquet", columns)
    assert refusal(path) == (
        f"{path}: column Country holds list<element: string>, which is no text, number or time; "
        "export it as text."
    )


def test_bytes_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    columns = SOUND | {"Country": pa.array([b"\xff", b"b"], pa.binary())}
    path = saved(tmp_path / "extract.parquet", columns)
    assert refusal(path).startswith(f"{path} is a damaged Parquet file (Invalid UTF8")


def test_other_columns_are_refused(tmp_path: Path) -> None:
    columns = {name: values for name, values in SOUND.items() if name != "Country"}
    path = saved(tmp_path / "extract.parquet", columns | {"Land": SOUND["Country"]})
    assert "(missing: Country; unexpected: Land)" in refusal(path)


@pytest.mark.parametrize("kept", [4, 100, -1])
def test_a_cut_off_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = saved(tmp_path / "extract.parquet", SOUND)
    path.write_bytes(path.read_bytes()[:kept])
    assert refusal(path).startswith(f"{path} is a damaged Parquet file (")


def test_a_damaged_page_is_refused_before_any_row_is_read(tmp_path: Path) -> None:
    columns = {name: pa.array([f"{name}{n}" for n in range(2_000)]) for name in ERP_COLUMNS}
    path = saved(
        tmp_path / "extract.parquet", columns, compression="none", write_page_checksum=True
    )
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Country1999", b"Country1998", 1))
    assert refusal(path).startswith(f"{path} is a damaged Parquet file (")
