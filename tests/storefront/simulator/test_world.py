"""A world's ids and days: shared with no other world, and right when clocks change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from storefront.simulator import Catalog, ShopParameters
from storefront.simulator.world import ShopDay, World, part_of

OPENING = date(2011, 12, 10)


def stream(number: int) -> Random:
    return World(number, OPENING, Catalog((), (), None), ShopParameters()).stream("test")


@pytest.mark.parametrize(
    ("day", "begins_at", "hours", "shown"),
    [
        (date(2011, 12, 10), datetime(2011, 12, 10, 0), 24, list(range(24))),
        (date(2012, 7, 1), datetime(2012, 6, 30, 23), 24, list(range(24))),
        (date(2012, 3, 25), datetime(2012, 3, 25, 0), 23, [0, *range(2, 24)]),
        (date(2012, 10, 28), datetime(2012, 10, 27, 23), 25, [0, 1, *range(1, 24)]),
    ],
)
def test_a_day_has_the_hours_of_the_wall_clock(
    day: date, begins_at: datetime, hours: int, shown: list[int]
) -> None:
    shop_day = ShopDay(day)
    assert shop_day.begins_at == begins_at.replace(tzinfo=UTC)
    assert len(shop_day.hours) == hours
    assert list(shop_day.local_hours) == shown
    assert shop_day.hours[-1] + timedelta(hours=1) == ShopDay(day + timedelta(days=1)).begins_at


def test_moments_follow_the_weights_of_the_local_hours() -> None:
    summer, only_nine = ShopDay(date(2012, 7, 1)), tuple(int(hour == 9) for hour in range(24))
    moments = [summer.moment(stream(n), only_nine) for n in range(20)]
    assert {moment.hour for moment in moments} == {8}  # 9 o'clock in London is 8 in UTC


def test_every_fact_that_decides_makes_another_world(catalog: Catalog) -> None:
    world = World(1, OPENING, catalog, ShopParameters())
    others = [
        replace(world, seed=2),
        replace(world, opened_on=date(2011, 12, 11)),
        replace(world, catalog=replace(catalog, products=catalog.products[1:])),
        replace(world, catalog=replace(catalog, customers=catalog.customers[1:])),
        replace(world, parameters=ShopParameters(sessions_per_day=401)),
    ]
    assert len({each.code for each in (world, *others)}) == 6
    assert len({each.digest("x") for each in (world, *others)}) == 6


def test_ids_and_streams_depend_on_every_mark(catalog: Catalog) -> None:
    world = World(1, OPENING, catalog, ShopParameters())
    marks = [("a",), ("a", 1), ("a", "1", ""), ("a1",), ("a", 11), ("a", 1, 1)]
    assert len({world.digest(*mark) for mark in marks}) == len(marks)
    assert len({world.stream(*map(str, mark)).random() for mark in marks}) == len(marks)
    assert world.stream("a", 1).random() == world.stream("a", 1).random()


def test_a_share_is_settled_by_chance_and_never_exceeds_the_whole() -> None:
    counts = [part_of(stream(n), rate=0.25, whole=10) for n in range(400)]
    assert set(counts) == {2, 3}
    assert 2.4 < sum(counts) / len(counts) < 2.6
    assert part_of(stream(1), rate=1.0, whole=3) == 3
    assert part_of(stream(1), rate=0.5, whole=0) == 0
