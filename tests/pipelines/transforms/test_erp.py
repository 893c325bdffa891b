"""ERP lines: typed rows, refusals with their reason, and one content for one identity."""

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from lakehouse.contracts.identity import line_identity
from lakehouse.contracts.topics import ERP_COLUMNS
from pipelines.transforms.erp import invoice_time, refine_invoice_line
from pipelines.transforms.records import Accepted, OrderLine, Refused
from tests.lake_state import erp_event_id, erp_value, texts


def accepted(value: bytes) -> Accepted:
    found = refine_invoice_line(value)
    assert isinstance(found, Accepted)
    return found


@pytest.mark.parametrize(
    ("text", "at", "day"),
    [
        ("2010-12-01 08:26:00", datetime(2010, 12, 1, 8, 26), date(2010, 12, 1)),
        ("2010-12-01 08:26:30", datetime(2010, 12, 1, 8, 26, 30), date(2010, 12, 1)),
        ("2011-06-30 23:30:00", datetime(2011, 6, 30, 22, 30), date(2011, 6, 30)),
        ("2011-07-01 00:30:00", datetime(2011, 6, 30, 23, 30), date(2011, 7, 1)),
        ("2011-02-30 10:00:00", None, None),
        ("1/4/2011 10:00", None, None),
        ("12:30", None, None),
        ("", None, None),
    ],
)
def test_an_invoice_time_is_a_moment_and_a_day_of_the_shop(
    text: str, at: datetime | None, day: date | None
) -> None:
    found = invoice_time(text)
    if at is None or day is None:
        assert found is None
    else:
        assert found == (at.replace(tzinfo=UTC), day, f"{day:%Y-%m}")


def variants(dice: random.Random) -> tuple[str | None, ...]:
    """One of few lines, in one of many spellings."""
    return texts(
        Quantity=dice.choice(("6", "+6", "6.0", "06", " 6", "7", "7.00")),
        InvoiceDate=dice.choice(
            ("12/1/2010 8:26", "2010-12-01 08:26:00", "2010-12-01T08:26", "12/1/2010 8:27")
        ),
        UnitPrice=dice.choice(("2.55", "2.550", "+2.55", "02.55", "2.5500000", "2.56")),
        CustomerID=dice.choice(("17850", "17850.0", "17850.00", " 17850", None, "17851")),
        Description=dice.choice(("HEART", "HEART ", None)),
    )


def test_lines_of_one_identity_have_one_content() -> None:
    dice = random.Random(5)  # noqa: S311 - the same dice each time
    contents: dict[str, set[str]] = {}
    for _ in range(600):
        line = variants(dice)
        found = accepted(erp_value(**dict(zip(ERP_COLUMNS, line, strict=True))))
        assert found.identity == line_identity(erp_event_id(line))
        contents.setdefault(found.identity, set()).add(found.content_hash)
    assert {len(each) for each in contents.values()} == {1}
    assert len({min(each) for each in contents.values()}) == len(contents) > 50


SALE = OrderLine(
    source_system="erp",
    order_id="536365",
    line_number=1,
    line_class="sale",
    sku="85123A",
    description="WHITE HEART",
    customer_id="17850",
    country="France",
    ordered_at=datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
    order_date=date(2010, 12, 1),
    order_month="2010-12",
    quantity=6,
    unit_price=Decimal("2.5500"),
    line_amount=Decimal("15.3000"),
    currency="GBP",
)


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ({}, {}),
        (
            {"StockCode": " 85123a ", "Description": "  ", "CustomerID": None, "Country": None},
            {"description": None, "customer_id": None, "country": "Unspecified"},
        ),
        (
            {"InvoiceNo": "c536379", "Quantity": "-1"},
            {"order_id": "c536379", "line_class": "cancellation", "quantity": -1}
            | {"line_amount": Decimal("-2.5500")},
        ),
        (
            {"InvoiceNo": "A563186", "UnitPrice": "-11062.06", "Quantity": "1"},
            {"order_id": "A563186", "line_class": "adjustment", "quantity": 1}
            | {"unit_price": Decimal("-11062.0600"), "line_amount": Decimal("-11062.0600")},
        ),
        (
            {"Quantity": "-10", "UnitPrice": "0"},
            {"line_class": "stock_movement", "quantity": -10}
            | {"unit_price": Decimal("0.0000"), "line_amount": Decimal("0.0000")},
        ),
        (
            {"UnitPrice": "0.0"},
            {"line_class": "zero_price", "unit_price": Decimal("0.0000")}
            | {"line_amount": Decimal("0.0000")},
        ),
        (  # summer time: the evening's order is of the same day, though an hour earlier in UTC
            {"InvoiceDate": "2011-06-30T23:30"},
            {"ordered_at": datetime(2011, 6, 30, 22, 30, tzinfo=UTC), "order_month": "2011-06"}
            | {"order_date": date(2011, 6, 30)},
        ),
    ],
)
def test_a_line_becomes_a_typed_row_of_the_shops_day(
    line: dict[str, Any], changes: dict[str, Any]
) -> None:
    expected = SALE._replace(**changes)
    found = accepted(erp_value(**line))
    assert found.rows == (expected,)
    assert (found.amount, found.day) == (expected.line_amount, expected.order_date)


