"""Churn: labels by the rule, origins that know no future, and models that beat plain rules."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

import ml.churn
from lakehouse.errors import LakeError
from ml.churn import Examples, chances, evaluate, examples, fit, labels, origins
from ml.churn_evaluation import judge, tenths
from ml.churn_report import report
from ml.churn_scores import Offer, churn, cut_off, expected_profit
from ml.features import features
from ml.sales import SalesFile, last_day
from tests.ml.purchases import purchases, shop

CUTOFF = date(2019, 9, 1)


def test_a_customer_churned_who_bought_before_and_not_within_the_days() -> None:
    sales = purchases(
        [
            *(("first day", CUTOFF - timedelta(days=9), 1.0), ("first day", CUTOFF, 1.0)),
            ("last day", CUTOFF - timedelta(days=1), 1.0),
            ("last day", CUTOFF + timedelta(days=89), 1.0),
            ("too late", CUTOFF - timedelta(days=1), 1.0),
            ("too late", CUTOFF + timedelta(days=90), 1.0),
            ("gone", CUTOFF - timedelta(days=300), 1.0),
            ("new", CUTOFF, 1.0),
        ]
    )
    expected = {"first day": False, "gone": True, "last day": False, "too late": True}
    assert labels(sales, CUTOFF).to_dict() == expected


def test_a_label_that_is_not_complete_is_refused() -> None:
    sales = purchases([("a", CUTOFF, 1.0), ("a", CUTOFF + timedelta(days=99), 1.0)])
    assert not labels(sales, CUTOFF + timedelta(days=10)).any()
    with pytest.raises(LakeError, match=f"up to {CUTOFF + timedelta(days=10)}"):
        labels(sales, CUTOFF + timedelta(days=11))
    with pytest.raises(LakeError, match="No customer has a purchase before"):
        labels(sales, CUTOFF)
    with pytest.raises(LakeError, match="not as many after the first, so take more"):
        labels(purchases([("a", CUTOFF, 1.0), ("a", CUTOFF + timedelta(days=9), 1.0)]), CUTOFF)


def test_origins_have_complete_labels_before_the_cutoff_and_history_before_them() -> None:
    sales = purchases([("a", date(2019, 1, 1), 1.0)])
    found = origins(sales, CUTOFF)
    assert found == (date(2019, 6, 3), date(2019, 5, 4), date(2019, 4, 4), date(2019, 3, 5))
    assert origins(sales, date(2019, 5, 1)) == ()


def test_what_is_learned_for_a_cutoff_reads_nothing_of_its_future() -> None:
    sales = shop(5, customers=200, days=400)
    other = sales[sales["day"] < pd.Timestamp(CUTOFF)]
    known = examples(sales, origins(sales, CUTOFF))
    same = examples(pd.concat([other, purchases([("c0001", CUTOFF, 5.0)])]), origins(other, CUTOFF))
    pd.testing.assert_frame_equal(known.features, same.features)
    assert known.churned.tolist() == same.churned.tolist()


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    return shop(11, customers=300, days=420)


def test_both_models_foresee_who_stays_away(sales: pd.DataFrame) -> None:
    known = examples(sales, origins(sales, CUTOFF)[:2])
    unseen = examples(sales, (CUTOFF,))
    for kind in ml.churn.KINDS:
        assert evaluate(fit(known, kind=kind), unseen).auc > 0.75


def test_a_report_tells_figures_with_intervals_and_shuffled_labels_tell_nothing(
    sales: pd.DataFrame,
) -> None:
    found = report(SalesFile(sales, last_day(sales)), cutoff=CUTOFF, days=90)
    churned = labels(sales, CUTOFF)
    assert (found["customers"], found["churned"]) == (len(churned), churned.sum())
    logistic = found["models"]["logistic"]
    low, high = logistic["auc_interval"]
    assert low < found["auc"] == logistic["auc"] < high
    assert set(found["baselines"]) == {"recency", "rfm"} == set(logistic["auc_gain"])
    assert abs(found["shuffled_auc"] - 0.5) < 0.05
    assert sum(each["customers"] for each in found["tenths"]) == found["customers"]
    assert found["tenths"][-1]["gain"] == 1.0
    assert found["warnings"] == []


@pytest.mark.usefixtures("few_repetitions")
def test_features_that_read_the_future_are_taken_for_a_leak(
    sales: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaky(purchases: pd.DataFrame, cutoff: date) -> pd.DataFrame:
        later = features(purchases, cutoff + timedelta(days=90))
        return later.loc[features(purchases, cutoff).index]

    monkeypatch.setattr("ml.churn.features", leaky)
    monkeypatch.setattr("ml.churn_report.features", leaky)
    found = report(SalesFile(sales, last_day(sales)), cutoff=CUTOFF, days=90)
    assert "it is a leak until disproved" in found["warnings"][0]


@pytest.mark.parametrize("came_back", [True, False])
def test_one_class_gives_counts_and_says_why_there_is_no_model(*, came_back: bool) -> None:
    rows = [(f"c{n}", CUTOFF - timedelta(days=200 - n), 1.0) for n in range(60)]
    rows += [(f"c{n}", CUTOFF + timedelta(days=n), 1.0) for n in range(60) if came_back]
    end = CUTOFF + timedelta(days=89)
    found = report(SalesFile(purchases(rows), end), cutoff=CUTOFF, days=90)
    assert (found["customers"], found["churned"]) == (60, 0 if came_back else 60)
    assert found["auc"] is None
    assert "need at least 10 of each kind" in found["warnings"][0]


def test_a_feature_without_any_spread_does_no_harm() -> None:
    random = np.random.default_rng(1)
    frame = features(shop(2, customers=60, days=300), CUTOFF).assign(monetary_amount=5.0)
    known = Examples(frame, random.random(len(frame)) < 0.5, (CUTOFF,))
    assert np.isfinite(chances(fit(known), frame)).all()


def test_paired_gains_are_surer_than_the_figures_alone() -> None:
    random = np.random.default_rng(4)
    chance = random.random(800)
    churned = random.random(800) < chance
    found = judge(churned, chance, {"noisy": np.clip(chance + random.normal(0, 0.2, 800), 0, 1)})
    gain = found.auc_gain["noisy"]
    assert 0 < gain.low < gain.value < gain.high
    assert gain.high - gain.low < found.auc.high - found.auc.low


def test_tenths_order_customers_by_chance_and_add_up() -> None:
    chance = np.linspace(0, 1, 20)
    found = tenths(chance > 0.74, chance)
    assert [each.churned for each in found] == [1.0, 1.0, 0.5] + [0.0] * 7
    assert [each.gain for each in found] == pytest.approx([0.4, 0.8] + [1.0] * 8)
    assert found[0].lift == 4.0
    assert found[0].expected == pytest.approx(37 / 38)


def test_an_offer_pays_from_the_chance_at_which_its_gain_is_its_cost() -> None:
    offer = Offer(margin=0.5, cost=5.0, success=0.2)
    assert cut_off(100.0, offer) == 0.5
    profit = expected_profit(np.array([0.5, 0.8]), np.array([100.0, 100.0]), offer)
    assert profit.tolist() == pytest.approx([0.0, 3.0])
    assert cut_off(0.0, offer) == float("inf")


def test_the_reason_is_what_moves_the_chance_most(sales: pd.DataFrame) -> None:
    estimator = fit(examples(sales, origins(sales, CUTOFF)))
    frame = features(sales, CUTOFF)
    found = churn(frame, estimator, Offer(0.3, 5.0, 0.1))
    late = found.sort_values("churn_chance").iloc[-1]
    days = frame.loc[late["customer_id"], "recency_days"]
    texts = (late["reason"], late["second_reason"])
    assert any(each.startswith(f"Last purchase {days:.0f} days ago") for each in texts)
    assert (found["is_worth_a_call"] == (found["expected_profit"] > 0)).all()
