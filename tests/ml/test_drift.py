"""Drift: planted drift is found in one look, and calm looks are quiet."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from lakehouse.duck import open_memory
from ml import artifacts, churn_model
from ml.churn import examples, fit, origins
from ml.drift import compare, ks, limits, psi
from ml.sales import gold_sales
from ml.serving import Served
from tests.ml.purchases import purchases

COLUMNS = 12


def shop(random: np.random.Generator, rows: int = 1500) -> pd.DataFrame:
    """Features of a population that stays as it is: skewed, whole and bounded ones."""
    columns = {f"amount_{at}": random.lognormal(3, 1, rows) for at in range(4)}
    columns |= {f"count_{at}": random.poisson(2, rows).astype(float) for at in range(4)}
    columns |= {f"rate_{at}": random.beta(2, 5, rows) for at in range(3)}
    return pd.DataFrame({**columns, "score": random.random(rows)})


def test_the_stability_index_is_that_of_the_formula() -> None:
    before = np.arange(1000.0)
    now = np.concatenate([np.arange(500.0), np.arange(500.0)])
    # Ten equal tenths; now the lower five hold 200 each, the upper five none.
    old, low, high = 100.5 / 1005, 200.5 / 1005, 0.5 / 1005
    expected = 5 * (low - old) * np.log(low / old) + 5 * (high - old) * np.log(high / old)
    assert psi(before, now) == pytest.approx(expected, rel=0.02)
    assert psi(before, before) == 0
    assert ks(before, now) == pytest.approx(0.5)


def test_a_shift_planted_in_one_feature_is_found_in_one_look_and_nowhere_else() -> None:
    random = np.random.default_rng(1)
    before, now = shop(random), shop(random)
    now["amount_2"] *= 1.6
    found = compare("churn", before, now)
    assert [each.column_name for each in found if each.is_drift] == ["amount_2"]
    assert {each.kind for each in found} == {"feature", "score"}
    assert len(found) == COLUMNS


def test_at_most_one_calm_look_in_twenty_raises_an_alarm() -> None:
    random = np.random.default_rng(2)
    before = shop(random)
    alarms = [
        any(each.is_drift for each in compare("churn", before, shop(random))) for _ in range(50)
    ]
    assert sum(alarms) / len(alarms) <= 0.05


def test_the_limits_hold_what_chance_exceeds_also_for_few_rows() -> None:
    random = np.random.default_rng(3)
    before, exceeded = random.normal(0, 1, 400), 0
    for _ in range(200):
        now = random.normal(0, 1, 60)
        limit_psi, limit_ks = limits(400, 60, 1)
        exceeded += psi(before, now) > limit_psi and ks(before, now) > limit_ks
    assert exceeded / 200 <= 0.05
    few = compare("m", pd.DataFrame({"a": before}), pd.DataFrame({"a": before[:10]}))
    assert few == []


def test_a_feature_that_became_constant_is_drift_and_no_error() -> None:
    random = np.random.default_rng(4)
    before, now = shop(random), shop(random)
    now["amount_0"] = 7.0
    found = compare("churn", before, now)
    assert [each.column_name for each in found if each.is_drift] == ["amount_0"]
    assert all(np.isfinite([each.psi, each.ks]).all() for each in found)


TRAINED_ON, TODAY = date(2019, 12, 31), date(2020, 4, 10)


def steady_shop(*, keeps_its_ways: bool) -> pd.DataFrame:
    """Newcomers come all the time, stay for a while, and buy every two weeks or so.

    Where it does not keep its ways, those who bought lately stay away from the day after the
    training on, and all others come back.
    """
    random = np.random.default_rng(5)
    first, rows = date(2019, 1, 1), []
    for number in range(700):
        day = random.uniform(-200, 466)
        for _ in range(random.geometric(0.12)):
            if 0 <= day <= (TODAY - first).days:
                rows.append((f"c{number:04}", first + timedelta(days=int(day)), 20.0))
            day += random.exponential(14) + 1
    frame = purchases([*rows, ("last", TODAY, 1.0)])
    if keeps_its_ways:
        return frame
    known = frame[frame["day"] <= pd.Timestamp(TRAINED_ON)]
    lapsed = known.groupby("customer_id")["day"].max() < pd.Timestamp(2019, 12, 1)
    back = [(each, date(2020, 2, 1), 20.0) for each in lapsed.index[lapsed]]
    return pd.concat([known, purchases([*back, ("last", TODAY, 1.0)])], ignore_index=True)


@pytest.mark.parametrize("keeps_its_ways", [True, False])
def test_chances_that_come_true_no_more_are_drift_when_their_labels_arrive(
    keeps_its_ways: bool,
) -> None:
    sales = steady_shop(keeps_its_ways=keeps_its_ways)
    sales["order_id"] = range(len(sales))
    day_after = TRAINED_ON + timedelta(days=1)
    known = sales[sales["day"] < pd.Timestamp(day_after)]
    estimator = fit(examples(known, origins(known, churn_model.hold_out(known))))
    served = Served("churn", 1, "r", "f", "skops", "s", "2020-01-01", TRAINED_ON.isoformat())
    with open_memory() as gold:
        gold.execute("create schema gold")
        gold.register("sales", sales)
        gold.execute(
            "create table gold.fct_customer_orders as select customer_id, 'web' as source_system, "
            "order_id, day::date as order_date, amount::decimal(18, 4) as gross_amount from sales"
        )
        assert len(gold_sales(gold)) == len(sales)
        before, now = churn_model.watched(gold, artifacts.of_estimator(estimator), served)
    found = {each.kind: each for each in compare("churn", before, now)}
    assert set(found) == {"feature", "score", "error"}
    brier = [frame["error"].mean() for frame in (before, now)]
    assert found["error"].is_drift == (not keeps_its_ways)
    assert (brier[1] > 1.5 * brier[0]) == (not keeps_its_ways)
