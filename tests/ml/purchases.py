"""Invented purchases for the tests of the models."""

from datetime import date, timedelta

import numpy as np
import pandas as pd


def purchases(rows: list[tuple[str, date, float]]) -> pd.DataFrame:
    """A frame of purchases, each an order of its own."""
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    frame["day"] = pd.to_datetime(frame["day"])
    frame["order_id"] = [f"order {number}" for number in range(len(frame))]
    return frame


def shop(seed: int, *, customers: int, days: int, first: date = date(2019, 1, 1)) -> pd.DataFrame:
    """Customers who buy at their own pace from their own day on, and leave one day for good."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        day = float(random.integers(0, days // 2))
        pace = random.gamma(2.0, 15.0) + 2
        stays = random.geometric(0.12)
        for _ in range(stays):
            if day >= days:
                break
            rows.append(
                (f"c{number:04}", first + timedelta(days=int(day)), random.gamma(2.0, 20.0))
            )
            day += max(1.0, random.exponential(pace))
    return purchases(rows)
