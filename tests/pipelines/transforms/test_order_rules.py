"""Rules that records of all sources share."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from pipelines.transforms.order_rules import (
    content_hash,
    line_class,
    shop_day,
    shop_moment,
    sku_of,
    text_of,
)


@pytest.mark.parametrize(
    ("is_adjustment", "is_cancellation", "quantity", "price", "kind"),
    [
        (True, True, -1, 0, "adjustment"),
        (False, True, -1, 0, "cancellation"),
        (False, True, 1, 5, "cancellation"),
        (False, False, -1, 0, "stock_movement"),
        (False, False, 1, 0, "zero_price"),
        (False, False, 0, 5, "sale"),
        (False, False, 1, -5, "sale"),
        (False, False, 1, 5, "sale"),
    ],
)
def test_the_first_rule_that_fits_gives_the_class(
    is_adjustment: bool, is_cancellation: bool, quantity: int, price: int, kind: str
) -> None:
    found = line_class(
        quantity,
        unit_price=Decimal(price),
        is_adjustment=is_adjustment,
        is_cancellation=is_cancellation,
    )
    assert found == kind


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2011, 6, 30, 22, 59, 59, tzinfo=UTC), date(2011, 6, 30)),
        (datetime(2011, 6, 30, 23, 0, tzinfo=UTC), date(2011, 7, 1)),
        (datetime(2011, 12, 31, 23, 59, 59, tzinfo=UTC), date(2011, 12, 31)),
        (datetime(2011, 3, 27, 0, 30, tzinfo=UTC), date(2011, 3, 27)),
        (datetime(2011, 10, 29, 23, 30, tzinfo=UTC), date(2011, 10, 30)),
        (datetime(2011, 10, 30, 23, 30, tzinfo=UTC), date(2011, 10, 30)),
    ],
)
def test_a_day_is_that_of_the_shops_wall_calendar(at: datetime, day: date) -> None:
    assert shop_day(at) == day


@pytest.mark.parametrize(
    ("wall_clock", "hour"),
    [
        (datetime(2011, 1, 4, 10, 0), 10),
        (datetime(2011, 6, 30, 10, 0), 9),
        (datetime(2011, 3, 27, 1, 30), 1),  # the clocks skip this hour: 2:30 is meant
        (datetime(2011, 10, 30, 1, 30), 0),  # the clocks show it twice: the first is meant
        (datetime(2011, 10, 30, 2, 0), 2),
    ],
)
def test_the_shops_wall_clock_is_a_moment(wall_clock: datetime, hour: int) -> None:
    found = shop_moment(wall_clock)
    assert found == datetime(*wall_clock.timetuple()[:3], hour, wall_clock.minute, tzinfo=UTC)


def test_texts_lose_outer_blanks_and_empty_ones_are_none() -> None:
    texts = (" a b ", "   ", "", None)
    assert [text_of(text) for text in texts] == ["a b", None, None, None]
    assert [sku_of(text) for text in texts] == ["A B", None, None, None]


def test_a_content_is_its_named_fields_in_any_order_without_those_that_are_none() -> None:
    one = content_hash({"a": "1", "b": None, "c": Decimal("2.5000")})
    assert one == content_hash({"a": "1", "c": Decimal("2.5000")})
    assert one != content_hash({"b": "1", "c": Decimal("2.5000")})
    assert content_hash({"a": ""}) != content_hash({"a": None})
