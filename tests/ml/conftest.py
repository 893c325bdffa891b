"""Fewer repetitions for tests of what is done with them, not of how sure they make a figure."""

import pytest


@pytest.fixture
def few_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two starts and resamples of groups, and ten draws of intervals."""
    monkeypatch.setattr("ml.segments.STARTS", 2)
    monkeypatch.setattr("ml.segments.RESAMPLES", 2)
    monkeypatch.setattr("ml.lifetime_value_check.DRAWS", 10)
    monkeypatch.setattr("ml.churn_evaluation.DRAWS", 20)
