"""Lifetime value: likelihoods with their gradients, planted parameters, bounds, bad histories."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import trapezoid
from scipy.optimize import approx_fprime
from scipy.special import hyp2f1
from scipy.stats import beta, gamma

from lakehouse.errors import LakeError
from ml.clv_report import report
from ml.lifetime_value import (
    PurchaseModel,
    SpendModel,
    alive,
    expected_purchases,
    expected_spend,
    fit_purchases,
    fit_spend,
    histories,
    purchase_likelihood,
    spend_likelihood,
)
from ml.lifetime_value_check import errors
from ml.sales import SalesFile
from tests.ml.purchases import purchases

DAY = date(2019, 1, 1)


def history(rows: list[tuple[int, float, float, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["repeats", "last_week", "weeks", "spend"])


def planted(
    seed: int, *, customers: int, r: float, alpha: float, a: float, b: float
) -> pd.DataFrame:
    """Histories of 39 weeks that follow a BG/NBD model, by the day, spend by gamma-gamma."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(customers):
        weeks = 39 - random.integers(0, 84) / 7
        rate, leaves = random.gamma(r) / alpha, random.beta(a, b)
        at, x, last = 0.0, 0, 0.0
        while True:
            at += random.exponential(1 / max(rate, 1e-12))
            if at > weeks:
                break
            x, last = x + 1, at
            if random.random() < leaves:
                break
        nu = random.gamma(3.7) / 15.4
        spend = random.gamma(6.2 * x) / nu / x if x else 0.0
        rows.append((x, last, weeks, spend))
    return history(rows)


def test_days_become_histories_in_weeks_with_one_purchase_a_day() -> None:
    sales = purchases(
        [
            ("a", DAY, 10.0),
            ("a", DAY + timedelta(days=7), 5.0),
            ("a", DAY + timedelta(days=7), 7.0),
            ("a", DAY + timedelta(days=21), 6.0),
            ("a", DAY + timedelta(days=29), 99.0),
            ("b", DAY + timedelta(days=28), 3.0),
        ]
    )
    found = histories(sales, DAY + timedelta(days=28))
    expected = history([(2, 3.0, 4.0, 9.0), (0, 0.0, 0.0, 0.0)]).set_axis(["a", "b"])
    pd.testing.assert_frame_equal(found.rename_axis(None), expected)


def test_the_gradients_are_those_of_the_likelihoods() -> None:
    x, tx, t = np.array([0.0, 2.0, 5.0]), np.array([0.0, 9.0, 30.0]), np.array([12.0, 30.0, 38.0])
    counts = np.array([3.0, 1.0, 2.0])
    at = np.array([0.4, 5.0, 0.8, 2.5])
    _, gradient = purchase_likelihood(at, x, tx, t, counts)
    numeric = approx_fprime(at, lambda v: purchase_likelihood(v, x, tx, t, counts)[0], 1e-7)
    assert gradient == pytest.approx(numeric, rel=1e-4)
    at, x, z = np.array([6.0, 4.0, 15.0]), np.array([1.0, 4.0]), np.array([30.0, 12.0])
    _, gradient = spend_likelihood(at, x, z, np.array([2.0, 1.0]))
    numeric = approx_fprime(at, lambda v: spend_likelihood(v, x, z, np.array([2.0, 1.0]))[0], 1e-7)
    assert gradient == pytest.approx(numeric, rel=1e-4)


def test_the_likelihood_is_the_integral_of_the_story_of_one_customer() -> None:
    r, alpha, a, b, x, tx, t = 1.7, 6.0, 1.9, 2.2, 2, 4.0, 10.0
    rate, leaves = np.linspace(1e-9, 6, 3000), np.linspace(0, 1, 1500)[:, None]
    stays = (1 - leaves) ** x * rate**x * np.exp(-rate * t)
    left = leaves * (1 - leaves) ** (x - 1) * rate**x * np.exp(-rate * tx)
    density = gamma.pdf(rate, r, scale=1 / alpha) * beta.pdf(leaves, a, b)
    story = trapezoid(trapezoid((stays + left) * density, rate, axis=1), leaves[:, 0])
    one = np.array([1.0])
    found, _ = purchase_likelihood(np.array([r, alpha, a, b]), one * x, one * tx, one * t, one)
    assert found == pytest.approx(np.log(story), rel=1e-5)


def test_expected_purchases_are_those_of_the_published_formula() -> None:
    model = PurchaseModel(0.243, 4.414, 0.793, 2.426, 0.0)
    rows = history([(0, 0, 38.86, 0), (2, 30.43, 38.86, 9), (26, 35.0, 36.0, 9), (1, 2.0, 30.0, 9)])
    x, t, weeks = rows["repeats"].to_numpy(), rows["weeks"].to_numpy(), 39.0
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    z = weeks / (alpha + t + weeks)
    series = hyp2f1(r + x, b + x, a + b + x - 1, z)
    whole = (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** (r + x) * series) * alive(model, rows)
    assert expected_purchases(model, rows, weeks) == pytest.approx(whole, rel=1e-5)


