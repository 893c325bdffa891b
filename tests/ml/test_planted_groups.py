"""Groups of customers planted in simulated shops are found by their behaviour alone.

The live shop's customers differ by how often the extract saw them, so it has no groups to find.
Here they are planted by that number, and by who comes no more in the second half.
"""

from datetime import date, timedelta
from itertools import islice

import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from ml.segments import choose, fit, groups, rfm
from storefront.simulator import Catalog, ShopParameters
from storefront.simulator.catalog import KnownCustomer, Product
from storefront.simulator.day_plan import plans
from storefront.simulator.sessions import play
from storefront.simulator.world import World

OPENED_ON = date(2012, 1, 2)
HALF = 70
PRODUCTS = tuple(Product(f"S{n}", f"THING {n}", price=40 + 7 * n, sold=1 + n) for n in range(60))
PLANTED = {"regular": (20, 60), "steady": (40, 6), "lost": (40, 2)}
"""Customers of each group, and the weight by which one comes: their `orders` in the catalog."""


def orders(seed: int, first: date, sessions: int, *names: str) -> list[tuple[object, ...]]:
    """Orders of half the time of a shop that these groups visit."""
    known = [
        KnownCustomer(f"{name} {n}", "United Kingdom", PLANTED[name][1])
        for name in names
        for n in range(PLANTED[name][0])
    ]
    world = World(
        seed,
        first,
        Catalog(PRODUCTS, tuple(known), first),
        ShopParameters(sessions_per_day=sessions, trade_rate=1.0, trade_conversion_rate=0.9),
    )
    found = []
    for plan in islice(plans(world), HALF):
        for visit in plan.visits:
            order = play(world, plan, visit).order if visit.orders else None
            if order is not None:
                cents = sum(line.quantity * line.price for line in order.lines)
                found.append((order.customer_id, plan.day.day, cents / 100, order.order_id))
    return found


def shop(seed: int) -> pd.DataFrame:
    rows = orders(seed, OPENED_ON, 40, "regular", "steady", "lost")
    rows += orders(seed, OPENED_ON + timedelta(days=HALF), 27, "regular", "steady")
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount", "order_id"])
    return frame.astype({"day": "datetime64[us]"})


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 6))]
)
@pytest.mark.usefixtures("few_repetitions")
def test_groups_planted_in_the_simulated_shop_are_found(seed: int) -> None:
    frame = rfm(shop(seed), OPENED_ON + timedelta(days=2 * HALF))
    planted = frame.index.str.partition(" ").get_level_values(0)
    assert set(planted) == set(PLANTED)
    assert choose(frame) == len(PLANTED)
    assert adjusted_rand_score(planted, groups(fit(frame, len(PLANTED)), frame)) >= 0.9
