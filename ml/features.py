"""What is known of a customer on a day: one row per customer, from earlier purchases alone.

In: a frame of purchases (`ml.sales`) and a cut-off day. Out: a frame indexed by `customer_id` with
the columns of `NAMES`, all floats without nulls. No purchase of the cut-off day or later is
read, so a model can't see what it shall foresee. Training, scoring and a look at one customer run
this same function: give it that customer's purchases alone. Run standalone: `lake job features`.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from lakehouse.contracts.scores import CUSTOMER_FEATURES

if TYPE_CHECKING:
    import pandas as pd

RECENT_DAYS = 90


NAMES = tuple(each.name for each in CUSTOMER_FEATURES.columns if each.type == "double")
"""The features; what each says and counts is in the contract of their table."""


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
