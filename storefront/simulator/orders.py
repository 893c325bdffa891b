"""Orders of the simulated shop and what is sent back of them.

In: a visit that ends in an order, the terms of the day. Out: `Order`, and perhaps a later `Refund`
of real lines of it. Prices are whole cents, so no amount is ever rounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from storefront.simulator.day_plan import DayPlan
from storefront.simulator.visits import Visit
from storefront.simulator.world import World

_TRIES = 20


@dataclass(frozen=True)
class OrderLine:
    """A line: pieces (negative in a refund) at a price in cents."""

    sku: str
    description: str
    quantity: int
    price: int


@dataclass(frozen=True)
class Order:
    """An order as the shop confirmed it."""

    order_id: str
    session_id: str
    customer_id: str | None
    country: str
    ordered_at: datetime
    lines: tuple[OrderLine, ...]


@dataclass(frozen=True)
class Refund:
    """Lines of an earlier order, sent back on a later day."""

    refund_id: str
    order: Order
    day: date
    lines: tuple[OrderLine, ...]


def basket(world: World, stream: Random, plan: DayPlan) -> tuple[OrderLine, ...]:
    """Lines of one order: different products that can be had that day."""
    parameters = world.parameters
    sizes = range(1, len(parameters.line_count_weights) + 1)
    wanted = stream.choices(sizes, parameters.line_count_weights)[0]
    positions: list[int] = []
    while len(positions) < wanted:
        position = pick(world, stream, plan, without=positions)
        if position is None:
            break
        positions.append(position)
    return tuple(
        OrderLine(
            world.catalog.products[position].sku,
            world.catalog.products[position].description,
            stream.choices(parameters.quantities, parameters.quantity_weights)[0],
            plan.terms[position].price,
        )
        for position in positions
    )


def pick(world: World, stream: Random, plan: DayPlan, *, without: Sequence[int] = ()) -> int | None:
    """Position of a product by popularity; None when nothing else can be had."""
    everything = range(len(plan.terms))
    for _ in range(_TRIES):
        position = stream.choices(everything, cum_weights=world.product_weights)[0]
        if plan.terms[position].is_active and position not in without:
            return position
    left = [each for each in everything if plan.terms[each].is_active and each not in without]
    return stream.choice(left) if left else None


def order_id_of(world: World, *, day: date, visit: Visit) -> str:
    """Unique among all worlds; the W keeps it apart from the ERP's invoice numbers."""
    return f"W{world.code}-{day:%y%m%d}-{visit.number:04d}"


def refund_of(world: World, order: Order, *, day: date) -> Refund | None:
    """What is sent back of an order that was placed on `day`, if anything."""
    parameters = world.parameters
    stream = world.stream("refund", order.order_id)
    if stream.random() >= parameters.refund_rate:
        return None
    due = day + timedelta(days=stream.randrange(1, parameters.memory_days + 1))
    lines = order.lines
    if stream.random() >= parameters.whole_refund_rate:
        count = stream.randrange(1, len(lines) + 1)
        chosen = sorted(stream.sample(range(len(lines)), count))
        lines = tuple(_part(lines[each], stream) for each in chosen)
    returned = tuple(
        OrderLine(line.sku, line.description, -line.quantity, line.price) for line in lines
    )
    return Refund(f"C{order.order_id}", order, due, returned)


def _part(line: OrderLine, stream: Random) -> OrderLine:
    quantity = stream.randrange(1, line.quantity + 1)
    return OrderLine(line.sku, line.description, quantity, line.price)
