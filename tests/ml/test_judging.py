"""Which of two models is better: only who is so for certain, on the same units."""

import numpy as np
import pytest

from ml.judging import Verdict, interval, judge
from ml.trained import Losses


def losses(values: object, *, names: str = "u") -> Losses:
    array = np.asarray(values, dtype=float)
    return Losses("loss", array, tuple(f"{names}{at}" for at in range(len(array))))


def verdict(challenger: Losses, rival: Losses) -> Verdict:
    return judge(challenger, rival, least_units=50, rival_name="version 1")


def test_a_challenger_wins_where_the_whole_interval_is_below_zero() -> None:
    random = np.random.default_rng(3)
    rival = random.normal(1, 0.3, 300)
    better, same, worse = (verdict(losses(rival + by), losses(rival)) for by in (-0.1, 0, 0.1))
    assert (better.is_better, same.is_better, worse.is_better) == (True, False, False)
    assert better.difference == pytest.approx(-0.1)
    assert worse.reason.startswith("worse on 300 units")
    noisy = verdict(losses(random.normal(0.98, 0.3, 60)), losses(random.normal(1, 0.3, 60)))
    assert not noisy.is_better
    assert noisy.low is not None
    assert noisy.high is not None
    assert noisy.low < 0 < noisy.high


@pytest.mark.parametrize(
    ("challenger", "rival", "reason"),
    [
        (losses([np.nan, *[0.0] * 99]), losses([1.0] * 100), "not all finite"),
        (losses([np.inf, *[0.0] * 99]), losses([1.0] * 100), "not all finite"),
        (losses([0.0] * 49), losses([1.0] * 49), "49 units, too few"),
        (losses([0.0] * 100, names="a"), losses([1.0] * 100), "not judged on the same units"),
        (losses([0.0] * 100), losses([np.nan, *[1.0] * 99]), "predictions of version 1"),
    ],
)
def test_what_can_not_be_compared_is_not_better(
    challenger: Losses, rival: Losses, reason: str
) -> None:
    found = verdict(challenger, rival)
    assert (found.is_better, found.difference) == (False, None)
    assert reason in found.reason


def test_the_interval_is_that_of_a_mean_and_wider_for_days_that_hang_together() -> None:
    random = np.random.default_rng(4)
    values = random.normal(0, 1, 600)
    low, high = interval(values)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 600**0.5, rel=0.08)
    weekly = np.repeat(random.normal(0, 1, 100), 6)
    alone, together = interval(weekly), interval(weekly, block=6)
    assert together[1] - together[0] > 1.8 * (alone[1] - alone[0])
    assert interval(values) == (low, high)
