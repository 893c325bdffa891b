"""Products that are bought together: similarities by hand, and hidden products found again."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from ml.baskets import Baskets, found_by, hide_one, of_lines, similarities
from ml.recommendations import _missed, _missed_by_popularity, beside, hold_out
from ml.trained import Unfit


def baskets(orders: list[str], *, first: str = "2011-01-01") -> Baskets:
    """Each order a text of products, one letter each, one a day."""
    days = pd.date_range(first, periods=len(orders))
    rows = [
        (f"{at:05}", sku, day)
        for at, (order, day) in enumerate(zip(orders, days, strict=True))
        for sku in sorted(order)
    ]
    return of_lines(pd.DataFrame(rows, columns=["basket", "sku", "day"]))


def test_similarity_is_the_shrunk_cosine_over_baskets() -> None:
    found = baskets(["AB", "AB", "AC", "BC", "ABC"])
    similar = similarities(found, shrink=2.0).toarray()
    # A and B are in four orders each and share three; A and C share two of four and three.
    expected = {(0, 1): 3 / 4 * 3 / 5, (0, 2): 2 / 12**0.5 * 2 / 4, (1, 2): 2 / 12**0.5 * 2 / 4}
    for (one, other), value in expected.items():
        assert similar[one, other] == pytest.approx(value)
        assert similar[other, one] == pytest.approx(value)
    assert (similar.diagonal() == 0).all()


def test_a_product_is_shown_beside_another_only_when_three_orders_share_them() -> None:
    found = beside(baskets(["AB", "AB", "AC", "AB", "AC", "ABC"]), shrink=0.0)
    rows = found[["sku", "rank", "recommended_sku", "shared_orders"]].to_numpy().tolist()
    assert rows == [["A", 1, "B", 4], ["A", 2, "C", 3], ["B", 1, "A", 4], ["C", 1, "A", 3]]


def test_a_hidden_product_is_found_among_ten_that_the_basket_does_not_hold() -> None:
    whole = baskets(["AB", "ABCDEFGHIJKLM"])
    known, hidden = hide_one(whole)
    assert known.sum() == whole.matrix.sum() - 2
    again, same = hide_one(whole)
    assert (known != again).nnz == 0
    assert (hidden == same).all()
    scores = np.zeros((2, 13))
    scores[0, hidden[0]] = 0.5
    assert found_by(known, hidden, scores).tolist() == [True, False]
    scores[0, [at for at in range(13) if known[0, at] == 0 and at != hidden[0]]] = 0.9
    assert found_by(known, hidden, scores).tolist() == [False, False]


def test_baskets_of_like_things_are_completed_better_than_by_popularity() -> None:
    random = np.random.default_rng(5)
    letters = [chr(65 + at) for at in range(26)] + [chr(97 + at) for at in range(26)]
    groups = [letters[at : at + 4] for at in range(0, 52, 4)]
    weights = np.arange(13, 0, -1) / 91
    orders = []
    for _ in range(500):
        group = groups[random.choice(13, p=weights)]
        orders.append("".join({*random.choice(group, 3, replace=False), random.choice(letters)}))
    found = baskets([each for each in orders if len(each) > 1])
    cutoff = found.days[-150].astype(object)
    ours, naive = _missed(found, cutoff, 2.0).mean(), _missed_by_popularity(found, cutoff).mean()
    assert ours < naive - 0.2


def test_orders_after_the_cut_off_change_no_similarity() -> None:
    orders = ["AB", "AC", "BC"] * 40
    cutoff = date(2011, 3, 1)
    one, other = baskets([*orders, "AB", "AB"]), baskets([*orders[:-20], *["BC"] * 22])
    kept = [similarities(each.between(None, cutoff), shrink=2.0).toarray() for each in (one, other)]
    np.testing.assert_array_equal(*kept)


def test_too_few_orders_are_named() -> None:
    with pytest.raises(Unfit, match="100 are needed on both sides"):
        hold_out(baskets(["AB"] * 60))
