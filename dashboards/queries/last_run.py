"""What the last run reported about itself, as values.

In: `<LAKE_HOME>/reports/latest.json`. Out: a `LastRun`; a missing or odd key becomes nothing, never
an error, so that an older or newer report still shows what it holds.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.pointer import parse_time
from lakehouse.settings import Settings

REPORT = "latest.json"


@dataclass(frozen=True)
class Stage:
    """A step of the run; rows are those that it read and wrote."""

    name: str
    status: str
    rows_in: float | None
    rows_out: float | None
    seconds: float | None
    cpu_seconds: float | None
    note: str


@dataclass(frozen=True)
class Check:
    """A rule of the quality gate: `severity` block or warn; `status` error if it could not run."""

    table: str
    name: str
    meaning: str
    severity: str
    status: str
    is_success: bool
    observed: str
    detail: str

    @property
    def is_blocking(self) -> bool:
        """Whether this verdict keeps gold from being published."""
        return not self.is_success and (self.severity == "block" or self.status == "error")


@dataclass(frozen=True)
class Equation:
    """One equation of the reconciliation, its two sides as the audit wrote them."""

    name: str
    statement: str
    left: str
    right: str
    difference: str
    holds: bool


@dataclass(frozen=True)
class Restated:
    """A published KPI of a day that a later publish changed; values as it published them."""

    kpi_date: str
    kpi: str
    unit: str
    before: str
    after: str


@dataclass(frozen=True)
class Restatements:
    """Days and KPIs restated by the publish in service (`rows`: the first) and by all."""

    days: int
    figures: int
    rows: tuple[Restated, ...]
    all_days: int
    all_figures: int


@dataclass(frozen=True)
class LastRun:
    """The last run, whether it published or not."""

    run_id: str
    command: str
    started_at: datetime | None
    finished_at: datetime | None
    verdict: str
    message: str
    wall_seconds: float | None
    cpu_seconds: float | None
    peak_pss_bytes: float | None
    stages: tuple[Stage, ...]
    checks: tuple[Check, ...]
    equations: tuple[Equation, ...]
    refused: tuple[tuple[str, float], ...]
    versions: tuple[tuple[str, str], ...]
    restatements: Restatements | None = None

    @property
    def is_failed(self) -> bool:
        return self.verdict == "failed"


def report_path(settings: Settings) -> Path:
    """Where every run leaves its report."""
    return settings.reports_dir / REPORT


def read_last_run(settings: Settings) -> LastRun | None:
    """The last run, or nothing before the first one.

    Raises:
        LakeError: The report is there but cannot be read.
    """
    path = report_path(settings)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise LakeError(f"{path} cannot be read: the next run (./lake run daily) rewrites it.")
    return parse_last_run(content)


def parse_last_run(content: dict[str, object]) -> LastRun:
    """A report's JSON object as values."""
    versions = content.get("versions")
    return LastRun(
        run_id=_text(content, "run_id"),
        command=_text(content, "command"),
        started_at=parse_time(content.get("started_at")),
        finished_at=parse_time(content.get("finished_at")),
        verdict=_text(content, "verdict"),
        message=_text(content, "message"),
        wall_seconds=_number(content, "wall_seconds"),
        cpu_seconds=_number(content, "cpu_seconds"),
        peak_pss_bytes=_number(content, "peak_pss_bytes"),
        stages=tuple(_stage(each) for each in _objects(content, "stages")),
        checks=tuple(_check(each) for each in _objects(content, "quality")),
        equations=tuple(_equation(each) for each in _objects(content, "reconciliation")),
        refused=tuple(
            (_text(each, "reason"), _number(each, "records") or 0)
            for each in _objects(content, "quarantine")
        ),
        versions=tuple((str(name), str(version)) for name, version in versions.items())
        if isinstance(versions, dict)
        else (),
        restatements=_restatements(content.get("restatements")),
    )


def _restatements(value: object) -> Restatements | None:
    if not isinstance(value, dict):
        return None
    names = ("kpi_date", "kpi", "unit", "old_value", "new_value")
    rows = tuple(
        Restated(*(_text(each, name) for name in names)) for each in _objects(value, "rows")
    )
    days, figures, all_days, all_figures = (
        int(_number(value, name) or 0) for name in ("days", "figures", "all_days", "all_figures")
    )
    return Restatements(days, figures, rows, all_days, all_figures)


def _stage(each: dict[str, object]) -> Stage:
    return Stage(
        _text(each, "name"),
        _text(each, "status"),
        _number(each, "rows_in"),
        _number(each, "rows_out"),
        _number(each, "seconds"),
        _number(each, "cpu_seconds"),
        _text(each, "note"),
    )


def _check(each: dict[str, object]) -> Check:
    return Check(
        _text(each, "table"),
        _text(each, "rule") or _text(each, "column"),
        _text(each, "meaning") or _in_words(_text(each, "expectation")),
        _text(each, "severity"),
        _text(each, "status"),
        each.get("success") is True,
        _text(each, "observed"),
        _text(each, "detail"),
    )


def _equation(each: dict[str, object]) -> Equation:
    return Equation(
        _text(each, "equation"),
        _text(each, "statement"),
        _text(each, "left"),
        _text(each, "right"),
        _text(each, "difference"),
        each.get("verdict") == "holds",
    )


def _in_words(expectation: str) -> str:
    return expectation.removeprefix("expect_").replace("_", " ")


def _objects(content: dict[str, object], key: str) -> list[dict[str, object]]:
    value = content.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(content: dict[str, object], key: str) -> str:
    value = content.get(key)
    return "" if value is None else str(value)


def _number(content: dict[str, object], key: str) -> float | None:
    value = content.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
