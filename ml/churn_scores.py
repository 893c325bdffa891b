"""Whom to call: chance to churn, why, and what an offer to the customer is expected to earn.

In: features, an estimator of `ml.churn`, and what an offer costs and brings. Out: the rows of the
table of churn. A reason is how far a customer's own figures move the model's chance away from that
of the average customer, one idea at a time. Run standalone: `lake job score`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml.churn import DAYS, chances

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

IDEAS: Mapping[str, Sequence[str]] = {
    "last purchase {recency_days:.0f} days ago, usually every {gap_days:.0f}": (
        "recency_days",
        "gap_days",
        "overdue_ratio",
    ),
    "{order_count:.0f} orders in {tenure_days:.0f} days": (
        "order_count",
        "purchase_day_count",
        "tenure_days",
    ),
    "{recent_order_count:.0f} orders for {recent_amount:,.0f} pounds in the last 90 days": (
        "recent_order_count",
        "recent_amount",
    ),
    "{average_order_amount:,.0f} pounds an order": (
        "monetary_amount",
        "average_order_amount",
        "largest_order_amount",
    ),
}
"""What a reason says, and the features that make it up."""


@dataclass(frozen=True)
class Offer:
    """`margin` of sales, pounds that an offer costs, share of customers that it keeps."""

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
    """Pounds that an offer earns: it keeps a share of those who would go, and costs in any case.

    A kept customer goes on at the usual pace for the days of the label.
    """
    found: Array = chance * offer.success * offer.margin * usual_amount - offer.cost
    return found


def cut_off(usual_amount: float, offer: Offer) -> float:
    """Chance from which an offer to a customer of this usual amount pays; above 1 it never does."""
    gain = offer.success * offer.margin * usual_amount
    return offer.cost / gain if gain > 0 else float("inf")


def reasons(frame: "pd.DataFrame", estimator: Any) -> tuple[list[str], list[str]]:
    """The two ideas that move each customer's chance most, the strongest first.

    The features of an idea are set to the average customer's, and the chance is taken again: what
    goes away is what the idea did. For who is likely to churn it is what raises the chance, for
    the others what lowers it.
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
    effect = np.array(effects).T
    towards = np.where(chance[:, None] >= 0.5, effect, -effect)
    order = np.argsort(-towards, axis=1, kind="stable")
    texts = list(IDEAS)
    rows = frame.to_dict("records")
    return (
        [texts[own[0]].format(**row) for own, row in zip(order, rows, strict=True)],
        [texts[own[1]].format(**row) for own, row in zip(order, rows, strict=True)],
    )
