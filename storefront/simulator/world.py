"""One simulated world: its identity, its random streams, its clock.

In: seed, opening day, catalog, parameters. Out: ids that no other world shares, and one random
stream per purpose and day. So a day can be simulated alone, and two worlds may share a lake.
"""

import hashlib
import random
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate

import msgspec

from lakehouse.shop import shop
from storefront.simulator.catalog import Catalog
from storefront.simulator.parameters import GENERATION, ShopParameters

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class World:
    """Everything that decides what happens. `opened_on` is the first day of its clock."""

    seed: int
    opened_on: date
    catalog: Catalog
    parameters: ShopParameters

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides; the same fingerprint means the same messages."""
        facts = (
            GENERATION,
            self.seed,
            self.opened_on.isoformat(),
            [astuple(product) for product in self.catalog.products],
            [astuple(customer) for customer in self.catalog.customers],
            astuple(self.parameters),
        )
        return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()

    @cached_property
    def code(self) -> str:
        """Short name of the world inside readable ids."""
        return self.fingerprint[:6].upper()

    def stream(self, purpose: str, *marks: object) -> random.Random:
        """A random stream of its own, the same for the same purpose and marks."""
        return random.Random(int(self.digest("stream", purpose, *marks), 16))  # noqa: S311

    def digest(self, *marks: object) -> str:
        """32 hexadecimal digits that stand for these marks in this world."""
        text = msgspec.json.encode((self.fingerprint, *(str(mark) for mark in marks)))
        return hashlib.sha256(text).hexdigest()[:32]

    @cached_property
    def product_weights(self) -> list[int]:
        return list(accumulate(product.sold for product in self.catalog.products))

    @cached_property
    def customer_weights(self) -> list[int]:
        return list(accumulate(customer.orders for customer in self.catalog.customers))


@dataclass(frozen=True)
class ShopDay:
    """A day on the shop's wall calendar: 23, 24 or 25 real hours."""

    day: date

    @cached_property
    def begins_at(self) -> datetime:
        """Local midnight as a moment in UTC."""
        return datetime.combine(self.day, time(), shop().zone).astimezone(UTC)

    @cached_property
    def hours(self) -> tuple[datetime, ...]:
        """Starts of the day's real hours in UTC; an hour that clocks skip is not among them."""
        ends_at = ShopDay(self.day + timedelta(days=1)).begins_at
        return tuple(
            self.begins_at + number * _HOUR
            for number in range(int((ends_at - self.begins_at) / _HOUR))
        )

    @cached_property
    def local_hours(self) -> tuple[int, ...]:
        """What the shop's clock shows at each of `hours`."""
        return tuple(hour.astimezone(shop().zone).hour for hour in self.hours)

    def moment(self, stream: random.Random, hour_weights: tuple[int, ...]) -> datetime:
        """A second of the day, by the weights of the 24 local hours."""
        weights = [hour_weights[hour] for hour in self.local_hours]
        start = stream.choices(self.hours, weights)[0]
        return start + timedelta(seconds=stream.randrange(3600))


def part_of(stream: random.Random, *, rate: float, whole: int) -> int:
    """How many of `whole` are hit at this rate; the fraction is settled by chance."""
    return min(whole, int(rate * whole + stream.random()))
