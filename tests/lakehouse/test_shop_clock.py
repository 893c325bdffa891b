"""The shop's clock: the real one, moved by whole days where the shop is simulated."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lakehouse.errors import LakeError
from lakehouse.shop_clock import FILE, ShopClock, set_clock, shop_clock
from tests.lake_state import NewSettings

NOON = datetime(2026, 7, 1, 12, 0, 1, tzinfo=UTC)


def test_a_real_shop_has_the_real_time(new_settings: NewSettings) -> None:
    assert shop_clock(new_settings()) == ShopClock(0)
    assert ShopClock().of(NOON) == NOON


def test_a_simulated_shop_has_the_same_time_of_day_on_its_own_calendar() -> None:
    clock = ShopClock(5_000)
    assert clock.of(NOON) == NOON - timedelta(days=5_000)
    assert clock.real(clock.of(NOON)) == NOON


def test_the_clock_is_set_once(new_settings: NewSettings) -> None:
    settings = new_settings()
    clock = set_clock(date(2011, 12, 13), settings=settings)
    assert clock.now().date() == date(2011, 12, 13)
    assert set_clock(date(2000, 1, 1), settings=settings) == clock == shop_clock(settings)


def test_a_damaged_clock_is_named_with_what_it_holds(new_settings: NewSettings) -> None:
    settings = new_settings()
    set_clock(date(2011, 12, 13), settings=settings)
    (settings.live_dir / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(LakeError, match=r"clock\.json can't be read .* write it again"):
        shop_clock(settings)
