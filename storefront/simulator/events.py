"""Facts of the simulated shop as messages: one function per fact, all fields of its contract.

In: a fact and its moment. Out: `Message`. Event ids follow from the world and the fact, so the same
day simulated again gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from experiments.shop_arms import arms_of
from lakehouse.contracts.topics import (
    CATALOG_PRODUCTS,
    CRM_CUSTOMERS,
    WEB_EVENTS,
    WEB_ORDERS,
    Topic,
)
from lakehouse.shop import shop
from storefront.messages import Message, encode, rfc3339
from storefront.simulator.catalog import Product, category_of
from storefront.simulator.day_plan import Terms
from storefront.simulator.orders import Order, OrderLine, Refund
from storefront.simulator.people import Profile
from storefront.simulator.sessions import Click, Session
from storefront.simulator.visits import device_of
from storefront.simulator.world import World

_WITHOUT_MARKS = str.maketrans("", "", "-T:")


def product_fact(
    world: World, product: Product, terms: Terms, *, day: date, at: datetime
) -> Message:
    """A product as it is from this moment on."""
    fields = {
        "sku": product.sku,
        "description": product.description,
        "category": category_of(product.description),
        "unit_price": money_text(terms.price),
        "status": "active" if terms.is_active else "discontinued",
    }
    mark = world.digest("product", day, product.sku)
    return _message(CATALOG_PRODUCTS, mark=mark, at=at, fields=fields)


def profile_fact(world: World, profile: Profile, *, day: date, at: datetime) -> Message:
    """A customer's profile as it is from this moment on."""
    fields = {
        "customer_id": profile.customer_id,
        "name": profile.name,
        "email": profile.email,
        "address": profile.address,
        "country": profile.country,
        "marketing_consent": "yes" if profile.has_consent else "no",
    }
    mark = world.digest("profile", day, profile.customer_id)
    return _message(CRM_CUSTOMERS, mark=mark, at=at, fields=fields)


def session_facts(world: World, session: Session, *, day: date) -> list[tuple[datetime, Message]]:
    """A session in order of time: an account that it brings, exposures, its clicks, its order.

    The first page tells of each experiment that runs on the day which arm's page it is.
    """
    facts = []
    visit, order = session.visit, session.order
    device = device_of(world, visit.visitor_id)
    if visit.account:
        message = profile_fact(world, visit.account, day=day, at=session.known_from)
        facts.append((session.known_from, message))
    shown = replace(session.clicks[0], event_type="exposure", sku=None, order_id=None)
    for name, arm in arms_of(visit.visitor_id, day=day).items():
        fields = _click_fields(session, shown, device) | {"experiment": name, "arm": arm}
        mark = world.digest("exposure", session.session_id, name)
        at = shown.occurred_at
        facts.append((at, _message(WEB_EVENTS, mark=mark, at=at, fields=fields)))
    for number, click in enumerate(session.clicks, 1):
        fields = _click_fields(session, click, device)
        mark = world.digest("click", session.session_id, number)
        at = click.occurred_at
        facts.append((at, _message(WEB_EVENTS, mark=mark, at=at, fields=fields)))
    if order:
        facts.append((order.ordered_at, _order_fact(world, order)))
    return facts


def refund_fact(world: World, refund: Refund, *, at: datetime) -> Message:
    """A credit note for lines of an earlier order; quantities are negative."""
    order = refund.order
    return _trade(
        world,
        order_id=refund.refund_id,
        kind="cancellation",
        order=order,
        session_id=None,
        lines=refund.lines,
        at=at,
    )


def money_text(cents: int) -> str:
    """Hundredths of the currency's unit as money with two decimals, exactly."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _click_fields(session: Session, click: Click, device: str) -> dict[str, object]:
    return {
        "session_id": session.session_id,
        "visitor_id": session.visit.visitor_id,
        "customer_id": click.customer_id,
        "event_type": click.event_type,
        "sku": click.sku,
        "order_id": click.order_id,
        "device_type": device,
        "experiment": None,
        "arm": None,
    }


def _order_fact(world: World, order: Order) -> Message:
    return _trade(
        world,
        order_id=order.order_id,
        kind="sale",
        order=order,
        session_id=order.session_id,
        lines=order.lines,
        at=order.ordered_at,
    )


def _trade(
    world: World,
    *,
    order_id: str,
    kind: str,
    order: Order,
    session_id: str | None,
    lines: tuple[OrderLine, ...],
    at: datetime,
) -> Message:
    fields = {
        "order_id": order_id,
        "order_kind": kind,
        "customer_id": order.customer_id,
        "session_id": session_id,
        "country": order.country,
        "currency": shop().currency,
        "lines": [
            {
                "sku": line.sku,
                "description": line.description,
                "quantity": line.quantity,
                "unit_price": money_text(line.price),
            }
            for line in lines
        ],
    }
    amount = Decimal(sum(line.quantity * line.price for line in lines)).scaleb(-2)
    mark = world.digest("trade", order_id)
    return _message(WEB_ORDERS, mark=mark, at=at, fields=fields, amount=amount)


def _message(
    topic: Topic,
    *,
    mark: str,
    at: datetime,
    fields: Mapping[str, object],
    amount: Decimal | None = None,
) -> Message:
    """A message; its id begins with the time, so that a look-up passes over files of other days."""
    occurred_at = rfc3339(at)
    event_id = f"{occurred_at[:19].translate(_WITHOUT_MARKS)}-{mark}"
    envelope = {
        "event_id": event_id,
        "schema_version": topic.schema_version,
        "occurred_at": occurred_at,
    }
    value = encode({**envelope, **fields})
    return Message(topic.name, str(fields[topic.key]), event_id, value, amount)
