"""Segments: planted groups are found, names follow the centres, and moves are the customers'."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from lakehouse.errors import LakeError
from ml.segment_scores import segments
from ml.segments import RFM, choose, compare, fit, groups, names, parse_ks, rfm, stability
from tests.ml.purchases import purchases

DAY = date(2020, 6, 1)


def planted(
    seed: int, sizes: tuple[int, ...] = (150, 120, 90, 60)
) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers around four centres of R, F and M, and which one each belongs to."""
    random = np.random.default_rng(seed)
    centres = ((10, 30, 3000), (12, 3, 150), (250, 2, 90), (200, 12, 4000))
    rows, own = [], []
    for number, (size, centre) in enumerate(zip(sizes, centres, strict=True)):
        rows.append(np.exp(random.normal(np.log(centre), 0.2, (size, 3))))
        own += [number] * size
    return pd.DataFrame(np.vstack(rows), columns=list(RFM)), np.array(own)


@pytest.mark.usefixtures("few_repetitions")
def test_planted_groups_are_found_and_their_number_too() -> None:
    frame, own = planted(1)
    assert choose(frame) == 4
    assert adjusted_rand_score(own, groups(fit(frame, 4), frame)) > 0.95
    assert stability(frame, 4) > 0.95


@pytest.mark.usefixtures("few_repetitions")
def test_figures_per_number_of_groups_are_those_of_their_definition() -> None:
    frame, _ = planted(2)
    found = compare(frame, range(2, 5))
    assert [each.k for each in found] == [2, 3, 4]
    assert [sum(each.sizes) for each in found] == [len(frame)] * 3
    logs = np.log1p(frame.to_numpy())
    points = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    own = groups(fit(frame, 3), frame)
    within = sum(
        ((points[own == each] - points[own == each].mean(axis=0)) ** 2).sum() for each in range(3)
    )
    assert found[1].inertia == pytest.approx(within)


def test_rfm_counts_days_to_the_snapshot_orders_and_pounds() -> None:
    sales = purchases([("a", DAY - timedelta(days=9), 5.0), ("a", DAY - timedelta(days=3), 7.5)])
    assert rfm(sales, DAY).to_dict("index") == {
        "a": {"recency_days": 3.0, "order_count": 2.0, "monetary_amount": 12.5}
    }


def test_names_follow_the_centres_and_no_two_are_alike() -> None:
    centres = np.array([[-1, 1.2, 1.0], [1, -0.5, -0.6], [1.2, -0.6, -0.8], [0, 0.2, 0.1]])
    assert names(centres) == [
        "Active best customers",
        "Lapsed small customers",
        "Lapsed small customers 2",
        "Fading steady customers",
    ]


@pytest.mark.usefixtures("few_repetitions")
def test_a_move_between_groups_is_that_of_the_customer() -> None:
    rows = []
    for n in range(40):
        rows += [(f"often{n}", DAY - timedelta(days=200 - 5 * k - n % 3), 90.0) for k in range(38)]
        rows.append((f"once{n}", DAY - timedelta(days=150 + n), 10.0 + n))
        rows += [(f"some{n}", DAY - timedelta(days=20 + 9 * k + n % 4), 30.0) for k in range(4)]
    rows.append(("new", DAY - timedelta(days=2), 10.0))
    found = segments(purchases(rows), DAY).set_index("customer_id")
    assert found.loc["new", "previous_segment_name"] is None
    often = found.loc["often1"]
    assert often["segment_name"].startswith("Active best")
    assert often["segment_number"] == 1
    assert often["previous_segment_name"] == often["segment_name"]
    assert found.loc["once1", "segment_name"].startswith("Lapsed")


@pytest.mark.parametrize("text", ["", "1..4", "5..3", "two", "2..x"])
def test_numbers_of_groups_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(LakeError, match=r"such as 2\.\.8"):
        parse_ks(text)


def test_customers_who_are_all_alike_are_no_groups() -> None:
    frame = pd.DataFrame([[5.0, 1.0, 10.0]] * 30, columns=list(RFM))
    with pytest.raises(LakeError, match="30 customers with 1 different histories"):
        compare(frame, parse_ks("2..3"))
