"""Does the analysis find what the simulated shop plays? Many worlds, one planted effect, one A/A.

In: numbers of seeds and days. Out: how often the 95 % interval holds the true difference, how often
the A/A test alarms, and what CUPED takes out. The truth is counted, not assumed: worlds are
played twice more, with every visitor in arm A and with every visitor in arm B.

Run standalone: `.venv/bin/python bench/planted_experiment.py --seeds 200 --days 10`.
"""

import argparse
import platform
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import islice
from statistics import mean
from unittest import mock

import numpy as np

from experiments.assignment import arm_of
from experiments.comparing import compare_means, compare_shares, without_covariate
from experiments.registry import OWN_REGISTRY, read_registry
from storefront.simulator import visits
from storefront.simulator.catalog import Catalog, KnownCustomer, Product
from storefront.simulator.day_plan import DayPlan, plans
from storefront.simulator.parameters import ShopParameters
from storefront.simulator.world import World

OPENED_ON = date(2011, 12, 10)
COUNTED = 20
"""Worlds that are played twice more for the truth; its error is far below an interval's width."""
CATALOG = Catalog(
    tuple(Product(f"S{n}", f"THING {n}", price=100 + n, sold=1) for n in range(5)),
    tuple(KnownCustomer(f"{10_000 + n}", "United Kingdom", 1 + n % 40) for n in range(1_000)),
    date(2011, 12, 9),
)


def main() -> None:
    """Print the figures, with machine and date."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--days", type=int, default=10)
    options = parser.parse_args()
    began = time.process_time()
    declared = read_registry(OWN_REGISTRY)
    planted, same = declared["one_page_checkout"], declared["same_page_twice"]
    inside, alarms, found_it, truths, lifts, gone = 0, 0, 0, [], [], []
    seeds = range(options.first, options.first + options.seeds)
    worlds = [_orders(seed, options.days) for seed in seeds]
    for seed in seeds[:COUNTED]:
        without, everyone = (
            _orders(seed, options.days, all_in="A"),
            _orders(seed, options.days, all_in="B"),
        )
        truths.append(_share(everyone) - _share(without))
    truth = mean(truths)
    for world in worlds:
        figures = compare_shares(*_arms(world, planted.salt))
        if figures.ci_low is None or figures.ci_high is None or figures.p_value is None:
            continue
        inside += figures.ci_low <= truth <= figures.ci_high
        found_it += figures.p_value < 0.05
        lifts.append(figures.difference)
        aa = compare_shares(*_arms(world, same.salt))
        alarms += aa.p_value is not None and aa.p_value < 0.05
        gone.append(_cuped(world, same.salt))
    number = options.seeds
    seconds = time.process_time() - began
    print(
        f"{number} worlds of {options.days} days, {mean(map(len, worlds)):,.0f} visitors each\n"
        f"true difference of the share that orders   {truth:.4f}\n"
        f"found on average                           {mean(lifts):.4f}\n"
        f"95 % interval holds the truth              {inside / number:.1%}\n"
        f"found at 5 %                               {found_it / number:.1%}\n"
        f"A/A test alarms at 5 %                     {alarms / number:.1%}\n"
        f"CUPED by the orders of the first half      {mean(each[0] for each in gone):.1%} less "
        f"variance, intervals {mean(each[1] for each in gone):.1%} narrower\n"
        f"{seconds:.1f} CPU seconds, {platform.machine()}, Python {platform.python_version()}"
    )


def _plans(seed: int, days: int, all_in: str | None) -> Iterator[DayPlan]:
    world = World(seed, OPENED_ON, CATALOG, ShopParameters())
    if all_in is None:
        yield from islice(plans(world), days)
        return
    with mock.patch.object(visits, "arm_of", return_value=all_in):
        yield from islice(plans(world), days)


def _orders(seed: int, days: int, all_in: str | None = None) -> dict[str, tuple[int, int]]:
    """Orders of each visitor in the first and in the second half of the days."""
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for number, plan in enumerate(_plans(seed, days, all_in)):
        for visit in plan.visits:
            found[visit.visitor_id][number >= days // 2] += visit.orders
    return {visitor: (before, after) for visitor, (before, after) in found.items()}


def _share(world: dict[str, tuple[int, int]]) -> float:
    return mean(float(sum(each) > 0) for each in world.values())


def _arms(world: dict[str, tuple[int, int]], salt: str) -> tuple[np.ndarray, np.ndarray]:
    """Whether each visitor ordered: those of arm B, then those of arm A."""
    arms: dict[str, list[float]] = {"A": [], "B": []}
    for visitor, orders in world.items():
        arm = arm_of(visitor, salt=salt, weights={"A": 1, "B": 1})
        arms[arm].append(float(sum(orders) > 0))
    return np.array(arms["B"]), np.array(arms["A"])


def _cuped(world: dict[str, tuple[int, int]], salt: str) -> tuple[float, float]:
    """What the orders of the first half take out of those of the second, in an A/A test."""
    rows: dict[str, list[tuple[int, int]]] = {"A": [], "B": []}
    for visitor, orders in world.items():
        rows[arm_of(visitor, salt=salt, weights={"A": 1, "B": 1})].append(orders)
    arrays = {arm: np.array(each, dtype=float) for arm, each in rows.items()}
    after = [arrays[arm][:, 1] for arm in ("B", "A")]
    adjusted, gone = without_covariate(after, [arrays[arm][:, 0] for arm in ("B", "A")])
    plain, better = compare_means(*after), compare_means(*adjusted)
    widths = [(each.ci_high or 0) - (each.ci_low or 0) for each in (plain, better)]
    return gone or 0.0, 1 - widths[1] / widths[0]


if __name__ == "__main__":
    main()
