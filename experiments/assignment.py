"""Which arm a unit gets: a pure function of its id, the experiment's salt and the weights.

Whoever computes it, in whatever order, gets the same arm, so nothing has to be stored.
"""

from collections.abc import Mapping
from fractions import Fraction
from hashlib import sha256
from itertools import accumulate

BUCKETS = 10_000


def bucket_of(unit: str, *, salt: str) -> int:
    """The unit's bucket, 0 to 9,999: of two salts, one's buckets say nothing of the other's."""
    digest = sha256(f"{salt}:{unit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def arm_of(unit: str, *, salt: str, weights: Mapping[str, float]) -> str:
    """The arm that holds the unit's bucket; arms follow each other in the order of the weights."""
    exact = {arm: Fraction(str(weight)) for arm, weight in weights.items()}
    point = bucket_of(unit, salt=salt) * sum(exact.values())
    ends = accumulate(exact.values())
    return next(arm for arm, end in zip(exact, ends, strict=True) if point < end * BUCKETS)
