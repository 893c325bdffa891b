"""Who comes to the simulated shop on a day, when, and whether to buy.

In: a day. Out: its `Visit`s in order of time. Strangers come back within some days under the same
visitor id; an account opened on one day is used on later ones.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from random import Random

from experiments.assignment import arm_of
from storefront.simulator.catalog import KnownCustomer
from storefront.simulator.parameters import DEVICE_WEIGHTS, PLANTED_ARMS, WINNING_ARM
from storefront.simulator.people import Profile
from storefront.simulator.world import ShopDay, World

FALLBACK_COUNTRY = "United Kingdom"

Announced = Callable[[str, str], Profile | None]
"""Customer id and country -> the profile to announce, None when it is known already."""


@dataclass(frozen=True)
class Visit:
    """One session to be.

    Attributes:
        number: Ordinal within the day, in order of time.
        customer_id: Who is logged in; for a new account from its registration on.
        account: Profile to announce: at login for a first visit, at the checkout for a new account.
        is_registration: The visitor opens an account at the checkout.
        orders: The session ends in an order.
    """

    number: int
    begins_at: datetime
    visitor_id: str
    customer_id: str | None
    country: str
    account: Profile | None
    is_registration: bool
    orders: bool


class Arrivals:
    """Plans the visits of day after day; remembers accounts and the strangers of late."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._accounts: list[KnownCustomer] = []
        self._strangers: deque[list[str]] = deque(maxlen=world.parameters.memory_days)

    def visits(self, day: ShopDay, *, announced: Announced) -> tuple[Visit, ...]:
        """Visits of the day that follows the day asked for before."""
        parameters = self._world.parameters
        stream = self._world.stream("visits", day.day)
        percent = (
            parameters.weekday_percent[day.day.weekday()]
            * parameters.month_percent[day.day.month - 1]
            * stream.randrange(90, 111)
        )
        count = parameters.sessions_per_day * percent // 100**3
        moments = sorted(day.moment(stream, parameters.hour_weights) for _ in range(count))
        accounts = tuple(self._accounts)
        earlier = [visitor_id for visitors in self._strangers for visitor_id in visitors]
        self._strangers.append([])
        visits = []
        for number, begins_at in enumerate(moments, 1):
            slot = _Slot(day.day, number, begins_at)
            customer = self._recognised(stream, accounts)
            if customer:
                visits.append(self._customer(stream, slot, customer, announced))
            else:
                visits.append(self._stranger(stream, slot, earlier, announced))
        return tuple(visits)

    def _recognised(
        self, stream: Random, accounts: tuple[KnownCustomer, ...]
    ) -> KnownCustomer | None:
        parameters, chance = self._world.parameters, stream.random()
        if chance < parameters.trade_rate:
            return self._someone(stream)
        if accounts and chance < parameters.trade_rate + parameters.registered_rate:
            return stream.choice(accounts)
        return None

    def _someone(self, stream: Random) -> KnownCustomer | None:
        customers = self._world.catalog.customers
        if not customers:
            return None
        return stream.choices(customers, cum_weights=self._world.customer_weights)[0]

    def _customer(
        self, stream: Random, slot: "_Slot", customer: KnownCustomer, announced: Announced
    ) -> Visit:
        visitor_id = self._world.digest("visitor", customer.customer_id)
        orders = stream.random() < self._world.parameters.trade_conversion_rate
        return Visit(
            slot.number,
            slot.begins_at,
            visitor_id=visitor_id,
            customer_id=customer.customer_id,
            country=customer.country,
            account=announced(customer.customer_id, customer.country),
            is_registration=False,
            orders=orders or self._is_won(visitor_id, slot),
        )

    def _stranger(
        self, stream: Random, slot: "_Slot", earlier: list[str], announced: Announced
    ) -> Visit:
        parameters = self._world.parameters
        someone = self._someone(stream)
        country = someone.country if someone else FALLBACK_COUNTRY
        visitor_id = self._world.digest("visitor", slot.day, slot.number)
        if earlier and stream.random() < parameters.returning_rate:
            visitor_id = stream.choice(earlier)
        self._strangers[-1].append(visitor_id)
        orders = stream.random() < parameters.visitor_conversion_rate
        customer_id = account = None
        if orders and stream.random() < parameters.registration_rate:
            customer_id = f"N{self._world.code}-{slot.day:%y%m%d}-{slot.number:04d}"
            account = announced(customer_id, country)
            self._accounts.append(KnownCustomer(customer_id, country, 1))
        return Visit(
            slot.number,
            slot.begins_at,
            visitor_id=visitor_id,
            customer_id=customer_id,
            country=country,
            account=account,
            is_registration=customer_id is not None,
            orders=orders or self._is_won(visitor_id, slot),
        )

    def _is_won(self, visitor_id: str, slot: "_Slot") -> bool:
        """Whether the planted experiment wins an order of this session, in its arm B.

        It draws from a stream of its own: without it, everything else would be the same.
        """
        parameters = self._world.parameters
        if arm_of(visitor_id, salt=parameters.planted_salt, weights=PLANTED_ARMS) != WINNING_ARM:
            return False
        chance = self._world.stream("planted", slot.day, slot.number).random()
        return chance < parameters.planted_rate


def device_of(world: World, visitor_id: str) -> str:
    """What a visitor holds, the same on every visit."""
    mark = int(world.digest("device", visitor_id), 16) % sum(each for _, each in DEVICE_WEIGHTS)
    reached = accumulate(weight for _, weight in DEVICE_WEIGHTS)
    names = (name for name, _ in DEVICE_WEIGHTS)
    return next(name for name, end in zip(names, reached, strict=True) if mark < end)


@dataclass(frozen=True)
class _Slot:
    """Place of a visit in its day."""

    day: date
    number: int
    begins_at: datetime
