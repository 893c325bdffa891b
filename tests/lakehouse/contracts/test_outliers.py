"""A mistyped year moves no clock, and a shop that trades again after years does."""

from datetime import date, timedelta

import pytest

from lakehouse.contracts.outliers import Span, plausible_span, plausible_span_sql
from lakehouse.duck import open_memory

DAY = date(2011, 12, 9)


def days(first: date, count: int, *, step: int = 1) -> list[date]:
    return [first + timedelta(days=step * number) for number in range(count)]


CASES: list[tuple[list[date], Span | None]] = [
    ([], None),
    ([DAY], Span(DAY, DAY)),
    ([DAY, DAY], Span(DAY, DAY)),
    # one mistyped day, late and early, beside two days and beside many
    (
        [*days(DAY, 2), date(2091, 1, 2)],
        Span(DAY, date(2011, 12, 10), (date(2091, 1, 2),)),
    ),
    ([DAY, date(2091, 1, 2)], Span(DAY, DAY, (date(2091, 1, 2),))),
    ([date(1991, 1, 2), *days(DAY, 9)], Span(DAY, date(2011, 12, 17), (date(1991, 1, 2),))),
    # several years mistyped, each in its own way
    (
        [*days(DAY, 2), date(2021, 12, 9), *days(date(2091, 1, 2), 1)],
        Span(DAY, date(2011, 12, 10), (date(2021, 12, 9), date(2091, 1, 2))),
    ),
    # a pause of two years is none, a day more is one
    ([DAY, DAY + timedelta(731)], Span(DAY, DAY + timedelta(731))),
    ([DAY, DAY + timedelta(732)], Span(DAY, DAY, (DAY + timedelta(732),))),
    # a shop that opens again after years: on the eighth day it is no accident any more
    ([*days(DAY, 300), *days(date(2019, 1, 1), 8)], Span(DAY, date(2019, 1, 8))),
    (
        [*days(DAY, 300), *days(date(2019, 1, 1), 7)],
        Span(DAY, date(2012, 10, 3), tuple(days(date(2019, 1, 1), 7))),
    ),
    # what lies between two runs of the shop is inside
    (
        [*days(date(2001, 1, 1), 8), date(2005, 1, 1), *days(DAY, 300)],
        Span(date(2001, 1, 1), date(2012, 10, 3)),
    ),
]


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_the_span_of_a_shops_own_days(given: list[date], expected: Span | None) -> None:
    assert plausible_span(reversed(given)) == expected


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_sql_gives_the_same_span(given: list[date], expected: Span | None) -> None:
    with open_memory() as connection:
        connection.execute("create table facts (sold_on date)")
        if given:
            connection.executemany("insert into facts values (?)", [(day,) for day in given])
        connection.execute("insert into facts values (null)")
        found = connection.execute(plausible_span_sql("facts", day="sold_on")).fetchall()
    assert found == [(expected.first, expected.last) if expected else (None, None)]
