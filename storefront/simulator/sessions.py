"""One session of the simulated shop, click by click.

In: a visit of a day's plan. Out: `Session`: page views, product views, carts, checkout, purchase,
and the order when there is one. A session takes less than an hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from storefront.simulator.day_plan import DayPlan
from storefront.simulator.orders import Order, basket, order_id_of, pick
from storefront.simulator.visits import Visit
from storefront.simulator.world import World

_SECONDS_BETWEEN_CLICKS = (4, 56)
_LONGEST_STROLL = 7
_PAGE_RATE = 0.25

Step = tuple[str, str | None]
"""A value of WEB_EVENT_TYPES and the product it is about."""


@dataclass(frozen=True)
class Click:
    """A step of a session. `customer_id` is None until the visitor is known."""

    occurred_at: datetime
    event_type: str
    customer_id: str | None
    sku: str | None
    order_id: str | None


@dataclass(frozen=True)
class Session:
    """A session with its clicks in order of time.

    Attributes:
        known_from: Moment of login or registration, at which an account is announced.
    """

    visit: Visit
    session_id: str
    known_from: datetime
    clicks: tuple[Click, ...]
    order: Order | None


def play(world: World, plan: DayPlan, visit: Visit) -> Session:
    """The session that a visit becomes; depends on nothing but its arguments."""
    day = plan.day.day
    stream = world.stream("session", day, visit.number)
    session_id = world.digest("session", day, visit.number)
    lines = basket(world, stream, plan) if visit.orders else ()
    steps = [("page_view", None), *_stroll(world, stream, plan)]
    if lines:
        steps += [(step, line.sku) for line in lines for step in ("product_view", "add_to_cart")]
        steps += [("checkout", None), ("purchase", None)]
    else:
        steps += _abandoned(world, stream, steps)
    moments = [visit.begins_at]
    for _ in steps[1:]:
        pause = timedelta(seconds=stream.randrange(*_SECONDS_BETWEEN_CLICKS))
        moments.append(moments[-1] + pause)
    known_from = moments[-2] if visit.is_registration and lines else visit.begins_at
    order = None
    if lines:
        order = Order(
            order_id_of(world, day=day, visit=visit),
            session_id=session_id,
            customer_id=visit.customer_id,
            country=visit.country,
            ordered_at=moments[-1],
            lines=lines,
        )
    clicks = tuple(
        Click(
            moment,
            event_type,
            customer_id=visit.customer_id if moment >= known_from else None,
            sku=sku,
            order_id=order.order_id if order and event_type == "purchase" else None,
        )
        for moment, (event_type, sku) in zip(moments, steps, strict=True)
    )
    return Session(visit, session_id, known_from, clicks, order)


def _stroll(world: World, stream: Random, plan: DayPlan) -> list[Step]:
    """Pages and products that somebody looks at."""
    steps: list[Step] = []
    for _ in range(stream.randrange(_LONGEST_STROLL + 1)):
        position = None if stream.random() < _PAGE_RATE else pick(world, stream, plan)
        if position is None:
            steps.append(("page_view", None))
        else:
            steps.append(("product_view", world.catalog.products[position].sku))
    return steps


def _abandoned(world: World, stream: Random, steps: list[Step]) -> list[Step]:
    """What a visitor without an order leaves behind: perhaps a cart, perhaps at the checkout."""
    seen = [sku for event_type, sku in steps if event_type == "product_view"]
    if not seen or stream.random() >= world.parameters.cart_rate:
        return []
    cart: list[Step] = [("add_to_cart", stream.choice(seen))]
    if stream.random() < world.parameters.checkout_rate:
        cart.append(("checkout", None))
    return cart
