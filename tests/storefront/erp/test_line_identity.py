"""Identity of a line depends on its content, never on how a file writes it."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from storefront.erp.line_identity import (
    canonical_customer,
    canonical_number,
    canonical_row,
    canonical_time,
    event_id_of,
    line_digest,
    line_hash,
    read_time,
)

ROW = ("536365", "85123A", "HEART", "6", "2010-12-01 08:26:00", "2.55", "17850", "UK")
CELLS = st.none() | st.text(max_size=12)
ROWS = st.tuples(*[CELLS] * 8)
DECIMALS = st.decimals(-(10**7), 10**7, allow_nan=False, allow_infinity=False, places=4)
MOMENTS = st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda time: time.replace(microsecond=0))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("6", "6"),
        ("+6", "6"),
        ("-6.0", "-6"),
        ("2.550", "2.55"),
        ("007.10", "7.1"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("+0", "0"),
        ("5.", "5"),
        (".5", "0.5"),
        ("-.50", "-0.5"),
        (" 6 ", "6"),
        ("100", "100"),
        ("1e3", "1e3"),
        ("1,50", "1,50"),
        ("--1", "--1"),
        (".", "."),
        ("-", "-"),
        ("  ", "  "),
        ("٣", "٣"),
        ("6\n", "6\n"),
        ("\t6", "\t6"),
        ("NaN", "NaN"),
        ("9" * 400, "9" * 400),
    ],
)
def test_numbers_become_plain_and_other_texts_stay(text: str, canonical: str) -> None:
    assert canonical_number(text) == canonical


@settings(deadline=None)
@given(DECIMALS, st.integers(0, 3), st.integers(0, 3))
def test_a_number_has_one_canonical_form(number: Decimal, ahead: int, behind: int) -> None:
    sign = "-" if number.is_signed() else "+"
    written = f" {sign}{'0' * ahead}{number.copy_abs():f}{'0' * behind} "
    canonical = canonical_number(written)
    assert Decimal(canonical) == number
    assert canonical == canonical_number(canonical)
    assert not canonical.startswith("+")
    assert canonical != "-0"
    assert "." not in canonical or not canonical.endswith(("0", "."))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2010-12-01 08:26", "2010-12-01 08:26:00"),
        ("2010-12-01T08:26:07", "2010-12-01 08:26:07"),
        ("2010-12-01 08:26:00.000000", "2010-12-01 08:26:00"),
        ("12/1/2010 8:26", "2010-12-01 08:26:00"),
        ("02/29/2012 23:59:59", "2012-02-29 23:59:59"),
        (" 12/1/2010 8:26 ", "2010-12-01 08:26:00"),
    ],
)
def test_times_of_every_known_form_become_one(text: str, canonical: str) -> None:
    assert canonical_time(text) == canonical
    assert read_time(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "2011-02-29 08:26:00",
        "2011-02-30 08:26",
        "2/30/2011 8:26",
        "13/1/2010 8:26",
        "2010-12-01",
        "2010-12-01 24:00",
        "2010-12-01 08:60",
        "2010-12-01 08:26:60",
        "2010-12-01 08:26:00.5",
        "2010-12-01 08:26:00Z",
        "0000-12-01 08:26",
        "12/1/10 8:26",
        "12:30",
        "yesterday",
        "２０１０-12-01 08:26",
        "2010-12-01 08:26\n",
        "",
    ],
)
def test_a_time_that_is_none_stays_as_it_is(text: str) -> None:
    assert canonical_time(text) == text
    assert read_time(text) is None


@settings(deadline=None)
@given(MOMENTS)
def test_both_forms_of_a_time_agree(moment: datetime) -> None:
    iso = moment.isoformat(sep=" ")
    american = f"{moment.month}/{moment.day}/{moment.year:04d} {moment.hour}:{moment:%M:%S}"
    assert canonical_time(american) == canonical_time(iso) == canonical_time(iso + ".00") == iso


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("17850.0", "17850"),
        ("17850", "17850"),
        (" 17850.0", "17850"),
        ("0012.0", "0012"),
        ("A.0", "A.0"),
        ("17850.5", "17850.5"),
        (" Miller ", " Miller "),
    ],
)
def test_customers_lose_the_decimals_of_a_spreadsheet(text: str, canonical: str) -> None:
    assert canonical_customer(text) == canonical


def test_texts_are_untouched_and_empty_is_null() -> None:
    row = (" 536365", "85123a", " HEART ", "", "", "", "", "U K ")
    assert canonical_row(row) == (" 536365", "85123a", " HEART ", None, None, None, None, "U K ")


def test_the_hash_is_the_sha256_of_the_json_array() -> None:
    expected = '["536365","85123A","HEART","6","2010-12-01 08:26:00","2.55","17850","UK"]'
    assert line_hash(ROW) == hashlib.sha256(expected.encode()).hexdigest()


@pytest.mark.parametrize(
    ("position", "text"),
    [(3, "6.0"), (3, "+6"), (4, "12/1/2010 8:26"), (5, "2.550"), (6, "17850.0")],
)
def test_another_way_to_write_a_line_keeps_its_hash(position: int, text: str) -> None:
    assert line_hash((*ROW[:position], text, *ROW[position + 1 :])) == line_hash(ROW)


@pytest.mark.parametrize("position", range(8))
def test_each_column_counts_for_the_hash(position: int) -> None:
    hashes = {
        line_hash((*ROW[:position], text, *ROW[position + 1 :])) for text in (None, "x", "null")
    }
    assert len(hashes | {line_hash(ROW)}) == 4


@settings(deadline=None)
@given(ROWS)
def test_the_array_is_what_plain_json_writes(row: tuple[str | None, ...]) -> None:
    array = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    assert line_digest(row) == hashlib.sha256(array.encode()).digest()


@settings(deadline=None)
@given(ROWS, ROWS)
def test_two_rows_share_a_hash_only_when_their_canonical_form_is_equal(
    one: tuple[str | None, ...], other: tuple[str | None, ...]
) -> None:
    assume(canonical_row(one) != canonical_row(other))
    assert line_hash(one) != line_hash(other)


@settings(deadline=None)
@given(ROWS)
def test_the_canonical_form_of_a_canonical_row_is_itself(row: tuple[str | None, ...]) -> None:
    once = canonical_row(row)
    assert canonical_row(once) == once


def test_an_id_begins_with_the_day_of_its_line_where_there_is_one() -> None:
    undated = (*ROW[:4], "yesterday", *ROW[5:])
    assert [event_id_of(row, line_digest(row), 2) for row in (ROW, undated)] == [
        f"20101201-{line_hash(ROW)}-2",
        f"{line_hash(undated)}-2",
    ]
