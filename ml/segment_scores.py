"""Puts every customer in a group, and says in which the customer was a month before.

In: a frame of purchases. Out: the rows of the table of segments. The groups are found again at each
scoring, for they need no labels; those of a month before are the same groups, so a move is the
customer's and not the model's. Run standalone: `lake job score`.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from ml.segments import RFM, choose, fit, groups, names, rfm

if TYPE_CHECKING:
    import pandas as pd

MONTH = timedelta(days=30)


def segments(sales: "pd.DataFrame", cutoff: date) -> "pd.DataFrame":
    """Group, name and former name of each customer; R, F and M beside.

    Raises:
        LakeError: There are too few different customers.
    """
    import numpy as np

    frame = rfm(sales, cutoff)
    estimator = fit(frame, choose(frame))
    centres = estimator[-1].cluster_centers_
    order = np.argsort(-(centres[:, 1] + centres[:, 2] - centres[:, 0]), kind="stable")
    place = np.argsort(order)
    titles = names(centres[order])
    own = place[groups(estimator, frame)]
    earlier = rfm(sales, cutoff - MONTH)
    before = place[groups(estimator, earlier)] if len(earlier) else own[:0]
    found = frame[list(RFM)].assign(
        segment_number=own + 1, segment_name=[titles[each] for each in own]
    )
    former = dict(zip(earlier.index, (titles[each] for each in before), strict=True))
    found["previous_segment_name"] = [former.get(each) for each in found.index]
    return found.reset_index()
