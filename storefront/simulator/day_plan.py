"""What outlives a day in the simulated shop: prices and profiles.

In: a world. Out: one `DayPlan` per day, in order. A plan costs a millisecond, so any later day is
reached by planning the days before it again: nothing needs to be stored between two runs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from storefront.simulator.people import Profile, changed_profile, new_profile
from storefront.simulator.visits import Arrivals, Visit
from storefront.simulator.world import ShopDay, World, part_of


@dataclass(frozen=True)
class Terms:
    """Price in cents of a product, and whether it can be had."""

    price: int
    is_active: bool = True


@dataclass(frozen=True)
class DayPlan:
    """All that is settled before the first session of a day.

    Attributes:
        terms: Of every product, in the order of the catalog, from local midnight on.
        changed_products: Positions in the catalog of the products to announce.
        changed_profiles: Moments and profiles, in order of time.
    """

    day: ShopDay
    terms: tuple[Terms, ...]
    changed_products: tuple[int, ...]
    changed_profiles: tuple[tuple[datetime, Profile], ...]
    visits: tuple[Visit, ...]


def plans(world: World) -> Iterator[DayPlan]:
    """Plans of all days from the opening on, without end."""
    standing = _Standing(world)
    day = world.opened_on
    while True:
        yield standing.plan(ShopDay(day))
        day += timedelta(days=1)


class _Standing:
    def __init__(self, world: World) -> None:
        self._world = world
        self._terms = [Terms(product.price) for product in world.catalog.products]
        self._profiles: dict[str, Profile] = {}
        self._arrivals = Arrivals(world)

    def plan(self, day: ShopDay) -> DayPlan:
        changed_products = self._change_products(day.day)
        changed_profiles = self._change_profiles(day)
        visits = self._arrivals.visits(day, announced=self._announced)
        return DayPlan(day, tuple(self._terms), changed_products, changed_profiles, visits)

    def _change_products(self, day: date) -> tuple[int, ...]:
        everything = range(len(self._terms))
        if day == self._world.opened_on:
            return tuple(everything)
        parameters = self._world.parameters
        stream = self._world.stream("products", day)
        count = part_of(stream, rate=parameters.price_change_rate, whole=len(everything))
        changed = []
        for position in sorted(stream.sample(everything, count)):
            old = self._terms[position]
            percent = stream.choice(parameters.price_steps_percent)
            new = replace(old, price=max(1, (old.price * percent + 50) // 100))
            if stream.random() < parameters.discontinue_rate and self._can_lose_a_product():
                new = replace(old, is_active=False)
            if old.is_active and new != old:
                self._terms[position] = new
                changed.append(position)
        return tuple(changed)

    def _can_lose_a_product(self) -> bool:
        return 2 * sum(terms.is_active for terms in self._terms) > len(self._terms)

    def _change_profiles(self, day: ShopDay) -> tuple[tuple[datetime, Profile], ...]:
        parameters = self._world.parameters
        stream = self._world.stream("profiles", day.day)
        known = list(self._profiles)
        count = part_of(stream, rate=parameters.profile_change_rate, whole=len(known))
        changed = []
        for customer_id in stream.sample(known, count):
            profile = changed_profile(self._world, self._profiles[customer_id], day=day.day)
            self._profiles[customer_id] = profile
            changed.append((day.moment(stream, parameters.hour_weights), profile))
        return tuple(sorted(changed, key=lambda change: (change[0], change[1].customer_id)))

    def _announced(self, customer_id: str, country: str) -> Profile | None:
        """The profile of a customer on the first visit; None on every later one."""
        if customer_id in self._profiles:
            return None
        profile = new_profile(self._world, customer_id=customer_id, country=country)
        self._profiles[customer_id] = profile
        return profile
