"""What a line says depends on its content, never on how a file writes it."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lakehouse.contracts.erp_lines import (
    canonical_id,
    canonical_number,
    canonical_row,
    event_id_of,
    line_digest,
    line_hash,
    present,
    read_time,
)
from lakehouse.contracts.topics import DATE_ORDERS, DateOrder

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
    assert read_time(text) == canonical
    assert canonical_row((*ROW[:4], text, *ROW[5:])) == canonical_row(
        (*ROW[:4], canonical, *ROW[5:])
    )


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
    assert read_time(text) is None
    assert canonical_row((*ROW[:4], text, *ROW[5:]))[4] == (text or None)


@settings(deadline=None)
@given(MOMENTS)
def test_both_forms_of_a_time_agree(moment: datetime) -> None:
    iso = moment.isoformat(sep=" ")
    american = f"{moment.month}/{moment.day}/{moment.year:04d} {moment.hour}:{moment:%M:%S}"
    assert read_time(american) == read_time(iso) == read_time(iso + ".00") == iso
    european = f"{moment.day}/{moment.month}/{moment.year:04d} {moment.hour}:{moment:%M:%S}"
    assert read_time(european, date_order="day-first") == iso


@pytest.mark.parametrize(
    ("text", "day_first", "month_first"),
    [
        ("3/4/2019 8:00", "2019-04-03 08:00:00", "2019-03-04 08:00:00"),
        ("14/3/2019 8:00", "2019-03-14 08:00:00", None),
        ("3/14/2019 8:00:01", None, "2019-03-14 08:00:01"),
        ("3/4/19 8:00", "2019-04-03 08:00:00", "2019-03-04 08:00:00"),
        ("3/4/00 8:00", "2000-04-03 08:00:00", "2000-03-04 08:00:00"),
        ("3/4/89 8:00", "2089-04-03 08:00:00", "2089-03-04 08:00:00"),
        ("3/4/90 8:00", "1990-04-03 08:00:00", "1990-03-04 08:00:00"),
        ("29/2/20 8:00", "2020-02-29 08:00:00", None),
        ("3/4/119 8:00", None, None),
        ("2019-04-03 08:00", "2019-04-03 08:00:00", "2019-04-03 08:00:00"),
    ],
)
def test_dates_with_slashes_are_read_in_the_order_of_their_extract(
    text: str, day_first: str | None, month_first: str | None
) -> None:
    assert read_time(text, date_order="day-first") == day_first
    assert read_time(text, date_order="month-first") == month_first


@pytest.mark.parametrize("order", DATE_ORDERS)
def test_a_line_is_the_same_in_every_order_of_its_date(order: DateOrder) -> None:
    text = {"day-first": "1/12/10 8:26", "month-first": "12/1/2010 8:26"}[order]
    assert line_hash((*ROW[:4], text, *ROW[5:]), date_order=order) == line_hash(ROW)


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
        ("85123A", "85123A"),
        ("C536379.0", "C536379.0"),
        ("1e3", "1e3"),
        (".0", ".0"),
        ("10.", "10."),
        ("-10.0", "-10.0"),
        ("NA", "NA"),
        ("Nancy", "Nancy"),
        ("nan", None),
        (" NaN ", None),
        ("NULL", None),
        ("null", None),
        ("None", None),
        ("N/A", None),
        ("#N/A", None),
        ("<NA>", None),
        ("", None),
        ("  ", None),
    ],
)
def test_ids_lose_the_decimals_of_a_float_and_what_stands_for_nothing(
    text: str, canonical: str | None
) -> None:
    assert canonical_id(text) == canonical
    for column in (0, 1, 6):
        row = (*ROW[:column], text, *ROW[column + 1 :])
        assert canonical_row(row) == (*ROW[:column], canonical, *ROW[column + 1 :])


@pytest.mark.parametrize("text", ["nan", "NaN", "NULL", "None", "#N/A", "N/A", "<NA>", " ", ""])
def test_a_country_that_stands_for_nothing_is_null(text: str) -> None:
    assert present(text) is None
    assert canonical_row((*ROW[:7], text)) == (*ROW[:7], None)


def test_texts_are_untouched_and_empty_is_null() -> None:
    row = (" C536365", "85123a", " nan ", "", "", "", "", "U K ")
    assert canonical_row(row) == (" C536365", "85123a", " nan ", None, None, None, None, "U K ")


def test_the_hash_is_the_sha256_of_the_json_array() -> None:
    expected = '["536365","85123A","HEART","6","2010-12-01 08:26:00","2.55","17850","UK"]'
    assert line_hash(ROW) == hashlib.sha256(expected.encode()).hexdigest()


@pytest.mark.parametrize(
    ("position", "text"),
    [
        (0, "536365.0"),
        (3, "6.0"),
        (3, "+6"),
        (4, "12/1/2010 8:26"),
        (5, "2.550"),
        (6, "17850.0"),
    ],
)
def test_another_way_to_write_a_line_keeps_its_hash(position: int, text: str) -> None:
    assert line_hash((*ROW[:position], text, *ROW[position + 1 :])) == line_hash(ROW)


@pytest.mark.parametrize("position", range(8))
def test_each_column_counts_for_the_hash(position: int) -> None:
    hashes = {line_hash((*ROW[:position], text, *ROW[position + 1 :])) for text in (None, "x", "y")}
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
