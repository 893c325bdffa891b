"""The numbers that shape the simulated shop, in one place.

They are plausible, not measured: a wholesaler's web shop with few strangers and many trade
customers who come to buy. Another set of numbers is another world with other ids.
"""

from dataclasses import dataclass

GENERATION = 2
"""Raised when the simulation itself changes, so that two versions never share an event id.

A field that a newer contract adds is no such change: the shop's days go on with the same ids.
"""

DEVICE_WEIGHTS = (("desktop", 56), ("mobile", 33), ("tablet", 11))
"""What visitors hold, in percent; beside the parameters, for ids don't depend on it."""

PLANTED_ARMS = {"A": 1.0, "B": 1.0}
"""Arms and weights of the experiment whose effect the shop plays, as its registry declares it."""
WINNING_ARM = "B"


@dataclass(frozen=True)
class ShopParameters:
    """Shape of a simulated shop. Rates are 0..1; a weight counts against its neighbours only.

    Attributes:
        sessions_per_day: On an average day, before weekday, month and chance.
        weekday_percent: Sessions from Monday to Sunday, in percent of the average.
        month_percent: Sessions from January to December, in percent of the average.
        hour_weights: Session starts by local hour. None in the last hour, so that every session
            ends on the day it began.
        trade_rate: Sessions of customers whom the catalog knows, logged in.
        registered_rate: Sessions of customers who registered on an earlier simulated day.
        returning_rate: Sessions of strangers who were there in the last `memory_days`.
        trade_conversion_rate: Sessions of known or registered customers that end in an order.
        visitor_conversion_rate: Sessions of strangers that end in an order.
        registration_rate: Orders of strangers who open an account for it; the rest are guests.
        cart_rate: Sessions without an order that put something into the cart.
        checkout_rate: Of those, the ones that leave at the checkout.
        line_count_weights: Orders with 1, 2, 3 ... lines.
        quantities: Pieces of a line, with their weights in `quantity_weights`.
        refund_rate: Orders of which something is sent back within `memory_days`.
        whole_refund_rate: Of those, the ones sent back as a whole.
        price_change_rate: Products whose price changes on a day.
        price_steps_percent: New price in percent of the old one.
        discontinue_rate: Changes of a product that take it off the shelf instead.
        profile_change_rate: Customers whose profile changes on a day.
        consent_rate: Customers who agree to marketing.
        memory_days: How far back a visit or an order can still have a sequel.
        planted_salt: Salt of the experiment whose effect the shop plays.
        planted_rate: Sessions of visitors in its arm B that would end without an order and end in
            one all the same.
    """

    sessions_per_day: int = 400
    weekday_percent: tuple[int, ...] = (105, 110, 110, 115, 100, 70, 90)
    month_percent: tuple[int, ...] = (85, 85, 95, 90, 95, 95, 90, 90, 110, 120, 135, 110)
    hour_weights: tuple[int, ...] = (
        *(2, 1, 1, 1, 1, 2, 5, 12, 28, 48, 60, 62, 66, 60, 56, 52, 46, 38, 30, 28, 26, 20, 10),
        0,
    )
    trade_rate: float = 0.48
    registered_rate: float = 0.02
    returning_rate: float = 0.12
    trade_conversion_rate: float = 0.27
    visitor_conversion_rate: float = 0.03
    registration_rate: float = 0.6
    cart_rate: float = 0.22
    checkout_rate: float = 0.3
    line_count_weights: tuple[int, ...] = (
        *(14, 12, 11, 10, 9, 8, 7, 6, 5, 4),
        *(3, 3, 2, 2, 1, 1, 1, 1, 1, 1),
    )
    quantities: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 10, 12, 24, 48)
    quantity_weights: tuple[int, ...] = (26, 16, 9, 10, 13, 5, 5, 11, 4, 1)
    refund_rate: float = 0.06
    whole_refund_rate: float = 0.4
    price_change_rate: float = 0.004
    price_steps_percent: tuple[int, ...] = (80, 85, 90, 95, 105, 110, 115, 120)
    discontinue_rate: float = 0.04
    profile_change_rate: float = 0.006
    consent_rate: float = 0.62
    memory_days: int = 14
    planted_salt: str = "one_page_checkout_1"
    planted_rate: float = 0.06
