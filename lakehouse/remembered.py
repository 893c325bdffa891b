"""Answers of a function of a short text, remembered: a shop's records repeat few values."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")
LONGEST_REMEMBERED = 64
ANSWERS = 1 << 15


def remembered(read: Callable[[str], T]) -> Callable[[str], T]:
    """Remember the answers for short texts; long ones would take memory, and are rare."""
    cached = lru_cache(ANSWERS)(read)

    @wraps(read)
    def recall(text: str) -> T:
        return cached(text) if len(text) <= LONGEST_REMEMBERED else read(text)

    return recall
