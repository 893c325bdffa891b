"""The page Products: what sold, what is bought with it, and how well the recommender finds it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from dashboards.pages.products.page import filled
from dashboards.queries.products import NAME
from lakehouse.contracts.scores import PRODUCT_RECOMMENDATIONS
from ml import decisions, scores, serving
from ml.decisions import Decision
from ml.serving import Served

Words = Callable[[Any], str]
FIGURES = {"hit_rate": 0.246, "hit_rate_popularity": 0.081, "coverage": 0.62}


def recommend(shop: Any, sku: str, *others: str) -> None:
    rows = [
        {
            "sku": sku,
            "rank": rank,
            "recommended_sku": other,
            "similarity": 0.5 / rank,
            "shared_orders": 1200 - rank,
            "model_version": f"{NAME} 2",
            "scored_at": datetime(2011, 12, 10, tzinfo=UTC),
        }
        for rank, other in enumerate(others, 1)
    ]
    scores.replace(
        PRODUCT_RECOMMENDATIONS,
        pd.DataFrame(rows),
        settings=shop.settings,
        metadata={"query": "test"},
    )


def decide(shop: Any, kind: decisions.Kind, why: str) -> None:
    decision = Decision(kind, NAME, 2, None, "tester", why, metrics=FIGURES)
    decisions.write(decision, settings=shop.settings)


def test_products_stand_beside_what_is_bought_with_them_and_the_hit_rate(
    shop: Any, words_of: Words
) -> None:
    shop.publish("run-1")
    recommend(shop, "A1", "B2", "UNKNOWN", "C3", "D4")
    decide(shop, "promoted", "better")
    served = Served(NAME, 2, "r", "f", "json", "s", "2011-12-10T00:00:00+00:00", "2011-12-09")
    serving.serve(served, settings=shop.settings)
    text = words_of(filled(shop.gold, "?from=2011-01-03&to=2011-01-11"))
    assert "Hit rate 24 .6% by recommendations 2" in text
    assert "Hit rate of popularity 8 .1%" in text
    assert "Coverage 62%" in text
    assert "(1,199 orders) UNKNOWN (1,198 orders)" in text
    assert "D4" not in text  # three are shown
    assert "nothing often enough" in text
    sold = text.partition("Bought with it")[2]
    assert sold.index("TEA TOWEL") < sold.index("LANTERN") < sold.index("MUG")


def test_filters_narrow_the_products_and_a_bad_one_is_said(shop: Any, words_of: Words) -> None:
    shop.publish("run-1")
    germany = words_of(filled(shop.gold, "?country=Germany"))
    whole = words_of(filled(shop.gold, ""))
    assert len(germany) < len(whole)
    assert "'" in words_of(filled(shop.gold, "?country=Atlantis'--"))


def test_without_a_version_the_page_says_what_trains_one_or_why_none_serves(
    shop: Any, words_of: Words
) -> None:
    shop.publish("run-1")
    assert "./lake run ml" in words_of(filled(shop.gold, ""))
    decide(shop, "refused", "not better than the ten most popular")
    text = words_of(filled(shop.gold, ""))
    assert "No version serves" in text
    assert "not better than the ten most popular" in text
    assert "TEA TOWEL" in text  # what was sold is known all the same
