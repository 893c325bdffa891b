"""What the models say of customers, and gold's own view of them: one frame per question.

In: the tables of scores, and a reader on gold. Out: frames, empty where nothing was scored yet.
Estimates are floats; they are shown rounded, and never added to the money of gold.
"""

from typing import TYPE_CHECKING

import pandas as pd

from lakehouse.contracts.gold import FCT_CUSTOMER_RFM
from lakehouse.contracts.scores import CUSTOMER_CHURN, CUSTOMER_LIFETIME_VALUE, CUSTOMER_SEGMENTS
from lakehouse.settings import Settings
from ml import scores

if TYPE_CHECKING:
    import duckdb


def segments(settings: Settings) -> pd.DataFrame:
    """Group of each customer, with R, F, M and the group of a month before."""
    return scores.read(CUSTOMER_SEGMENTS, settings=settings)


def churn(settings: Settings) -> pd.DataFrame:
    """Chance, reasons and worth of each customer by the champion, the best to call first."""
    found = scores.read(CUSTOMER_CHURN, settings=settings, where="alias = 'champion'")
    return found.sort_values(["expected_profit", "customer_id"], ascending=[False, True])


def lifetime_values(settings: Settings) -> pd.DataFrame:
    """Expected purchases and money of each customer, the most valuable first."""
    found = scores.read(CUSTOMER_LIFETIME_VALUE, settings=settings)
    return found.sort_values(["expected_amount", "customer_id"], ascending=[False, True])


def rfm_segments(cursor: "duckdb.DuckDBPyConnection") -> pd.DataFrame:
    """The segment by rule of each customer in gold: customer_id, rfm_segment."""
    return cursor.execute(
        f"select customer_id, rfm_segment from {FCT_CUSTOMER_RFM} order by customer_id"
    ).df()


def by_segment(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per group: customers, their median R and F, their money and the share of all.

    `moved_in` and `moved_out` count customers who were elsewhere a month before.
    """
    moved = frame[frame["previous_segment_name"].notna()]
    moved = moved[moved["previous_segment_name"] != moved["segment_name"]]
    groups = frame.groupby(["segment_number", "segment_name"], sort=True)
    found = groups.agg(
        customer_count=("customer_id", "size"),
        recency_days=("recency_days", "median"),
        order_count=("order_count", "median"),
        monetary_amount=("monetary_amount", "sum"),
    ).reset_index()
    whole = found["monetary_amount"].sum()
    found["share"] = found["monetary_amount"] / whole if whole else 0.0
    for column, side in (("moved_in", "segment_name"), ("moved_out", "previous_segment_name")):
        counts = moved[side].value_counts()
        found[column] = [int(counts.get(name, 0)) for name in found["segment_name"]]
    return found


def moves(frame: pd.DataFrame) -> pd.DataFrame:
    """Customers by former and present group, the commonest moves first; who stayed is left out."""
    moved = frame[frame["previous_segment_name"].notna()]
    moved = moved[moved["previous_segment_name"] != moved["segment_name"]]
    found = moved.groupby(["previous_segment_name", "segment_name"]).size()
    return (
        found.rename("customer_count")
        .reset_index()
        .sort_values(["customer_count", "previous_segment_name"], ascending=[False, True])
    )


def by_tenth(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Total, average and customers of a column by tenth of the customers, the largest first."""
    values = frame[column].sort_values(ascending=False, kind="stable").reset_index(drop=True)
    tenth = (values.index * 10 // max(len(values), 1)).astype(int)
    found = values.groupby(tenth).agg(total="sum", average="mean", customers="size")
    return found.rename_axis("tenth").reset_index()
