"""Writes what the models say of every customer: features, segments, churn, lifetime value.

In: gold in service, pinned for the whole run, and the champions of the registry. Out: one Delta
version of each table of scores. It runs after a publish and never within one, so nothing that fails
here keeps gold out of service; one table that can't be written stops no other.
Run standalone: `lake job features`, `lake job score`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.scores import (
    CUSTOMER_CHURN,
    CUSTOMER_FEATURES,
    CUSTOMER_LIFETIME_VALUE,
    CUSTOMER_SEGMENTS,
)
from lakehouse.contracts.tables import Table
from lakehouse.duck import open_gold
from lakehouse.pointer import in_service
from lakehouse.settings import Settings
from ml import scores
from ml.features import features
from ml.sales import gold_sales, last_day

if TYPE_CHECKING:
    import pandas as pd

HORIZON_WEEKS = 13.0


@dataclass(frozen=True)
class Written:
    """One table that was written, and what is to be said of it."""

    rows: int
    note: str


@dataclass(frozen=True)
class Known:
    """Purchases of one version of gold, and the day after the last of them."""

    run_id: str
    sales: "pd.DataFrame"
    cutoff: date


def known(settings: Settings) -> Known:
    """What is known now. Raises: LakeError where nothing is published, or nobody has bought."""
    version = in_service(settings)
    with open_gold(version.path) as gold:
        sales = gold_sales(gold)
    return Known(version.run_id, sales, last_day(sales) + timedelta(days=1))


def write_features(now: Known, settings: Settings) -> Written:
    """Features of every customer."""
    frame = features(now.sales, now.cutoff).reset_index()
    frame["model_version"] = f"features of {now.run_id}"
    return _write(CUSTOMER_FEATURES, frame, now, settings)


def write_segments(now: Known, settings: Settings) -> Written:
    """Group of every customer."""
    from ml.segment_scores import segments

    frame = segments(now.sales, now.cutoff)
    frame["model_version"] = f"segments of {now.run_id}"
    return _write(CUSTOMER_SEGMENTS, frame, now, settings, "groups found anew")


def write_churn(now: Known, settings: Settings) -> Written:
    """Chance to churn of every customer by the champion, and by the challenger in its shadow."""
    import pandas as pd

    from ml.churn_scores import Offer, churn

    offer = Offer(settings.margin_rate, settings.offer_cost, settings.offer_success_rate)
    frame = features(now.sales, now.cutoff)
    models, note = churn_models(now, settings)
    parts = [
        churn(frame, estimator, offer).assign(alias=alias, model_version=label)
        for alias, (label, estimator) in models.items()
    ]
    return _write(CUSTOMER_CHURN, pd.concat(parts, ignore_index=True), now, settings, note)


def write_lifetime_value(now: Known, settings: Settings) -> Written:
    """Purchases and money to come of every customer."""
    from ml import lifetime_value as ltv

    history = ltv.histories(now.sales, now.cutoff - timedelta(days=1))
    purchases, spend = ltv.fit_purchases(history), ltv.fit_spend(history)
    days = ltv.expected_purchases(purchases, history, HORIZON_WEEKS)
    amounts = ltv.expected_spend(spend, history) if spend else history["spend"].to_numpy()
    frame = history.assign(
        horizon_weeks=HORIZON_WEEKS,
        repeat_day_count=history["repeats"].astype(float),
        alive_chance=ltv.alive(purchases, history),
        expected_purchase_days=days,
        expected_day_amount=amounts,
        expected_amount=days * amounts,
        model_version=f"lifetime value of {now.run_id}",
    ).reset_index()
    note = " ".join((*purchases.warnings, *(spend.warnings if spend else ())))
    return _write(CUSTOMER_LIFETIME_VALUE, frame, now, settings, note)


WRITERS: dict[str, Callable[[Known, Settings], Written]] = {
    "segments": write_segments,
    "churn": write_churn,
    "lifetime value": write_lifetime_value,
}
"""What `lake job score` writes of customers, by name."""


def churn_models(now: Known, settings: Settings) -> tuple[dict[str, tuple[str, Any]], str]:
    """Estimators by alias with their labels, and what is to be said of them.

    As long as no version serves, the best plain rule stands in the champion's place.

    Raises:
        LakeError: The champion's file is refused, or there is too little to learn a rule from.
    """
    from ml import artifacts, serving
    from ml.churn_model import NAME, best_rule

    champion = serving.champion(NAME, settings=settings)
    challenger = serving.challenger(NAME, settings=settings)
    found = {
        alias: (each.label, artifacts.estimator_of(serving.load(each, settings=settings)))
        for alias, each in (("champion", champion), ("challenger", challenger))
        if each is not None
    }
    if champion is not None:
        return found, f"by {champion.label}"
    rule, estimator = best_rule(now.sales)
    label = f"the rule {rule}, of {now.run_id}"
    return {**found, "champion": (label, estimator)}, f"no version serves: by the rule {rule}"


def _write(
    table: Table, frame: "pd.DataFrame", now: Known, settings: Settings, note: str = ""
) -> Written:
    import pandas as pd

    frame = frame.assign(cutoff_date=now.cutoff, scored_at=pd.Timestamp.now("UTC"))
    metadata = {"query": "score", "gold_run": now.run_id}
    scores.replace(table, frame, settings=settings, metadata=metadata)
    return Written(len(frame), note)
