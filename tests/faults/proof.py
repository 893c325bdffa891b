"""The proof after a fault: R1-R8 hold, and silver and gold equal those of a run without a fault.

In: a state that went through a fault, and a shop of known truth. Out: what was lost, doubled or
off, which must be nothing, for the table of `docs/reliability.md`.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.contracts.gold import (
    FCT_DAILY_KPIS,
    FCT_DAILY_SALES,
    FCT_ORDER_LINES,
    FCT_ORDERS,
    GOLD_TABLES,
)
from lakehouse.contracts.tables import BRONZE_EVENTS, ORDER_LINES, TABLES
from lakehouse.duck import delta_relation, open_gold, open_lake
from lakehouse.settings import Settings
from operations.audit import audit_service
from pipelines.publishing.publish import Workers
from tests.faults.source import Truth
from tests.lake_state import LakeState, bring_into_service, copied, failing

SILVER = tuple(table for table in TABLES if table is not BRONZE_EVENTS)
VOLATILE = frozenset({"refined_batch", "ingested_at", "kafka_at", "batch_id"})
"""Columns that say when and in which batch a row was written, not what it is."""
OCCURRENCE = re.compile(r"^((?:\d{8}-)?[0-9a-f]{64})-\d+$")
Rows = Mapping[str, Counter[tuple[Any, ...]]]


@dataclass(frozen=True)
class Damage:
    """What a fault did to the data. `pounds_off` is the absolute difference."""

    records: int
    lost: int
    doubled: int
    pounds_off: Decimal


@dataclass(frozen=True)
class Shop:
    """A seeded source that lies in a Kafka, and what a clean run makes of it."""

    origin: Settings
    truth: Truth
    clean: Rows

    def new_lake(self, home: Path, **options: Any) -> Settings:
        """Settings of a fresh state that has this shop before it: all sent, nothing ingested."""
        return copied(self.origin.model_copy(update=options), home)


def rows_of(settings: Settings, *, but: frozenset[str] = VOLATILE, gold: bool = True) -> Rows:
    """All rows of silver and, where it was published, of gold, as a multiset by table."""
    found: dict[str, Counter[tuple[Any, ...]]] = {}
    with open_lake(settings) as lake:
        for table in SILVER:
            names = ", ".join(f'"{name}"' for name in table.column_names() if name not in but)
            sql = f"select {names} from {delta_relation(settings, table.name)}"
            found[table.name] = Counter(lake.execute(sql).fetchall())
    if gold:
        with open_gold(settings) as connection:
            for name in GOLD_TABLES:
                sql = f"select columns(c -> c not in {tuple(sorted(but))}) from {name}"
                found[name] = Counter(connection.execute(sql).fetchall())
    return found


def differences(found: Rows, clean: Rows, *, shown: int = 3) -> dict[str, str]:
    """By table, how many rows differ and the first of them; empty when all are equal."""
    told = {}
    for name in clean:
        more, fewer = found[name] - clean[name], clean[name] - found[name]
        if more or fewer:
            told[name] = (
                f"{more.total()} rows too many {list(more)[:shown]}, "
                f"{fewer.total()} missing {list(fewer)[:shown]}"
            )
    return told


def damage_of(settings: Settings, truth: Truth) -> Damage:
    """What silver holds against the truth, counted without the audit."""
    ids: set[str] = set()
    doubled = 0
    with open_lake(settings) as lake:
        for table in SILVER:
            relation = delta_relation(settings, table.name)
            key = ", ".join(f'"{name}"' for name in table.key)
            rows, distinct = lake.execute(
                f"select count(*), count(distinct ({key})) from {relation}"
            ).fetchall()[0]
            doubled += rows - distinct
            if "source_offset" in table.column_names():
                events = lake.execute(f"select event_id from {relation}").fetchall()
                ids |= {OCCURRENCE.sub(r"\1", each) for (each,) in events}
        lines = delta_relation(settings, ORDER_LINES.name)
        total = lake.execute(f"select coalesce(sum(line_amount), 0) from {lines}").fetchall()[0][0]
    lost = len(truth.accepted.keys() - ids)
    return Damage(truth.records, lost, doubled, abs(Decimal(total) - truth.money))


def prove(
    settings: Settings,
    shop: Shop,
    *,
    workers: Workers,
    but: frozenset[str] = VOLATILE,
) -> Damage:
    """Publish, audit in full, compare every row with the clean run's.

    Returns: the damage, for the record; it is nothing, or an assertion has failed before.
    """
    bring_into_service(settings, workers)
    assert failing(audit_service(settings, full=True)) == {}
    damage = damage_of(settings, shop.truth)
    assert damage == Damage(shop.truth.records, 0, 0, Decimal(0))
    assert differences(rows_of(settings, but=but), shop.clean) == {}
    return damage


@dataclass(frozen=True)
class Trial:
    """A fresh lake before a shop, to be hurt and then proven whole."""

    shop: Shop
    lake: LakeState
    workers: Workers

    @property
    def settings(self) -> Settings:
        return self.lake.settings

    def prove(self) -> Damage:
        """See `prove`."""
        return prove(self.settings, self.shop, workers=self.workers)


def marts(settings: Settings) -> tuple[Any, ...]:
    """What a reader sees of the gold in service: a sum over each fact table, read at once."""
    with open_gold(settings) as gold:
        return gold.execute(
            f"select (select count(*) from {FCT_ORDER_LINES}), "
            f"(select sum(line_amount) from {FCT_ORDER_LINES}), "
            f"(select sum(net_amount) from {FCT_ORDERS}), "
            f"(select sum(net_amount) from {FCT_DAILY_SALES}), "
            f"(select sum(value) from {FCT_DAILY_KPIS})"
        ).fetchall()[0]


def committed(settings: Settings, table: Any) -> list[dict[str, Any]]:
    """The facts (`userMetadata`) of each data commit of a table, oldest first."""
    from lakehouse.tables import location, log_files

    root = Path(location(table, settings=settings)) / "_delta_log"
    found: list[dict[str, Any]] = []
    for name in sorted(log_files(table, settings=settings)):
        for line in (root / name).read_text(encoding="utf-8").splitlines():
            info = json.loads(line).get("commitInfo", {})
            if text := info.get("userMetadata"):
                found.append(json.loads(text))
    return found


def forget(settings: Settings, *parts: str) -> None:
    """Remove files or folders of a state, as a careless hand does."""
    for part in parts:
        path = settings.home / part
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def seconds_between(notes: Sequence[float], later: Sequence[float]) -> float:
    """From the first of one kind of note to the last of another."""
    return round(later[-1] - notes[0], 2)
