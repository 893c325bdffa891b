"""Models as bytes: what comes back is what was stored, and nothing is stored by pickle."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skops import io

from lakehouse.errors import LakeError
from ml import artifacts

X = np.random.default_rng(0).random((60, 3))
Y = X[:, 0] + X[:, 1] > 1


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        GradientBoostingClassifier(n_estimators=3),
    ],
    ids=["logistic", "boosting"],
)
def test_an_estimator_foresees_the_same_after_it_was_stored(estimator: object) -> None:
    fitted = estimator.fit(X, Y)  # type: ignore[attr-defined]
    found = artifacts.of_estimator(fitted)
    assert (found.format, found.file_name, len(found.sha256)) == ("skops", "model.skops", 64)
    assert b"pickle" not in found.content
    again = artifacts.estimator_of(found)
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()


def test_what_needs_pickle_is_refused_by_name() -> None:
    fitted = HistGradientBoostingClassifier(max_iter=2).fit(X, Y)
    with pytest.raises(LakeError, match=r"HistGradientBoostingClassifier can't be stored"):
        artifacts.of_estimator(fitted)


def test_a_file_with_another_type_is_not_loaded() -> None:
    foreign = artifacts.Artifact("skops", io.dumps(HistGradientBoostingClassifier().fit(X, Y)))
    with pytest.raises(LakeError, match="is not loaded: Untrusted types"):
        artifacts.estimator_of(foreign)


def test_numbers_are_canonical_and_finite() -> None:
    one, other = artifacts.of_values({"b": 1, "a": 2.5}), artifacts.of_values({"a": 2.5, "b": 1})
    assert one == other
    assert artifacts.values_of(one) == {"a": 2.5, "b": 1}
    with pytest.raises(LakeError, match="not finite"):
        artifacts.of_values({"a": float("nan")})
