"""Restatements: published KPIs of a day that a later publish changed, because records came late.

In: the gold in service and the one about to replace it. Out: lines in the ledger's chain
`restatements`, one per business day, written before the pointer moves. Those of a publish that did
not take place don't count. Run standalone: `lake restatements`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from lakehouse import pointer
from lakehouse.contracts.gold import FCT_DAILY_KPIS
from lakehouse.duck import open_gold
from lakehouse.ledger import chain, publishes
from lakehouse.settings import Settings

CHAIN = "restatements"
SHOWN = 50
"""Restatements that a run's report carries at most; the ledger has them all."""


@dataclass(frozen=True)
class Restatement:
    """One KPI of one business day that a run changed; None: it had no value."""

    kpi_date: date
    kpi: str
    unit: str
    old_value: Decimal | None
    new_value: Decimal | None
    run_id: str

    def row(self) -> dict[str, str | None]:
        """As reports and terminals show it; values are plain decimals."""
        return {
            "kpi_date": self.kpi_date.isoformat(),
            "kpi": self.kpi,
            "unit": self.unit,
            "old_value": _text(self.old_value),
            "new_value": _text(self.new_value),
            "run_id": self.run_id,
        }


def restate(
    built: Path, last: publishes.Published | None, *, run_id: str, settings: Settings
) -> int | None:
    """Write down which published KPIs a gold about to be published changes.

    Returns: how many; None where there is no earlier file to compare with.
    """
    before = settings.gold_dir / last.file if last else None
    if before is None or not before.is_file():
        return None
    found = compare(before, built, run_id=run_id)
    record(found, settings=settings)
    return len(found)


def compare(before: Path, after: Path, *, run_id: str) -> list[Restatement]:
    """KPIs that differ between two gold files, by day and KPI.

    A day or a KPI that the earlier file does not have at all appears for the first time: that is no
    restatement.
    """
    old, new = _kpis(before), _kpis(after)
    known_days, known_kpis = {day for day, _ in old}, {kpi for _, kpi in old}
    none: tuple[Decimal | None, str] = (None, "")
    found = []
    for day, kpi in sorted(old.keys() | new.keys()):
        was, now = old.get((day, kpi), none), new.get((day, kpi), none)
        if day in known_days and kpi in known_kpis and was[0] != now[0]:
            found.append(Restatement(day, kpi, now[1] or was[1], was[0], now[0], run_id))
    return found


def record(found: Iterable[Restatement], *, settings: Settings) -> None:
    """Write a run's restatements into the ledger, one line per day."""
    lines = [
        {
            "kind": "restated",
            "run_id": run_id,
            "day": day.isoformat(),
            "kpis": {
                each.kpi: [each.unit, _text(each.old_value), _text(each.new_value)] for each in kpis
            },
        }
        for (run_id, day), kpis in groupby(found, key=lambda each: (each.run_id, each.kpi_date))
    ]
    chain.write(CHAIN, *lines, settings=settings)


def of_published_runs(settings: Settings) -> list[Restatement]:
    """Every restatement that came into service, oldest publish first, then by day and KPI.

    A rollback restates too: its lines carry its own id for a run.
    """
    published = {line.get("rollback_id", line["run_id"]) for line in publishes.served(settings)}
    return [
        Restatement(
            date.fromisoformat(line["day"]), kpi, unit, _value(old), _value(new), line["run_id"]
        )
        for line in chain.lines(CHAIN, settings=settings)
        if line["run_id"] in published
        for kpi, (unit, old, new) in sorted(line["kpis"].items())
    ]


def summary(settings: Settings) -> dict[str, Any]:
    """Counts of all publishes and of the one in service, and its first restatements."""
    found = of_published_runs(settings)
    version = pointer.current(settings)
    last = [each for each in found if version and each.run_id == version.change_id]
    return {
        "days": len({each.kpi_date for each in last}),
        "figures": len(last),
        "rows": [each.row() for each in last[:SHOWN]],
        "all_days": len({(each.run_id, each.kpi_date) for each in found}),
        "all_figures": len(found),
    }


def _kpis(gold: Path) -> dict[tuple[date, str], tuple[Decimal | None, str]]:
    with open_gold(gold) as connection:
        rows = connection.execute(
            f"select kpi_date, kpi, value, unit from {FCT_DAILY_KPIS}"
        ).fetchall()
    return {(day, kpi): (value, unit) for day, kpi, value, unit in rows}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _value(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
