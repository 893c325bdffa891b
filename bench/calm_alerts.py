"""How often alert rules fire on a calm simulated shop, in which nothing is wrong.

In: numbers of seeds and days. Out: alarms of each daily rule in 30 days, over all seeds. The days
are those of the web shop alone: its orders, their amounts, its customers.

Run standalone: `.venv/bin/python bench/calm_alerts.py --seeds 3 --days 120`.
"""

import argparse
import platform
import time
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import islice

from reports.alerts.history import History
from reports.alerts.replay import replay
from reports.alerts.rules import read_rules
from storefront.simulator.catalog import Catalog, KnownCustomer, Product
from storefront.simulator.day_plan import plans
from storefront.simulator.parameters import ShopParameters
from storefront.simulator.sessions import play
from storefront.simulator.world import World

OPENED_ON = date(2012, 1, 2)
CATALOG = Catalog(
    tuple(Product(f"S{n}", f"THING {n}", price=40 + 7 * n, sold=1 + n) for n in range(60)),
    tuple(KnownCustomer(f"{10_000 + n}", "United Kingdom", 1 + n % 40) for n in range(1_000)),
    date(2012, 1, 1),
)


def main() -> None:
    """Print the figures, with machine and date."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--days", type=int, default=120)
    options = parser.parse_args()
    began = time.process_time()
    fired: Counter[str] = Counter()
    book = read_rules()
    for seed in range(options.seeds):
        for each in replay(_history(seed, options.days), book):
            fired[each.rule] += len(each.fired)
    for name, rule in book.rules.items():
        if rule.is_daily:
            print(f"{name:<20} {30 * fired[name] / (options.seeds * options.days):.2f} in 30 days")
    print(
        f"{options.seeds} shops of {options.days} days, {time.process_time() - began:.1f} CPU "
        f"seconds, {platform.machine()}, Python {platform.python_version()}"
    )


def _history(seed: int, days: int) -> History:
    world = World(seed, OPENED_ON, CATALOG, ShopParameters())
    values: dict[str, dict[date, Decimal]] = {
        kpi: {} for kpi in ("order_count", "gross_revenue", "active_customers")
    }
    for plan in islice(plans(world), days):
        sessions = [play(world, plan, visit) for visit in plan.visits if visit.orders]
        orders = [each.order for each in sessions if each.order is not None]
        pence = sum(line.quantity * line.price for order in orders for line in order.lines)
        day = plan.day.day
        values["order_count"][day] = Decimal(len(orders))
        values["gross_revenue"][day] = Decimal(pence).scaleb(-2)
        values["active_customers"][day] = Decimal(
            len({order.customer_id for order in orders} - {None})
        )
    return History(values, {"web": frozenset(values["order_count"])})


if __name__ == "__main__":
    main()
