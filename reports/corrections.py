"""What earlier mails said and gold no longer says: announced once in the next mail.

In: the outbox (what each reader was told), the ledger's restatements (which days changed), gold.
Out: `Correction`s. A reader is told what he was told wrong, not what others were.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lakehouse.contracts.kpis import Kpi
from lakehouse.settings import Settings
from reports.figures import Figures, shown_kpis, values_of
from reports.outbox import Entry
from reports.periods import days_of, span_of

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Correction:
    """A KPI of an earlier period: as it was told, and as it is. None: it has no value."""

    report: str
    period: str
    kpi: Kpi
    old: Decimal | None
    new: Decimal | None


def facts_of(figures: Figures, corrections: Iterable[Correction]) -> str:
    """What a mail tells, as JSON: its own figures, and earlier ones that it corrects."""
    told: dict[str, dict[str, str | None]] = {
        figures.period.key: {each.kpi.name: _text(each.now) for each in figures.lines}
    }
    for each in corrections:
        told.setdefault(each.period, {})[each.kpi.name] = _text(each.new)
    return json.dumps(told, sort_keys=True)


def corrections(
    cursor: "duckdb.DuckDBPyConnection",
    entries: Iterable[Entry],
    restated: Iterable[date],
    *,
    but: str,
) -> list[Correction]:
    """Figures that a reader was told and that are others now, by period and KPI.

    Args:
        cursor: The gold of the new mail.
        entries: The reader's mails of one report that have arrived, or may have.
        restated: Days that a publish or rollback changed.
        but: Key of the period of the new mail, which tells it anyway.
    """
    changed = set(restated)
    told: dict[str, dict[str, str | None]] = {}
    report = ""
    for each in sorted(entries, key=lambda entry: entry.queued_at):
        report = each.key.report
        for period, values in _told(each).items():
            told.setdefault(period, {}).update(values)
    found = []
    kpis = {each.name: each for each in shown_kpis()}
    for period in sorted(told):
        if period == but or changed.isdisjoint(days_of(span_of(period))):
            continue
        now = values_of(cursor, span_of(period), report)
        for name, kpi in kpis.items():
            if name in told[period]:
                old = _value(told[period][name])
                if old != now.get(name):
                    found.append(Correction(report, period, kpi, old, now.get(name)))
    return found


def restated_days(settings: Settings) -> set[date]:
    """Days of which the ledger knows a restatement."""
    from pipelines.publishing.restatements import of_published_runs

    return {each.kpi_date for each in of_published_runs(settings)}


def _told(entry: Entry) -> Mapping[str, Mapping[str, str | None]]:
    found: Any = json.loads(entry.facts)
    return found if isinstance(found, dict) else {}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _value(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
