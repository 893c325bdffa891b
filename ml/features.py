"""What is known of a customer on a day: one row per customer, from earlier purchases alone.

In: a frame of purchases (`ml.sales`) and a cut-off day. Out: a frame indexed by `customer_id` with
the columns of `FEATURES`, all floats without nulls. No purchase of the cut-off day or later is
read, so a model can't see what it shall foresee. Training, scoring and a look at one customer run
this same function: give it that customer's purchases alone. Run standalone: `lake job features`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

RECENT_DAYS = 90


@dataclass(frozen=True)
class Feature:
    """A column of the features: what it says, and what it counts."""

    name: str
    unit: str
    description: str


FEATURES = (
    Feature("recency_days", "days", "From the last purchase to the cut-off, at least 1"),
    Feature("tenure_days", "days", "From the first purchase to the cut-off, at least 1"),
    Feature("order_count", "orders", "Distinct orders"),
    Feature("purchase_day_count", "days", "Days with an order"),
    Feature("monetary_amount", "money", "Sum of all orders"),
    Feature("average_order_amount", "money", "monetary_amount / order_count"),
    Feature("largest_order_amount", "money", "The largest order"),
    Feature("gap_days", "days", "tenure_days / purchase_day_count: the usual time between two"),
    Feature("overdue_ratio", "factor", "recency_days / gap_days: above 1 the customer is late"),
    Feature("recent_order_count", "orders", f"Orders of the last {RECENT_DAYS} days"),
    Feature("recent_amount", "money", f"Sum of the orders of the last {RECENT_DAYS} days"),
)
NAMES = tuple(each.name for each in FEATURES)


def features(sales: "pd.DataFrame", cutoff: date) -> "pd.DataFrame":
    """Features of every customer with a purchase before the cut-off, in the order of their ids."""
    import numpy as np
    import pandas as pd

    at = pd.Timestamp(cutoff)
    before = sales[sales["day"] < at]
    customers = before.groupby("customer_id", sort=True)
    days = customers["day"]
    recent = before[before["day"] >= pd.Timestamp(cutoff - timedelta(days=RECENT_DAYS))]
    of_recent = recent.groupby("customer_id")
    frame = pd.DataFrame(
        {
            "recency_days": (at - days.max()).dt.days,
            "tenure_days": (at - days.min()).dt.days,
            "order_count": customers["order_id"].nunique(),
            "purchase_day_count": days.nunique(),
            "monetary_amount": customers["amount"].sum(),
            "largest_order_amount": customers["amount"].max(),
        }
    )
    frame["average_order_amount"] = frame["monetary_amount"] / frame["order_count"]
    frame["gap_days"] = frame["tenure_days"] / frame["purchase_day_count"]
    frame["overdue_ratio"] = frame["recency_days"] / frame["gap_days"]
    frame["recent_order_count"] = of_recent["order_id"].nunique().reindex(frame.index)
    frame["recent_amount"] = of_recent["amount"].sum().reindex(frame.index)
    found: pd.DataFrame = frame[list(NAMES)].fillna(0.0).astype(np.float64)
    return found