def test_planted_parameters_are_found() -> None:
    found = planted(1, customers=6000, r=0.6, alpha=5.0, a=0.8, b=2.4)
    model = fit_purchases(found)
    assert (model.r, model.alpha) == pytest.approx((0.6, 5.0), rel=0.15)
    assert model.a / (model.a + model.b) == pytest.approx(0.25, rel=0.15)
    assert model.warnings == ()
    spend = fit_spend(found)
    assert spend is not None
    assert (spend.p, spend.q, spend.v) == pytest.approx((6.2, 3.7, 15.4), rel=0.25)


def test_the_closer_future_holds_what_the_histories_go_on_with() -> None:
    model = PurchaseModel(0.6, 5.0, 0.8, 2.4, 0.0)
    random = np.random.default_rng(7)
    customers = 60_000
    rates, leaving = random.gamma(0.6, size=customers) / 5.0, random.beta(0.8, 2.4, customers)
    stays = random.geometric(leaving)
    bought = np.minimum(random.poisson(rates * 10.0), stays)
    new = history([(0, 0.0, 0.0, 0.0)])
    assert float(expected_purchases(model, new, 10.0)[0]) == pytest.approx(bought.mean(), rel=0.03)
    assert alive(model, new).tolist() == [1.0]


@pytest.mark.parametrize("values", [(0.7, 9.4, 1e-3, 1e4), (1e4, 1e4, 1.0, 1e4), (1, 1, 1e4, 1)])
def test_expected_purchases_are_numbers_on_every_bound(values: tuple[float, ...]) -> None:
    r, alpha, a, b = values
    found = expected_purchases(
        PurchaseModel(r, alpha, a, b, 0.0), history([(0, 0, 9, 0), (5, 8, 9, 9)]), 13.0
    )
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_spend_moves_from_all_customers_to_the_own_with_each_repeat_day() -> None:
    model = SpendModel(6.0, 4.0, 15.0, 0.0)
    found = expected_spend(model, history([(0, 0, 9, 0), (1, 1, 9, 90), (50, 9, 9, 90)]))
    assert found[0] == pytest.approx(6.0 * 15.0 / 3.0)
    assert found[0] < found[1] < found[2] < 90


def test_customers_whom_nobody_can_see_leave_raise_a_warning() -> None:
    random = np.random.default_rng(12)
    rows = []
    for _ in range(800):
        weeks = 20 + random.integers(0, 140) / 7
        days = np.sort(random.uniform(0, weeks, random.poisson(random.gamma(1.5) / 8 * weeks)))
        rows.append((len(days), float(days[-1]) if len(days) else 0.0, weeks, 10.0))
    found = fit_purchases(history(rows))
    assert any("No customer can be seen to leave" in each for each in found.warnings)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", DAY, 1.0)] * 3, "1 customers, 0 of them with a second purchase day, are too few"),
        ([(f"c{n}", DAY, 1.0) for n in range(50)], "50 customers, 0 of them"),
    ],
    ids=["one customer", "one day"],
)
def test_too_few_customers_or_one_day_are_refused(
    rows: list[tuple[str, date, float]], said: str
) -> None:
    with pytest.raises(LakeError, match=said):
        report(SalesFile(purchases(rows), DAY))


def test_equal_amounts_push_spend_onto_a_bound_and_say_so() -> None:
    same = history([(1 + n % 6, 5.0, 9.0, 10.0) for n in range(40)])
    spend = fit_spend(same)
    assert spend is not None
    assert any("sits on its bound" in each for each in spend.warnings)
    assert expected_spend(spend, same) == pytest.approx([10.0] * 40, rel=0.02)


def test_a_customer_with_a_million_orders_is_one_row() -> None:
    one = pd.DataFrame(
        {
            "customer_id": "many",
            "day": pd.Timestamp(DAY) + pd.to_timedelta(np.arange(1_000_000) % 200, "D"),
            "amount": 1.0,
            "order_id": np.arange(1_000_000).astype(str),
        }
    )
    found = histories(one, DAY + timedelta(days=300))
    assert found["repeats"].tolist() == [199]
    assert found["spend"].tolist() == [5000.0]


def test_plain_rules_are_judged_on_the_same_customers() -> None:
    rows = history([(4, 8.0, 8.0, 1.0), (4, 2.0, 10.0, 1.0), (0, 0.0, 10.0, 0.0)])
    found = errors(rows, np.array([1.0, 1.0, 1.0]), pd.Series({0: 2}), 4.0)
    assert found["naive"].predicted == pytest.approx(2.0 + 1.6)
    assert found["hiatus"].predicted == pytest.approx(2.0)
    assert found["hiatus"].mean_absolute_error == 0.0
    assert found["model"].total_error_rate == pytest.approx(0.5)
