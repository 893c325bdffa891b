"""Features: what they say of a customer, and that they know nothing of the future."""

from datetime import date, timedelta

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.features import NAMES, features
from tests.ml.purchases import purchases, shop

CUTOFF = date(2020, 6, 1)
_PURCHASE = st.tuples(
    st.sampled_from(["a", "b", "c", "d"]),
    st.just(CUTOFF) | st.dates(CUTOFF - timedelta(days=200), CUTOFF + timedelta(days=200)),
    st.floats(0, 1e6),
)


def test_a_customer_is_told_by_the_purchases_before_the_cutoff() -> None:
    found = features(
        purchases(
            [
                ("a", CUTOFF - timedelta(days=100), 30.0),
                ("a", CUTOFF - timedelta(days=10), 50.0),
                ("a", CUTOFF - timedelta(days=10), 10.0),
                ("a", CUTOFF, 999.0),
                ("b", CUTOFF - timedelta(days=1), 7.0),
                ("c", CUTOFF, 1.0),
            ]
        ),
        CUTOFF,
    )
    expected = pd.DataFrame(
        [
            ("a", 10.0, 100.0, 3.0, 2.0, 90.0, 30.0, 50.0, 50.0, 0.2, 2.0, 60.0),
            ("b", 1.0, 1.0, 1.0, 1.0, 7.0, 7.0, 7.0, 1.0, 1.0, 1.0, 7.0),
        ],
        columns=["customer_id", *NAMES],
    ).set_index("customer_id")
    pd.testing.assert_frame_equal(found, expected)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(_PURCHASE, min_size=1, max_size=20),
    st.lists(_PURCHASE, max_size=10),
)
def test_another_future_changes_no_feature(
    rows: list[tuple[str, date, float]], others: list[tuple[str, date, float]]
) -> None:
    before = [each for each in rows if each[1] < CUTOFF]
    future = [each for each in others if each[1] >= CUTOFF]
    if before:
        pd.testing.assert_frame_equal(
            features(purchases(rows), CUTOFF), features(purchases([*before, *future]), CUTOFF)
        )


def test_one_customer_alone_gets_the_same_features_as_among_all() -> None:
    sales = shop(3, customers=30, days=400)
    cutoff = date(2019, 10, 1)
    everyone = features(sales, cutoff)
    for customer in everyone.index[:10]:
        alone = features(sales[sales["customer_id"] == customer], cutoff)
        pd.testing.assert_frame_equal(alone, everyone.loc[[customer]])


def test_before_the_first_purchase_there_is_nobody() -> None:
    found = features(purchases([("a", CUTOFF, 1.0)]), CUTOFF)
    assert list(found.columns) == list(NAMES)
    assert found.empty
