"""Whether the figures may be sent, and the counts of the line that says how sound they are.

In: an audit of the gold in service, the gate's verdicts, the runs since. Out: a `Health`. Red is an
equation that fails now, or whatever keeps newer data from coming into service.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.ledger import publishes
from lakehouse.pointer import Version
from lakehouse.settings import Settings

_STEPS = ("gate", "gold", "audit", "publish")
"""Stages that bring gold into service; where one failed, an older gold is still there."""


@dataclass(frozen=True)
class Equation:
    """One equation of the audit of what is in service."""

    name: str
    holds: bool
    difference: str


@dataclass(frozen=True)
class Audited:
    """An audit of the gold in service as it is now, and how many records lie in quarantine."""

    equations: tuple[Equation, ...]
    refused: int


@dataclass(frozen=True)
class Health:
    """What is red, in words; and how many equations, checks, warnings and refused records."""

    red: tuple[str, ...]
    equations: int
    checks: int
    warnings: int
    refused: int

    @property
    def is_red(self) -> bool:
        return bool(self.red)


def judge(version: Version, audited: Audited, *, settings: Settings) -> Health:
    """The health of the gold that a mail reads.

    Raises:
        LakeError: A verdict can't be read, so it is not known whether the gate is green.
    """
    red = [
        f"{each.name} of the reconciliation fails: {each.difference or 'its sides differ'}"
        for each in audited.equations
        if not each.holds
    ]
    if not audited.equations:
        red.append("the gold in service was not audited")
    red += _gate(version, settings) or _failed(version, settings)
    checks = _results(settings.reports_dir / f"quality-{version.run_id}.json")
    return Health(
        tuple(red),
        len({each.name for each in audited.equations}),
        len(checks),
        sum(not each.get("success") for each in checks),
        audited.refused,
    )


def _gate(version: Version, settings: Settings) -> list[str]:
    """Blocking verdicts of gates that judged newer data than what is in service, the last first."""
    lines = publishes.lines(settings, "published", "rolled_back", "blocked")
    if not lines or lines[-1]["kind"] != "blocked":
        return []
    run_id = str(lines[-1]["run_id"])
    rules = ", ".join(str(each) for each in lines[-1].get("rules") or []) or "a rule"
    return [
        f"the quality gate blocked run {run_id} on {rules}; figures stay as of {version.run_id}"
    ]


def _failed(version: Version, settings: Settings) -> list[str]:
    """The last run after the one in service that began to publish and failed at it."""
    for path in sorted(settings.reports_dir.glob("run-*.json"), reverse=True):
        if path.stem.removeprefix("run-") <= version.run_id:
            return []
        found = _read(path)
        stages = [each for each in found.get("stages") or [] if each.get("name") in _STEPS]
        if failed := [each["name"] for each in stages if each.get("status") == "failed"]:
            why = found.get("message") or "no message"
            return [f"the publish of run {found.get('run_id')} failed at {failed[0]}: {why}"]
        if any(each.get("status") == "done" for each in stages):
            return []
    return []


def _results(path: Path) -> list[dict[str, Any]]:
    return list(_read(path).get("results") or []) if path.exists() else []


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LakeError(
            f"{path} can't be read, so it is not known whether the gate is green: the next run "
            "(./lake run daily) writes it again."
        ) from error
    return found if isinstance(found, dict) else {}
