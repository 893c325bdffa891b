"""The platform's own figures that alerts judge: age of gold, gate, audit, last run, lag.

In: the pointer, the last run's report, a lag that the caller measured. Out: readings by kind of
rule and subject. What can't be read has no value, which neither fires nor resolves anything.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lakehouse import pointer
from lakehouse.settings import Settings
from reports.alerts.judging import Reading

Readings = Mapping[str, Mapping[str, Reading]]


def read_platform(
    settings: Settings, *, now: datetime, lag: tuple[int, float] | None = None
) -> dict[str, dict[str, Reading]]:
    """All readings of now; `lag` is records that wait in Kafka and hours that gold is behind."""
    run = _last_run(settings)
    records, hours = lag or (None, None)
    return {
        "gold_age": {"gold": _age(settings, now)},
        "gate": {"quality gate": _gate(run)},
        "audit": {"reconciliation": _audit(run)},
        "run": {"last run": _run(run)},
        "lag_records": {"Kafka": Reading(None if records is None else float(records), "records")},
        "lag_hours": {"gold": Reading(hours, "hours")},
    }


def _age(settings: Settings, now: datetime) -> Reading:
    version = pointer.current(settings)
    if version is None or version.published_at is None:
        return Reading(None, "hours")
    age = (now - version.published_at).total_seconds() / 3600
    return Reading(max(age, 0.0), "hours", f"run {version.run_id}")


def _last_run(settings: Settings) -> dict[str, Any]:
    """The last run's report; empty before the first run, or where it can't be read."""
    path = settings.reports_dir / "latest.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _gate(run: Mapping[str, Any]) -> Reading:
    rows = _rows(run, "quality")
    red = [
        str(each.get("rule"))
        for each in rows
        if not each.get("success")
        and (each.get("severity") == "block" or each.get("status") == "error")
    ]
    return Reading(float(len(red)) if rows else None, "rules", ", ".join(red[:3]))


def _audit(run: Mapping[str, Any]) -> Reading:
    rows = _rows(run, "reconciliation")
    red = [str(each.get("equation")) for each in rows if each.get("verdict") != "holds"]
    return Reading(float(len(red)) if rows else None, "equations", ", ".join(red))


def _run(run: Mapping[str, Any]) -> Reading:
    verdict = run.get("verdict")
    if verdict not in ("passed", "failed"):
        return Reading(None, "failures")
    return Reading(float(verdict == "failed"), "failures", str(run.get("message") or ""))


def _rows(run: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = run.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
