"""The shop that this process works for: its currency, its time zone, how it writes figures.

In: the settings `LAKE_SHOP_*`. Out: one `Shop`, read once; a state folder is made for one shop and
serves no other (`lakehouse.state`). Spark's workers are given the same settings.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from zoneinfo import ZoneInfo

from lakehouse.settings import Settings


@dataclass(frozen=True)
class Shop:
    """A shop: `currency` is an ISO 4217 code, `time_zone` an IANA name, `locale` one of Babel's."""

    currency: str
    time_zone: str
    locale: str

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def __str__(self) -> str:
        return f"{self.currency}, {self.time_zone}, {self.locale}"


def shop_of(settings: Settings) -> Shop:
    """The shop that settings describe."""
    return Shop(settings.shop_currency, settings.shop_time_zone, settings.shop_locale)


@cache
def shop() -> Shop:
    """The shop of this process."""
    return shop_of(Settings())


def shop_variables(settings: Settings) -> dict[str, str]:
    """The environment that makes another process work for the same shop."""
    return {
        "LAKE_SHOP_CURRENCY": settings.shop_currency,
        "LAKE_SHOP_TIME_ZONE": settings.shop_time_zone,
        "LAKE_SHOP_LOCALE": settings.shop_locale,
    }
