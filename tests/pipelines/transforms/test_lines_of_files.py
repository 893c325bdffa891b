"""From a user's file to typed lines: what one shop exports in many ways comes out the same."""

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.contracts.topics import ERP_COLUMNS
from pipelines.transforms.erp import refine_invoice_line
from pipelines.transforms.records import Accepted, OrderLine, Refused
from storefront.erp.extract import AS_USUAL, Reading, read_extract
from storefront.erp.replay import erp_messages

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ROWS = [
    (f"70{month}{day:02}", f"{10_000 + day}", "MUG", str(day), f"{month}/{day}/2019", "1.25", "5")
    for month in (3, 4)
    for day in range(1, 26)
]
"""Fifty sales on the first 25 days of March and April, written month first."""

GROSS = Decimal("1.25") * 2 * sum(range(1, 26))


def written(path: Path, rows: Sequence[Sequence[str]], *, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([ERP_COLUMNS, *rows])
    return path


def dated(form: str) -> list[tuple[str, ...]]:
    """The rows with dates in another form of `strftime`, at ten o'clock."""
    days = [datetime.strptime(row[4], "%m/%d/%Y").replace(tzinfo=UTC) for row in ROWS]
    return [
        (*row[:4], f"{day.strftime(form)} 10:00", *row[5:], "France")
        for row, day in zip(ROWS, days, strict=True)
    ]


def refined(path: Path, reading: Reading = AS_USUAL) -> list[Accepted | Refused]:
    messages = erp_messages(read_extract(path, reading), extracted_at=NOW)
    return [refine_invoice_line(message.value) for message in messages]


def lines(path: Path, reading: Reading = AS_USUAL) -> list[OrderLine]:
    found = [record for record in refined(path, reading) if isinstance(record, Accepted)]
    return [row for record in found for row in record.rows if isinstance(row, OrderLine)]


def facts(path: Path, reading: Reading = AS_USUAL) -> list[tuple[Any, ...]]:
    """What decides whether records are the same: event_id, identity and content."""
    return [
        (record.event_id, record.identity, record.content_hash)
        for record in refined(path, reading)
        if isinstance(record, Accepted)
    ]


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d"])
def test_every_order_of_dates_gives_the_same_days_and_the_same_money(
    tmp_path: Path, form: str
) -> None:
    path = written(tmp_path / "extract.csv", dated(form))
    found = lines(path)
    assert sum(line.line_amount for line in found) == GROSS
    assert [line.order_date for line in found] == [
        date(2019, month, day) for month in (3, 4) for day in range(1, 26)
    ]
    assert facts(path) == facts(written(tmp_path / "iso.csv", dated("%Y-%m-%d")))


def test_dates_that_nothing_decides_are_read_as_the_user_says(tmp_path: Path) -> None:
    path = written(
        tmp_path / "extract.csv", [(*ROWS[0][:4], "3/4/19 10:00", *ROWS[0][5:], "France")]
    )
    (day_first,) = lines(path, Reading(date_order="day-first"))
    (month_first,) = lines(path, Reading(date_order="month-first"))
    assert (day_first.order_date, month_first.order_date) == (date(2019, 4, 3), date(2019, 3, 4))


def test_a_row_that_does_not_fit_the_named_order_is_refused_and_never_turned(
    tmp_path: Path,
) -> None:
    rows = [
        (*ROWS[0][:4], f"{day}/2019 10:00", *ROWS[0][5:], "France")
        for day in ("13/3", "3/14", "3/4")
    ]
    found = refined(written(tmp_path / "extract.csv", rows), Reading(date_order="day-first"))
    assert [getattr(record, "reason", record.day) for record in found] == [
        date(2019, 3, 13),
        "bad_date",
        date(2019, 4, 3),
    ]


def test_an_unknown_order_in_a_message_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "extract.csv", dated("%d/%m/%Y"))
    (value, *_) = (m.value for m in erp_messages(read_extract(path), extracted_at=NOW))
    found = refine_invoice_line(value.replace(b'"day-first"', b'"year-first"'))
    assert isinstance(found, Refused)
    assert (found.reason, found.detail) == ("unknown_value", "date_order")


def test_cp1252_read_as_latin1_is_refused_and_read_as_itself_accepted(tmp_path: Path) -> None:
    rows = [(*row[:2], "BOY’S CAP – BLUE", *row[3:]) for row in dated("%Y-%m-%d")[:2]]
    path = written(tmp_path / "extract.csv", rows, encoding="cp1252")
    wrong = refined(path, Reading("latin-1"))
    assert [record.reason for record in wrong if isinstance(record, Refused)] == [
        "control_characters",
        "control_characters",
    ]
    assert [line.description for line in lines(path, Reading("cp1252"))] == ["BOY’S CAP – BLUE"] * 2


def test_ids_that_became_floats_are_the_same_lines(tmp_path: Path) -> None:
    rows = [*dated("%Y-%m-%d")[:2], (*dated("%Y-%m-%d")[2][:6], "", "France")]
    plain = written(tmp_path / "plain.csv", rows)
    columns: dict[str, list[Any]] = dict(
        zip(ERP_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)
    )
    for name in ("InvoiceNo", "StockCode", "CustomerID"):
        columns[name] = [float(text) if text else None for text in columns[name]]
    pq.write_table(pa.table(columns), tmp_path / "floats.parquet")
    texts = [
        tuple(f"{text}.0" if n in (0, 1, 6) and text else text for n, text in enumerate(row))
        for row in rows
    ]
    as_text = written(tmp_path / "floats.csv", texts)
    assert facts(plain) == facts(tmp_path / "floats.parquet") == facts(as_text)
    assert lines(plain) == lines(tmp_path / "floats.parquet") == lines(as_text)
    assert [line.order_id for line in lines(as_text)] == ["70301", "70302", "70303"]
    assert [line.sku for line in lines(as_text)] == ["10001", "10002", "10003"]


@pytest.mark.parametrize("text", ["nan", "NaN", "NULL", "None", "#N/A", "N/A", "<NA>", "null"])
def test_texts_that_stand_for_nothing_are_empty(tmp_path: Path, text: str) -> None:
    row = dated("%Y-%m-%d")[0]
    path = written(tmp_path / "named.csv", [(*row[:6], text, text)])
    empty = written(tmp_path / "empty.csv", [(*row[:6], "", "")])
    assert facts(path) == facts(empty)
    (line,) = lines(path)
    assert (line.customer_id, line.country) == (None, "Unspecified")
    (refused,) = refined(written(tmp_path / "no-order.csv", [(text, *row[1:])]))
    assert isinstance(refused, Refused)
    assert refused.reason == "missing_order_id"
