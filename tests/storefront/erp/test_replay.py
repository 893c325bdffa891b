"""Replaying an extract: the same line is the same event, whatever the file, the range, the day."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.contracts.erp_lines import canonical_row, line_hash
from lakehouse.contracts.topics import ERP_COLUMNS, ERP_INVOICE_LINES
from lakehouse.errors import LakeError
from storefront.data import embedded_history
from storefront.erp.extract import Reading, read_extract
from storefront.erp.replay import erp_messages
from storefront.messages import Message

WriteCsv = Callable[..., Path]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LINE = ("536365", "85123A", "HEART", "6", "12/1/2010 8:26", "2.550", "17850.0", "France")
SLICE = 4_000


def line(**changes: str) -> tuple[str, ...]:
    return tuple(changes.get(name, text) for name, text in zip(ERP_COLUMNS, LINE, strict=True))


def sent(path: Path, **options: Any) -> list[Message]:
    extract = read_extract(path, Reading(date_order="month-first"))
    return list(erp_messages(extract, extracted_at=NOW, **options))


def fields_of(message: Message) -> dict[str, Any]:
    return json.loads(message.value)  # type: ignore[no-any-return]


def test_a_row_becomes_a_message_with_its_raw_texts(write_csv: WriteCsv) -> None:
    (message,) = sent(write_csv([LINE]))
    event_id = f"20101201-{line_hash(LINE)}-1"
    assert message == Message(
        ERP_INVOICE_LINES.name,
        "536365",
        event_id,
        (
            f'{{"event_id":"{event_id}","schema_version":2,"occurred_at":"2026-11-23T12:00:00Z",'
            '"InvoiceNo":"536365","StockCode":"85123A","Description":"HEART","Quantity":"6",'
            '"InvoiceDate":"12/1/2010 8:26","UnitPrice":"2.550","CustomerID":"17850.0",'
            '"Country":"France","row_number":1,"line_number":1,"date_order":"month-first"}'
        ).encode(),
        Decimal("15.30"),
    )


def test_empty_cells_are_null_and_an_empty_invoice_number_has_a_key(write_csv: WriteCsv) -> None:
    (message,) = sent(write_csv([line(InvoiceNo="", CustomerID="", Quantity="six")]))
    fields = fields_of(message)
    assert (message.key, message.amount) == ("unknown", None)
    assert (fields["InvoiceNo"], fields["CustomerID"], fields["Quantity"]) == (None, None, "six")


def test_only_a_row_without_eight_cells_carries_its_count(tmp_path: Path) -> None:
    path = tmp_path / "extract.csv"
    texts = [",".join(ERP_COLUMNS), ",".join(LINE), ",".join(LINE[:5]), ",".join((*LINE, "x"))]
    path.write_text("\n".join(texts))
    found = [fields_of(message) for message in sent(path)]
    assert [fields.get("column_count", "absent") for fields in found] == ["absent", 5, 9]
    assert [fields["Country"] for fields in found] == ["France", None, "France"]


def test_equal_lines_are_numbered_over_the_whole_extract(write_csv: WriteCsv) -> None:
    rows = [LINE, line(UnitPrice="2.55"), line(Quantity="7"), line(CustomerID="17850")]
    same, other = (f"20101201-{line_hash(row)}" for row in (LINE, rows[2]))
    messages = sent(write_csv(rows))
    assert [message.event_id for message in messages] == [
        f"{same}-1",
        f"{same}-2",
        f"{other}-1",
        f"{same}-3",
    ]


def test_lines_are_numbered_within_their_invoice_wherever_they_stand(write_csv: WriteCsv) -> None:
    invoices = ["1", "2", "1", "", "2", "1", ""]
    messages = sent(write_csv([line(InvoiceNo=invoice) for invoice in invoices]))
    numbers = [fields_of(message)["line_number"] for message in messages]
    assert numbers == [1, 1, 2, 1, 2, 3, 2]
    assert [fields_of(message)["row_number"] for message in messages] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("date_from", "date_until", "quantities"),
    [
        (None, None, ["1", "2", "3", "4", "5"]),
        (None, date(2010, 12, 1), ["1", "2", "5"]),
        (date(2010, 12, 2), None, ["3", "4", "5"]),
        (date(2010, 12, 1), date(2010, 12, 2), ["2", "3", "5"]),
        (date(2012, 1, 1), date(2012, 1, 2), ["5"]),
    ],
)
def test_a_range_takes_its_days_inclusive_and_every_unreadable_date(
    write_csv: WriteCsv, date_from: date | None, date_until: date | None, quantities: list[str]
) -> None:
    times = (
        "11/30/2010 23:59",
        "2010-12-01 23:59:59",
        "12/2/2010 0:00",
        "2010-12-03 10:00",
        "2/30/2010 1:00",
    )
    rows = [line(Quantity=str(n), InvoiceDate=time) for n, time in enumerate(times, 1)]
    messages = sent(write_csv(rows), date_from=date_from, date_until=date_until)
    assert [fields_of(message)["Quantity"] for message in messages] == quantities


def test_ranges_give_the_very_messages_of_one_send(write_csv: WriteCsv) -> None:
    days = ("2010-12-01", "2010-12-02", "2010-12-03", "never")
    rows = [line(InvoiceDate=f"{day} 08:26:00", Quantity=n) for n in "1212" for day in days]
    path = write_csv(rows)
    early = sent(path, date_until=date(2010, 12, 1))
    late = sent(path, date_from=date(2010, 12, 2))
    assert {*early, *late} == {*sent(path)}
    assert len({message.event_id for message in (*early, *late)}) == len(rows)


def test_a_range_that_ends_before_it_starts_is_refused(write_csv: WriteCsv) -> None:
    extract = read_extract(write_csv([LINE]), Reading(date_order="month-first"))
    with pytest.raises(LakeError, match="from 2011-02-01 until 2011-01-01 holds no day"):
        erp_messages(
            extract,
            extracted_at=NOW,
            date_from=date(2011, 2, 1),
            date_until=date(2011, 1, 1),
        )


def test_an_extraction_time_without_zone_is_refused(write_csv: WriteCsv) -> None:
    extract = read_extract(write_csv([LINE]), Reading(date_order="month-first"))
    with pytest.raises(ValueError, match="no time zone"):
        erp_messages(extract, extracted_at=datetime(2026, 1, 1))


# part: history
def slice_of_history() -> pa.Table:
    """Rows from the middle of the real history: duplicates, cancellations, missing customers."""
    return pq.read_table(embedded_history()).slice(60_000, SLICE)


# end part


def spreadsheet_text(row: dict[str, Any]) -> tuple[str, ...]:
    """A real row as a spreadsheet writes it: American dates, short prices, customers as floats."""
    time, customer = row["InvoiceDate"], row["CustomerID"]
    texts = row | {
        "InvoiceDate": f"{time.month}/{time.day}/{time.year} {time.hour}:{time.minute:02d}",
        "UnitPrice": f"{row['UnitPrice'].normalize():f}",
        "CustomerID": None if customer is None else f"{customer}.0",
    }
    return tuple("" if texts[name] is None else str(texts[name]) for name in ERP_COLUMNS)


# part: history
def test_csv_gzip_and_parquet_of_real_rows_give_the_same_events(
    write_csv: WriteCsv, tmp_path: Path
) -> None:
    real = slice_of_history()
    parquet = tmp_path / "extract.parquet"
    pq.write_table(real, parquet)
    rows = [spreadsheet_text(row) for row in real.to_pylist()]
    backwards = [row[::-1] for row in rows]
    sends = [
        sent(parquet),
        sent(write_csv(rows)),
        sent(write_csv(backwards, names=ERP_COLUMNS[::-1], name="extract.csv.gz")),
    ]
    wanted = [(message.event_id, message.key, message.amount) for message in sends[0]]
    for messages in sends[1:]:
        assert [(each.event_id, each.key, each.amount) for each in messages] == wanted
        assert {canonical_row(_texts(each)) for each in messages} == {
            canonical_row(_texts(each)) for each in sends[0]
        }
    assert len({event_id for event_id, _, _ in wanted}) == SLICE
    assert any(not event_id.endswith("-1") for event_id, _, _ in wanted)


# end part


def _texts(message: Message) -> Sequence[str | None]:
    fields = fields_of(message)
    return [fields[name] for name in ERP_COLUMNS]


# part: history
@pytest.mark.slow
def test_the_whole_history_stands_for_its_known_figures() -> None:
    """541,909 rows, 9,747,747.934 pounds, 5,268 repeated lines (docs/data.md)."""
    amount, repeated, ids = Decimal(0), 0, set()
    for message in erp_messages(read_extract(embedded_history()), extracted_at=NOW):
        assert message.amount is not None
        amount += message.amount
        repeated += not message.event_id.endswith("-1")
        ids.add(message.event_id)
    assert len(ids) == 541_909
    assert amount == Decimal("9747747.934")
    assert repeated == 5_268


# end part


CELLS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(*[CELLS] * 8), min_size=1, max_size=5))
def test_any_texts_travel_unchanged_through_csv_and_parquet(
    tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([ERP_COLUMNS, *rows])
    as_csv, as_parquet = tmp_path / "any.csv", tmp_path / "any.parquet"
    as_csv.write_bytes(text.getvalue().encode())
    columns = {name: [row[n] for row in rows] for n, name in enumerate(ERP_COLUMNS)}
    pq.write_table(pa.table(columns), as_parquet)
    from_csv, from_parquet = sent(as_csv), sent(as_parquet)
    assert from_csv == from_parquet
    assert [tuple(text or "" for text in _texts(message)) for message in from_csv] == rows
