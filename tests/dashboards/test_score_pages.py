"""Pages of the models: what Segments, Churn and Lifetime value show, before a scoring and after."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest

from dashboards.pages.churn import page as churn_page
from dashboards.pages.lifetime_value import page as value_page
from dashboards.pages.segments import page as segments_page
from dashboards.queries import customer_scores
from lakehouse.contracts.scores import CUSTOMER_CHURN
from lakehouse.settings import Settings
from ml import scores

Words = Callable[[Any], str]
SAID = {
    "cutoff_date": date(2011, 12, 10),
    "model_version": "toy 3",
    "scored_at": datetime(2011, 12, 10, 6, 30, tzinfo=UTC),
}


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame([{**row, **SAID} for row in rows])


def segments() -> pd.DataFrame:
    names = ["Active best customers", "Lapsed small customers"]
    rows = [("a", 0, 0, 900.0), ("b", 0, 1, 60.0), ("c", 1, 1, 30.0), ("d", 1, None, 10.0)]
    return frame(
        [
            {
                "customer_id": customer,
                "segment_number": own + 1,
                "segment_name": names[own],
                "previous_segment_name": None if before is None else names[before],
                "recency_days": 5.0,
                "order_count": 3.0,
                "monetary_amount": pounds,
            }
            for customer, own, before, pounds in rows
        ]
    )


def test_groups_add_up_and_moves_are_counted_on_both_sides() -> None:
    found = customer_scores.by_segment(segments())
    assert found["customer_count"].tolist() == [2, 2]
    assert found["share"].tolist() == [0.96, 0.04]
    assert found[["moved_in", "moved_out"]].to_numpy().tolist() == [[1, 0], [0, 1]]
    assert customer_scores.moves(segments()).to_numpy().tolist() == [
        ["Lapsed small customers", "Active best customers", 1]
    ]


def test_the_page_of_segments_shows_groups_moves_and_the_segments_by_rule(words_of: Words) -> None:
    by_rule = pd.DataFrame({"customer_id": ["a", "b", "c"], "rfm_segment": ["at_risk"] * 3})
    text = words_of(segments_page.body(segments(), by_rule))
    for part in ("96%", "of the 2 in the first group", "from Lapsed small customers", "At risk"):
        assert part in text
    assert "By toy 3, scored 10 Dec 2011, 06:30 UTC, as known before 10 Dec 2011." in text


def churn(profits: tuple[float, ...]) -> pd.DataFrame:
    return frame(
        [
            {
                "customer_id": f"c{number}",
                "alias": "champion",
                "churn_chance": 0.25 * (number + 1),
                "reason": "Last purchase 80 days ago",
                "second_reason": None,
                "usual_amount": 100.0,
                "expected_profit": profit,
                "is_worth_a_call": profit > 0,
            }
            for number, profit in enumerate(profits)
        ]
    )


def test_only_customers_whom_a_call_is_worth_are_listed(words_of: Words) -> None:
    text = words_of(churn_page.body(churn((3.0, -1.0)), Settings()))
    assert "c0" in text
    assert "c1" not in text
    assert "for £3 of expected profit" in text
    assert "£75" in text  # at risk: 0.25 and 0.5 of 100 pounds
    none = words_of(churn_page.body(churn((-1.0,)), Settings()))
    assert "No customer is worth the cost of an offer." in none


def values(alive: float) -> pd.DataFrame:
    return frame(
        [
            {
                "customer_id": f"c{number}",
                "horizon_weeks": 13.0,
                "repeat_day_count": float(number),
                "alive_chance": alive,
                "expected_purchase_days": 1.0,
                "expected_day_amount": 10.0,
                "expected_amount": 10.0 * (20 - number),
            }
            for number in range(20)
        ]
    )


@pytest.mark.parametrize(("alive", "doubts"), [(0.999, True), (0.6, False)])
def test_a_model_that_sees_nobody_leave_is_doubted(
    words_of: Words, alive: float, *, doubts: bool
) -> None:
    text = words_of(value_page.body(values(alive)))
    assert ("The model sees no customer leave" in text) is doubts
    assert "£2,100" in text
    assert "19%" in text  # 390 of 2,100 pounds


def test_before_a_scoring_the_pages_say_what_fills_them(shop: Any, words_of: Words) -> None:
    for found in (
        segments_page.filled(shop.gold),
        churn_page.filled(shop.gold.settings),
        value_page.filled(shop.gold.settings),
    ):
        assert "./lake run ml" in words_of(found)


def test_the_champion_is_shown_and_not_the_challenger_in_its_shadow(shop: Any) -> None:
    both = pd.concat([churn((1.0, 2.0)), churn((9.0,)).assign(alias="challenger")])
    settings = shop.gold.settings
    scores.replace(CUSTOMER_CHURN, both, settings=settings, metadata={"query": "test"})
    found = customer_scores.churn(settings)
    assert found["customer_id"].tolist() == ["c1", "c0"]
    assert found["expected_profit"].tolist() == [2.0, 1.0]
