"""Who made a change: against a plain sum of random lines, and by hand where it is a question."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pytest

from lakehouse.errors import LakeError
from lakehouse.semantics.changes import Change, changes
from lakehouse.semantics.question import Question

MONDAY, TUESDAY, NEXT = date(2011, 1, 3), date(2011, 1, 4), date(2011, 1, 10)
NET = Question(("net_revenue",), MONDAY, MONDAY, by=("country",))
_PLACES = [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", None]


def test_of_changes_as_large_the_one_that_is_more_now_comes_first(cursor: Any) -> None:
    found = changes(cursor, replace(NET, first_day=NEXT, last_day=NEXT), (MONDAY, MONDAY))
    assert found.found == [
        Change("France", Decimal("5.0000"), Decimal("10.0000")),
        Change("Spain", Decimal(0), Decimal("5.0000")),
    ]
    assert found.member_count == 2


def test_without_another_period_the_largest_amounts_come_first(cursor: Any) -> None:
    found = changes(cursor, NET, None, most=1)
    assert found.found == [Change("France", Decimal("10.0000"), Decimal(0))]
    assert found.member_count == 2


def test_days_without_lines_have_no_members(cursor: Any) -> None:
    quiet = replace(NET, first_day=date(2010, 1, 1), last_day=date(2010, 1, 2))
    found = changes(cursor, quiet, None)
    assert (found.found, found.member_count) == ([], 0)


def test_a_rate_has_no_parts(cursor: Any) -> None:
    with pytest.raises(LakeError, match="Returning share of a whole is no sum of its parts"):
        changes(cursor, replace(NET, metrics=("repeat_rate",)), None)


@pytest.mark.parametrize("seed", range(5))
def test_random_lines_give_what_a_plain_sum_gives(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    lines = [
        (MONDAY + timedelta(days=random.randrange(4)), random.choice(_PLACES), random.choice("sc"))
        for _ in range(120)
    ]
    amounts = [Decimal(random.randrange(-4, 9)) / 4 for _ in lines]
    now = replace(NET, by=("product",), first_day=MONDAY + timedelta(days=2), last_day=NEXT)
    before = (MONDAY, TUESDAY)
    with duckdb.connect() as cursor:
        cursor.execute(
            "create schema gold; create table gold.fct_order_lines "
            "(order_date date, sku varchar, line_class varchar, line_amount decimal(18, 4))"
        )
        classes = {"s": "sale", "c": "cancellation"}
        cursor.executemany(
            "insert into gold.fct_order_lines values (?, ?, ?, ?)",
            [
                (day, sku, classes[kind], amount)
                for (day, sku, kind), amount in zip(lines, amounts, strict=True)
            ],
        )
        whole = changes(cursor, now, before)
        few = changes(cursor, now, before, most=3)
    expected: dict[str | None, list[Decimal]] = {}
    for (day, sku, _), amount in zip(lines, amounts, strict=True):
        expected.setdefault(sku, [Decimal(0), Decimal(0)])[day <= TUESDAY] += amount
    assert {each.place: [each.now, each.before] for each in whole.found} == {
        sku: pair for sku, pair in expected.items() if any(pair)
    }
    sizes = [(abs(each.now - each.before), each.now) for each in whole.found]
    assert sizes == sorted(sizes, reverse=True)

    def sign(each: Change) -> int:
        return (each.now > each.before) - (each.now < each.before)

    assert few.found == [
        each
        for place, each in enumerate(whole.found)
        if sum(sign(other) == sign(each) for other in whole.found[:place]) < 3
    ]
    assert few.member_count == len(whole.found)
