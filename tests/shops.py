"""Another shop than the default one, for the time of a test."""

from collections.abc import Iterator
from contextlib import contextmanager

from lakehouse.settings import Settings, variables
from lakehouse.shop import Shop, shop, shop_variables


@contextmanager
def working_for(another: Shop) -> Iterator[dict[str, str]]:
    """Let this process work for a shop; yields what `Settings` is given for it."""
    options = {
        "shop_currency": another.currency,
        "shop_time_zone": another.time_zone,
        "shop_locale": another.locale,
    }
    with variables(shop_variables(Settings.model_validate(options))):
        shop.cache_clear()
        try:
            yield options
        finally:
            shop.cache_clear()
