"""A run's machine-readable report, `reports/latest.json`: what screens and tools read of a run.

In: stages, verdicts, figures. Out: one JSON file, replaced atomically, also kept under its run id.
"""

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from lakehouse import pointer
from lakehouse.contracts.tables import QUARANTINE
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.pointer import current_gold
from lakehouse.settings import Settings
from lakehouse.tables import current_version
from operations.context import Context
from pipelines.publishing import restatements
from pipelines.publishing.key_figures import key_figures

PACKAGES = (
    "cartlake",
    "pyspark",
    "delta-spark",
    "kafka-python",
    "duckdb",
    "dbt-core",
    "dbt-duckdb",
    "great-expectations",
    "dash",
)


def new_run_id() -> str:
    """A run's name: its start in UTC, unique to the millisecond, in order as text."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]


def versions() -> dict[str, str]:
    """Versions of what runs."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def quarantine_by_reason(settings: Settings) -> list[dict[str, Any]]:
    """Refused records that still lie in quarantine, by reason, most first."""
    if current_version(QUARANTINE, settings=settings) is None:
        return []
    relation = delta_relation(settings, QUARANTINE.name)
    with open_lake(settings) as lake:
        rows = lake.execute(
            f"select reason, count(*) from {relation} where replayed_at is null "
            "group by reason order by count(*) desc, reason"
        ).fetchall()
    return [{"reason": reason, "records": records} for reason, records in rows]


def build_report(
    context: Context,
    *,
    command: str,
    started_at: str,
    failure: BaseException | None,
    wall_seconds: float,
) -> dict[str, Any]:
    """The report of one run; figures are those of the gold in service, whoever published it."""
    settings, log, outcome = context.settings, context.log, context.outcome
    version = pointer.current(settings)
    service = version.facts if version else {}
    try:
        figures = key_figures(current_gold(settings))
    except LakeError:
        figures = {}
    return {
        "run_id": outcome.run_id,
        "command": command,
        "started_at": started_at,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "verdict": "failed" if failure else "passed",
        "message": str(failure) if failure else ("" if outcome.is_new else "Nothing was new."),
        "stages": [stage.row() for stage in log.stages],
        "wall_seconds": round(wall_seconds, 2),
        "cpu_seconds": round(log.meter.cpu_seconds(), 2),
        "peak_pss_bytes": log.meter.peak_pss_bytes,
        "figures": figures,
        "reconciliation": [each.row() for each in outcome.equations],
        "quality": list(outcome.gate.results) if outcome.gate else [],
        "quarantine": quarantine_by_reason(settings),
        "restatements": restatements.summary(settings),
        "versions": versions(),
        "publish": {key: service.get(key) for key in ("run_id", "file", "published_at")},
    }


def write_report(report: Mapping[str, Any], *, settings: Settings) -> dict[str, Any]:
    """Replace `latest.json`, keep the report under its run id, and return it as written.

    A run in which nothing was new keeps the verdicts of the run that published what is in service.
    """
    latest = settings.reports_dir / "latest.json"
    body = dict(report)
    if body["message"] == "Nothing was new." and latest.exists():
        before = json.loads(latest.read_text(encoding="utf-8"))
        for key in ("reconciliation", "quality"):
            body[key] = body[key] or before.get(key, [])
    text = json.dumps(body, indent=1, default=str)
    for path in (settings.reports_dir / f"run-{body['run_id']}.json", latest):
        replace_text(path, text)
    return body
