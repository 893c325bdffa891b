"""Files of sales: rules of an ERP extract, named columns, CDNOW logs, and what is refused."""

import gzip
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from lakehouse.errors import LakeError
from ml.sales_files import parse_columns, read_sales

EXTRACT = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,A,Cup,6,2010-12-01 08:26:00,2.55,17850,UK
536365,A,Cup,6,2010-12-01 08:26:00,2.55,17850,UK
536365,B,Jug,1,2010-12-01 08:26:00,1.10,17850,UK
C536366,A,Cup,-6,2010-12-02 08:26:00,2.55,17850,UK
A536367,B,Debt,1,2010-12-02 08:26:00,9.00,17850,UK
536368,A,Cup,-2,2010-12-02 08:26:00,0,17850,UK
536369,A,Cup,2,2010-12-02 08:26:00,0,17850,UK
536370,A,Cup,2,2010-12-03 08:26:00,2.55,,UK
536371,A,Cup,2,2010-12-04 23:59:00,2.55,9.0,UK
"""


def rows(frame: pd.DataFrame) -> list[tuple[str, date, float, str]]:
    return [(each[0], each[1].date(), each[2], each[3]) for each in frame.itertuples(index=False)]


def test_an_extract_gives_identified_sales_with_equal_rows_once(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv.gz"
    path.write_bytes(gzip.compress(EXTRACT.encode()))
    found = read_sales(path)
    assert rows(found.purchases) == [
        ("17850", date(2010, 12, 1), 16.4, "536365"),
        ("9", date(2010, 12, 4), 5.1, "536371"),
    ]
    assert found.last_day == date(2010, 12, 4)
    assert found.warnings == ()


def test_unreadable_rows_of_an_extract_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    path.write_text(EXTRACT + "536372,A,Cup,many,2010-12-05 08:26:00,2.55,9,UK\n")
    found = read_sales(path)
    assert len(found.purchases) == 2
    assert found.warnings == (
        "1 rows without a readable date, quantity, price or number are left out.",
    )


def test_named_columns_are_read_from_parquet_and_each_row_is_a_purchase(tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    pd.DataFrame(
        {
            "who": ["b", "a", "a", None],
            "when": pd.to_datetime(["2020-01-05", "2020-01-02", "2020-01-02", "2020-01-03"]),
            "paid": [10.5, 2.0, -1.0, 3.0],
        }
    ).to_parquet(path)
    found = read_sales(path, columns=parse_columns("id=who,date=when,amount=paid"))
    assert rows(found.purchases) == [
        ("a", date(2020, 1, 2), 2.0, "1"),
        ("b", date(2020, 1, 5), 10.5, "0"),
    ]
    assert found.warnings == (
        "1 rows without a customer are left out.",
        "1 purchases with an amount below 0 are left out.",
    )


def test_rows_of_one_order_are_one_purchase(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("c,d,v,o\n1,20200102,1.25,x\n1,20200102,2.50,x\n")
    found = read_sales(path, columns=parse_columns("id=c,date=d,amount=v,order=o"))
    assert rows(found.purchases) == [("1", date(2020, 1, 2), 3.75, "x")]


@pytest.mark.parametrize(
    "log",
    [
        "00001 19970101  1   11.77\n00001 19970118  2   12.00\n",
        "id date cds value\n 00001 19970101  1   11.77\n 00001 19970118  2   12.00\n",
        " 00004 00001 19970101 1 11.77\n 00004 00001 19970118 2 12.00\n",
    ],
    ids=["master", "with a header", "sample with two ids"],
)
def test_a_cdnow_log_is_read_in_each_form(tmp_path: Path, log: str) -> None:
    path = tmp_path / "log.txt"
    path.write_text(log)
    found = read_sales(path, form="cdnow")
    assert [each[:3] for each in rows(found.purchases)] == [
        ("00001", date(1997, 1, 1), 11.77),
        ("00001", date(1997, 1, 18), 12.0),
    ]


def test_slashed_dates_are_read_in_the_order_that_the_column_shows(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("c,d,v\n1,02/01/2020,1\n1,25/01/2020,1\n")
    named = parse_columns("id=c,date=d,amount=v")
    days = [each[1] for each in rows(read_sales(path, columns=named).purchases)]
    assert days == [date(2020, 1, 2), date(2020, 1, 25)]
    path.write_text("c,d,v\n1,02/01/2020,1\n")
    with pytest.raises(LakeError, match="day first or month first"):
        read_sales(path, columns=named)
    found = read_sales(path, columns=named, date_order="month-first")
    assert rows(found.purchases)[0][1] == date(2020, 2, 1)


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("a,b\n1,2\n", None, "has no column InvoiceNo, StockCode"),
        ("a,b\n1,2\n", "id=a,date=b,amount=z", "has no column z. It has a, b."),
        ("a,b,c\n1,2020-01-01,much\n", "id=a,date=b,amount=c", "Column c of .* holds 'much'"),
        ("a,b,c\n1,soon,1\n", "id=a,date=b,amount=c", "Column b of .* holds 'soon'"),
        ("a,b,c\n,2020-01-01,1\n", "id=a,date=b,amount=c", "no purchase of an identified"),
        ("", None, "is empty"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_column(
    tmp_path: Path, text: str, columns: str | None, said: str
) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(text)
    with pytest.raises(LakeError, match=said):
        read_sales(path, columns=parse_columns(columns) if columns else None)


def test_wrong_lines_of_a_log_and_wrong_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("1 19970101 1 11.77\n1 1997 1 11.77\n")
    with pytest.raises(LakeError, match=r"line 2: '1 1997 1 11.77' is not"):
        read_sales(path, form="cdnow")
    with pytest.raises(LakeError, match="--columns 'id=a' does not fit"):
        parse_columns("id=a")
    with pytest.raises(LakeError, match="can't be read"):
        read_sales(tmp_path / "none.csv")
