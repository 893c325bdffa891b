"""Whom to call: chance to churn, why, and what an offer to the customer is expected to earn.

In: features, an estimator of `ml.churn`, and what an offer costs and brings. Out: the rows of the
table of churn. A reason is how far a customer's own figures move the model's chance away from that
of the average customer, one idea at a time. Run standalone: `lake job score`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.shop_format import money
from ml.churn import DAYS, chances

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

IDEAS: Mapping[str, Sequence[str]] = {
    "pace": ("recency_days", "gap_days", "overdue_ratio"),
    "habit": ("order_count", "purchase_day_count", "tenure_days"),
    "recent": ("recent_order_count", "recent_amount"),
    "money": ("monetary_amount", "average_order_amount", "largest_order_amount"),
}
"""What may be a reason, and the features that make it up."""


@dataclass(frozen=True)
class Offer:
    """`margin` of sales, money that an offer costs, share of customers that it keeps."""

    margin: float
    cost: float
    success: float


def churn(frame: "pd.DataFrame", estimator: Any, offer: Offer) -> "pd.DataFrame":
    """Chance, reasons and worth of every customer, from features as `features` gives them."""
    import pandas as pd

    chance = chances(estimator, frame)
    usual = frame["monetary_amount"] / frame["tenure_days"].clip(lower=DAYS) * DAYS
    profit = expected_profit(chance, usual.to_numpy(), offer)
    first, second = reasons(frame, estimator)
    found = pd.DataFrame(
        {
            "churn_chance": chance,
            "reason": first,
            "second_reason": second,
            "usual_amount": usual,
            "expected_profit": profit,
            "is_worth_a_call": profit > 0,
        },
        index=frame.index,
    )
    return found.reset_index()


def expected_profit(chance: "Array", usual_amount: "Array", offer: Offer) -> "Array":
    """Money that an offer earns: it keeps a share of those who would go, and costs in any case.

    A kept customer goes on at the usual pace for the days of the label.
    """
    found: Array = chance * offer.success * offer.margin * usual_amount - offer.cost
    return found


def cut_off(usual_amount: float, offer: Offer) -> float:
    """Chance from which an offer to a customer of this usual amount pays; above 1 it never does."""
    gain = offer.success * offer.margin * usual_amount
    return offer.cost / gain if gain > 0 else float("inf")


def reasons(frame: "pd.DataFrame", estimator: Any) -> tuple[list[str], list[str]]:
    """The two ideas that raise each customer's chance most, the strongest first, as texts.

    The features of an idea are set to the average customer's, and the chance is taken again: what
    goes away is what the idea did.
    """
    import numpy as np

    chance = chances(estimator, frame)
    average = np.expm1(np.log1p(frame).mean())
    effects = []
    for columns in IDEAS.values():
        other = frame.copy()
        for column in columns:
            other[column] = average[column]
        effects.append(chance - chances(estimator, other))
    order = np.argsort(-np.array(effects).T, axis=1, kind="stable")
    ideas = list(IDEAS)
    rows = frame.to_dict("records")
    first, second = (
        [_text(ideas[own[place]], row) for own, row in zip(order, rows, strict=True)]
        for place in (0, 1)
    )
    return first, second


def _text(idea: str, row: Mapping[Any, float]) -> str:
    """What a reason says of a customer, in the customer's own figures."""
    orders, recent = row["order_count"], row["recent_order_count"]
    if idea == "pace":
        usual = "" if row["purchase_day_count"] < 2 else f", usually every {row['gap_days']:.0f}"
        return f"Last purchase {row['recency_days']:.0f} days ago{usual}"
    if idea == "habit":
        return f"{orders:.0f} order{'s' * (orders != 1)} in {row['tenure_days']:.0f} days"
    if idea == "recent":
        number = f"{recent:.0f}" if recent else "No"
        return f"{number} order{'s' * (recent != 1)} in 90 days"
    return f"{money(Decimal(str(row['average_order_amount'])), places=0)} an order"
