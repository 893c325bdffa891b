"""The simulated web shop: day after day of visits, orders, refunds, profiles and prices.

In: a seed, a catalog, the days wanted. Out: `Message`s of four topics in order of time.
Run standalone:
`print(*simulate(seed=1, start_date=date(2011, 12, 10), days=1, catalog=...), sep="\\n")`.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from lakehouse.errors import LakeError
from storefront.messages import Message
from storefront.simulator.catalog import Catalog
from storefront.simulator.day_plan import DayPlan, plans
from storefront.simulator.events import product_fact, profile_fact, refund_fact, session_facts
from storefront.simulator.orders import Refund, refund_of
from storefront.simulator.parameters import ShopParameters
from storefront.simulator.sessions import Session, play
from storefront.simulator.world import World

OFFICE_HOURS = (*[0] * 9, *[1] * 8, *[0] * 7)
"""Refunds are booked from 9 to 17 o'clock."""

Timed = list[tuple[datetime, Message]]


def simulate(
    *,
    seed: int,
    start_date: date,
    days: int,
    catalog: Catalog,
    opened_on: date | None = None,
    parameters: ShopParameters | None = None,
) -> Iterator[Message]:
    """Messages of `days` days from `start_date` on, in order of time.

    The first day of the world, `opened_on`, announces every product; customers are announced on
    their first visit. To go on on a later day, name the same opening day: three days at once and
    the same days one by one are equal to the byte.

    Args:
        seed: Another seed is another world, with ids of its own.
        start_date: First day wanted, on the shop's calendar.
        days: How many days, at least 1.
        catalog: Products and customers.
        opened_on: First day of the world; default `start_date`.
        parameters: Shape of the shop.

    Raises:
        LakeError: Nothing to sell, no day wanted, or a start before the opening.
    """
    opened_on = opened_on or start_date
    if not catalog.products:
        raise LakeError(
            "The simulated shop has nothing to sell: the extract holds no sale of a product."
        )
    if days < 1:
        raise LakeError(f"The simulated shop needs at least one day, not {days}.")
    if start_date < opened_on:
        raise LakeError(f"The simulated shop opens on {opened_on}; {start_date} is before that.")
    world = World(seed, opened_on, catalog, parameters or ShopParameters())
    return _messages(world, start_date=start_date, days=days)


def _messages(world: World, *, start_date: date, days: int) -> Iterator[Message]:
    memory = timedelta(days=world.parameters.memory_days)
    end_date = start_date + timedelta(days=days)
    due: defaultdict[date, list[Refund]] = defaultdict(list)
    for plan in plans(world):
        day = plan.day.day
        if day >= end_date:
            return
        if day < start_date - memory:
            continue
        is_wanted = day >= start_date
        sessions = [play(world, plan, visit) for visit in plan.visits if is_wanted or visit.orders]
        if is_wanted:
            yield from _day(world, plan, sessions, due.pop(day, []))
        for session in sessions:
            refund = refund_of(world, session.order, day=day) if session.order else None
            if refund:
                due[refund.day].append(refund)


def _day(
    world: World, plan: DayPlan, sessions: list[Session], refunds: list[Refund]
) -> Iterator[Message]:
    day, begins_at = plan.day.day, plan.day.begins_at
    timed: Timed = []
    for position in plan.changed_products:
        product, terms = world.catalog.products[position], plan.terms[position]
        timed.append((begins_at, product_fact(world, product, terms, day=day, at=begins_at)))
    for at, profile in plan.changed_profiles:
        timed.append((at, profile_fact(world, profile, day=day, at=at)))
    for session in sessions:
        timed.extend(session_facts(world, session, day=day))
    for refund in refunds:
        at = plan.day.moment(world.stream("refund moment", refund.refund_id), OFFICE_HOURS)
        timed.append((at, refund_fact(world, refund, at=at)))
    timed.sort(key=lambda fact: fact[0])
    return (message for _, message in timed)