MONEY = Decimal("15.3000")


@pytest.mark.parametrize(
    ("line", "reason", "detail", "amount"),
    [
        ({"InvoiceNo": " "}, "missing_order_id", "", MONEY),
        ({"InvoiceDate": "12:30"}, "bad_date", "", MONEY),
        ({"InvoiceDate": "1/4/1989 10:00"}, "date_out_of_range", "1989", MONEY),
        ({"Quantity": "six"}, "bad_quantity", "", None),
        ({"Quantity": "1000000000", "UnitPrice": "1000"}, "amount_out_of_range", "", None),
        ({"Quantity": "6\n"}, "control_characters", "Quantity", None),
        ({"Description": "a\x07b"}, "control_characters", "Description", MONEY),
        ({"Description": "a\x00b"}, "control_characters", "Description", MONEY),
        ({"Country": "x" * 1001}, "text_too_long", "Country", MONEY),
        ({"fields": {"column_count": 7}}, "wrong_column_count", "7", MONEY),
        ({"fields": {"line_number": 0}}, "wrong_type", "line_number", MONEY),
        ({"fields": {"event_id": ""}}, "bad_event_id", "", MONEY),
        ({"fields": {"occurred_at": "yesterday"}}, "bad_time", "occurred_at", MONEY),
        ({"fields": {"schema_version": 99}}, "unknown_version", "99", MONEY),
        ({"fields": {"row_number": "1"}}, "wrong_type", "row_number", None),
        ({"fields": {"row_number": None}}, "missing_field", "row_number", None),
    ],
)
def test_a_refused_line_keeps_its_money_and_says_why(
    line: dict[str, Any], reason: str, detail: str, amount: Decimal | None
) -> None:
    found = refine_invoice_line(erp_value(**line))
    assert isinstance(found, Refused)
    assert (found.reason, found.detail, found.amount) == (reason, detail, amount)


def test_the_time_of_extraction_and_the_row_are_no_content() -> None:
    later = {"occurred_at": "2026-01-01T00:00:00Z", "row_number": 77, "line_number": 5}
    extra = json.dumps({**json.loads(erp_value()), "loyalty": "gold"}).encode()
    values = (erp_value(), erp_value(fields=later), extra)
    assert len({accepted(value).content_hash for value in values}) == 1
    assert accepted(erp_value(Country="Spain")).content_hash != accepted(extra).content_hash


@pytest.mark.parametrize(
    ("date_order", "text", "day"),
    [
        ("day-first", "4/1/2011 10:00", date(2011, 1, 4)),
        ("month-first", "4/1/2011 10:00", date(2011, 4, 1)),
        (None, "4/1/2011 10:00", date(2011, 4, 1)),
        ("day-first", "4/1/11 10:00", date(2011, 1, 4)),
        ("day-first", "2011-04-01 10:00", date(2011, 4, 1)),
        ("day-first", "2/13/2011 10:00", None),  # never guessed in the other order
        (None, "4/1/11 10:00", None),
    ],
)
def test_a_date_with_slashes_is_read_in_the_order_that_its_message_names(
    date_order: str | None, text: str, day: date | None
) -> None:
    named = {"schema_version": 2, "date_order": date_order}
    found = refine_invoice_line(erp_value(InvoiceDate=text, fields=named))
    assert found.day == day
    assert isinstance(found, Refused) == (day is None)


def test_ids_are_whole_numbers_and_what_stands_for_nothing_is_nothing() -> None:
    floats = {"InvoiceNo": "536365.0", "StockCode": "22423.0", "CustomerID": "nan"}
    (row,) = accepted(erp_value(**floats, Country="N/A")).rows
    assert isinstance(row, OrderLine)
    assert row[1:2] + row[4:8:2] + (row.country,) == ("536365", "22423", None, "Unspecified")
    named = refine_invoice_line(erp_value(InvoiceNo="nan"))
    assert isinstance(named, Refused)
    assert named.reason == "missing_order_id"
    odd = refine_invoice_line(erp_value(fields={"schema_version": 2, "date_order": "sideways"}))
    assert isinstance(odd, Refused)
    assert (odd.reason, odd.detail) == ("unknown_value", "date_order")
