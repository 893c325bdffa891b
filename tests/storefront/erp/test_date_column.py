"""One order for all dates of an extract: decided by the column, or named; never guessed."""

from datetime import date
from pathlib import Path

import pytest

from lakehouse.contracts.outliers import Span
from lakehouse.contracts.topics import DateOrder
from lakehouse.errors import LakeError
from storefront.erp.date_column import DateColumn

PATH = Path("extract.csv")


def column(*days: str) -> DateColumn:
    dates = DateColumn()
    for day in days:
        dates.add(day if " " in day or not day else f"{day} 8:00")
    return dates


def refusal(dates: DateColumn, asked: DateOrder | None = None) -> str:
    with pytest.raises(LakeError) as refused:
        dates.order(asked, path=PATH)
    return str(refused.value)


@pytest.mark.parametrize(
    ("days", "order"),
    [
        (["3/4/2019", "14/3/2019"], "day-first"),
        (["3/4/2019", "3/14/2019"], "month-first"),
        (["31/12/2019"], "day-first"),
        (["3/3/2019", "12/12/2019"], "month-first"),  # the same day in both
        (["2019-03-04", "never", "", "2/30/2019", "31/31/2019"], None),
        (["3/14/2019", "2/30/2019", "13/13/2019"], "month-first"),  # days of no calendar
        (["29/2/2020", "1/2/2020"], "day-first"),
        (["3/4/19", "3/14/19"], "month-first"),
        (["3/4/19", "14/3/19"], "day-first"),  # a year is written 03, so 3 is none
        (["14/3/99"], "day-first"),
        (["3/4/19", "3/14/2019"], "month-first"),
    ],
)
def test_the_column_decides(days: list[str], order: str | None) -> None:
    assert column(*days).order(None, path=PATH) == order


@pytest.mark.parametrize(
    ("days", "named"),
    [
        (["3/4/2019", "1/1/2019"], "3/4/2019"),
        (["2019-05-05", "3/4/2019"], "3/4/2019"),
        (["14/03/19"], "14/03/19"),  # 14 March 2019, or 19 March 2014
        (["12/12/19"], "12/12/19"),
    ],
)
def test_what_the_column_leaves_open_needs_the_option(days: list[str], named: str) -> None:
    assert refusal(column(*days)) == (
        "extract.csv: nothing in the column InvoiceDate decides in which order dates such as "
        f"{named} are written; say it with --date-order day-first or --date-order month-first, "
        "or write them as yyyy-MM-dd HH:mm:ss."
    )
    for asked in ("day-first", "month-first"):
        if asked == "day-first" or named != "14/03/19":
            assert column(*days).order(asked, path=PATH) == asked


def test_a_column_that_contradicts_itself_is_refused_until_its_order_is_named() -> None:
    dates = column("3/4/2019", "14/3/2019", "3/15/2019")
    assert refusal(dates) == (
        "extract.csv: InvoiceDate holds 14/3/2019, which can't be month-first, and 3/15/2019, "
        "which can't be day-first; correct the dates, or say which order the file has with "
        "--date-order day-first or --date-order month-first."
    )
    assert dates.order("day-first", path=PATH) == "day-first"
    assert dates.order("month-first", path=PATH) == "month-first"


def test_an_order_that_the_column_contradicts_is_refused() -> None:
    assert refusal(column("3/4/2019", "14/3/2019"), "month-first") == (
        "extract.csv: --date-order month-first does not fit, for InvoiceDate holds 14/3/2019; "
        "leave the option out or name the other order."
    )
    assert column("2019-03-04").order("day-first", path=PATH) is None


def test_years_of_two_digits_in_front_are_not_read() -> None:
    assert refusal(column("99/12/25", "99/12/26")) == (
        "extract.csv: dates such as 99/12/25 begin with a year of two digits, which is not read; "
        "write them as yyyy-MM-dd HH:mm:ss."
    )


def test_the_days_of_a_column_are_those_of_its_order() -> None:
    dates = column("3/4/2019", "5/4/19", "2019-04-09", "12/31/2100", "0999-01-01", "never")
    assert dates.span("day-first") == Span(date(2019, 4, 3), date(2019, 4, 9))
    assert dates.span("month-first") == Span(date(2019, 3, 4), date(2019, 5, 4))
    assert column("never").span(None) is None
