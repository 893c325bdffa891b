"""Each slowly changing dimension over random change histories: every version, key and bound."""

import hashlib
import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.contracts.tables import CUSTOMERS, ORDER_LINES, PRODUCTS, Table

if TYPE_CHECKING:
    from conftest import LiveGold

FIRST = datetime(1, 1, 1)
MIDNIGHT = datetime(2012, 3, 24, 23, 59, 59, 999_999, tzinfo=UTC)
MOMENTS = st.integers(-3, 3).map(lambda n: MIDNIGHT + timedelta(microseconds=n))
"""Few, a microsecond apart and around a midnight, so that changes fall on one and on neighbours."""

EVENT_IDS = st.text("ab9-", min_size=1, max_size=3)
Change = dict[str, Any]
Version = tuple[Any, ...]


@dataclass(frozen=True)
class Dimension:
    """A dimension with the silver table of its changes, and what a change may say."""

    mart: str
    key: str
    member: str
    changes: Table
    states: Mapping[str, Sequence[Any]]


DIMENSIONS = (
    Dimension(
        "dim_products",
        "product_key",
        "sku",
        PRODUCTS,
        {
            "category": ("home", "garden"),
            "unit_price": (Decimal("1.2500"), Decimal("1.2501")),
            "is_active": (True, False),
        },
    ),
    Dimension(
        "dim_customers",
        "customer_key",
        "customer_id",
        CUSTOMERS,
        {"country": ("France", "EIRE"), "has_marketing_consent": (True, False)},
    ),
)


def random_changes(dimension: Dimension) -> st.SearchStrategy[list[Change]]:
    facts = {name: st.sampled_from(values) for name, values in dimension.states.items()}
    change = st.fixed_dictionaries(
        {
            dimension.member: st.sampled_from(["7", "07", "A"]),
            "changed_at": MOMENTS,
            "event_id": EVENT_IDS,
            **facts,
        }
    )
    return st.lists(change, max_size=14, unique_by=lambda each: each["event_id"])


def expected_versions(dimension: Dimension, changes: Sequence[Change]) -> list[Version]:
    """Member by member: the last change of a moment, equal neighbours as one, from year 1 on."""
    found = []
    for member in sorted({each[dimension.member] for each in changes}):
        own = [each for each in changes if each[dimension.member] == member]
        own.sort(key=lambda each: (each["changed_at"], each["event_id"].encode()))
        settled = {each["changed_at"]: tuple(map(each.get, dimension.states)) for each in own}
        kept = [next(group) for _, group in itertools.groupby(settled.items(), lambda at: at[1])]
        starts = [FIRST, *(at.replace(tzinfo=None) for at, _ in kept[1:])]
        ends = [*starts[1:], None]
        for start, end, (_, state) in zip(starts, ends, kept, strict=True):
            text = start.isoformat(" ").rstrip("0") if start.microsecond else start.isoformat(" ")
            key = hashlib.md5(f"{member}|{text}".encode(), usedforsecurity=False).hexdigest()
            found.append((key, member, *state, start, end, end is None))
    return found


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda each: each.mart)
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), chance=st.randoms(use_true_random=False))
def test_every_version_of_a_random_history_is_there_whole_and_keyed_by_its_start(
    live_gold: "LiveGold", dimension: Dimension, data: st.DataObject, chance: random.Random
) -> None:
    changes = data.draw(random_changes(dimension))
    columns = ", ".join([dimension.key, dimension.member, *dimension.states])
    versions = f"""select {columns}, valid_from, valid_to, is_current
        from gold.{dimension.mart} where {dimension.key} <> 'unknown'
        order by {dimension.member}, valid_from"""
    live_gold.fill(ORDER_LINES, [])
    live_gold.fill(dimension.changes, chance.sample(changes, len(changes)))
    assert live_gold.rows(versions) == expected_versions(dimension, changes)
