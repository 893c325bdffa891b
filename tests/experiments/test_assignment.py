"""Assignment: stable for ever, uniform, independent between experiments, by weights."""

from collections import Counter
from hashlib import sha256

import pytest
from scipy.stats import chi2_contingency, chisquare

from experiments.assignment import BUCKETS, arm_of, bucket_of

UNITS = [f"visitor-{n}" for n in range(4_000)]


def test_a_bucket_is_the_hash_written_out() -> None:
    digest = sha256(b"summer:visitor-7").hexdigest()
    assert bucket_of("visitor-7", salt="summer") == int(digest[:16], 16) % 10_000
    assert [bucket_of(unit, salt="summer") for unit in ("a", "b", "Žofie")] == [5181, 8056, 3956]


def test_buckets_are_uniform_and_salts_are_independent() -> None:
    tens = [[bucket_of(unit, salt=salt) * 10 // BUCKETS for unit in UNITS] for salt in ("x", "y")]
    counts = Counter(tens[0])
    assert chisquare([counts[each] for each in range(10)]).pvalue > 0.001
    pairs = Counter(zip(*tens, strict=True))
    table = [[pairs[row, column] for column in range(10)] for row in range(10)]
    assert chi2_contingency(table).pvalue > 0.001


@pytest.mark.parametrize("weights", [{"A": 1, "B": 1}, {"A": 0.7, "B": 0.2, "C": 0.1}])
def test_arms_get_their_shares(weights: dict[str, float]) -> None:
    counts = Counter(arm_of(unit, salt="x", weights=weights) for unit in UNITS)
    expected = [len(UNITS) * each / sum(weights.values()) for each in weights.values()]
    assert chisquare([counts[arm] for arm in weights], expected).pvalue > 0.001


def test_weights_cut_the_buckets_exactly() -> None:
    for unit in UNITS:
        arm = arm_of(unit, salt="x", weights={"A": 0.1, "B": 0.2, "C": 0.7})
        bucket = bucket_of(unit, salt="x")
        assert arm == ("A" if bucket < 1000 else "B" if bucket < 3000 else "C")
