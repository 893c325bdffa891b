"""The rules of alerts as data: a TOML file with a calendar, times for notices, and a table a rule.

In: the file. Out: a checked `RuleBook`. What each field means: docs/alerts.md.
"""

import math
import re
from datetime import date, time, timedelta
from pathlib import Path

import msgspec

from lakehouse.contracts.kpis import read_kpis
from lakehouse.errors import LakeError

OWN_RULES = Path(__file__).with_name("rules.toml")
DAILY = ("threshold", "change", "anomaly", "source_silent")
"""Kinds that judge a day of the shop."""
NOW = (
    *("gold_age", "gate", "audit", "run", "lag_records", "lag_hours"),
    *("experiment", "model_drift"),
)
"""Kinds that judge the platform as it is."""
SEVERITIES = ("critical", "warning")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_QUIET = re.compile(r"(\d\d:\d\d)/(\d\d:\d\d)")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. It fires beyond `fire_…`, and is over only within `clear_…` (hysteresis)."""

    kind: str
    group: str
    severity: str
    meaning: str
    remedy: str
    kpi: str = ""
    fire_below: float | None = None
    fire_above: float | None = None
    fire_beyond: float | None = None
    clear_above: float | None = None
    clear_below: float | None = None
    clear_within: float | None = None
    for_days: int = 1
    for_minutes: int = 0
    escalate_after_minutes: int | None = None

    @property
    def is_daily(self) -> bool:
        return self.kind in DAILY


class Calendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days off as `DAY` or `FIRST/LAST`; whether gold's newest day is whole at a check."""

    closed: list[str] = []
    judge_newest_day: bool = False


class Notices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When notices wait: `HH:MM/HH:MM` on the shop's clock; empty for never."""

    quiet: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: dict[str, Rule]
    calendar: Calendar = Calendar()
    notices: Notices = Notices()


class RuleBook(msgspec.Struct, frozen=True, kw_only=True):
    """All rules by name, the days off, and the quiet hours (None without any)."""

    rules: dict[str, Rule]
    closed: frozenset[date]
    judge_newest_day: bool
    quiet: tuple[time, time] | None


def read_rules(path: Path = OWN_RULES) -> RuleBook:
    """Read and check all rules of a file.

    Raises:
        LakeError: The file can't be read, or a rule is not whole.
    """
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=_File)
        closed = frozenset(day for text in found.calendar.closed for day in days_of(text))
        quiet = _quiet(found.notices.quiet)
    except OSError as error:
        raise LakeError(f"Alert rules {path} can't be read: {error.strerror}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise LakeError(f"Alert rules {path} don't fit: {error}.") from error
    kpis = {each.name for each in read_kpis()}
    for name, rule in found.rules.items():
        if fault := _fault(name, rule, kpis):
            raise LakeError(f"Alert rule {name!r} of {path} does not fit: {fault}.")
    return RuleBook(
        rules=found.rules,
        closed=closed,
        judge_newest_day=found.calendar.judge_newest_day,
        quiet=quiet,
    )


def _fault(name: str, rule: Rule, kpis: set[str]) -> str:
    """What is wrong with a rule; empty when nothing is."""
    bounds = (rule.fire_below, rule.fire_above, rule.fire_beyond)
    clears = (rule.clear_above, rule.clear_below, rule.clear_within)
    faults = {
        "its name must be of a-z, 0-9 and _": not _NAME.fullmatch(name),
        f"its kind must be one of {', '.join((*DAILY, *NOW))}": rule.kind not in (*DAILY, *NOW),
        f"its severity must be one of {', '.join(SEVERITIES)}": rule.severity not in SEVERITIES,
        "group, meaning and remedy must not be empty": not all(
            map(str.strip, (rule.group, rule.meaning, rule.remedy))
        ),
        f"its kpi must be one of {', '.join(sorted(kpis))}": rule.kind
        in ("threshold", "change", "anomaly")
        and rule.kpi not in kpis,
        "an anomaly needs fire_beyond, above 0, and no other limit": (rule.kind == "anomaly")
        != (rule.fire_beyond is not None and rule.fire_beyond > 0),
        "it needs fire_below or fire_above": rule.kind != "anomaly"
        and rule.fire_below is None
        and rule.fire_above is None,
        "its limits must be finite": not all(
            each is None or math.isfinite(each) for each in (*bounds, *clears)
        ),
        "it must clear on the calm side of where it fires": _clears_within_fire(rule),
        "for_days must be 1 or more, for_minutes 0 or more": rule.for_days < 1
        or rule.for_minutes < 0,
        "escalate_after_minutes must be above 0": rule.escalate_after_minutes is not None
        and rule.escalate_after_minutes <= 0,
    }
    return next((text for text, is_wrong in faults.items() if is_wrong), "")


def _clears_within_fire(rule: Rule) -> bool:
    pairs = (
        (rule.fire_below, rule.clear_above, 1),
        (rule.fire_above, rule.clear_below, -1),
        (rule.fire_beyond, rule.clear_within, -1),
    )
    return any(
        clear is not None and (fire is None or (clear - fire) * sign < 0)
        for fire, clear, sign in pairs
    )


def days_of(text: str) -> list[date]:
    """Days of `DAY` or `FIRST/LAST`, in order. Raises: ValueError for another form."""
    first_text, _, last_text = text.partition("/")
    first = date.fromisoformat(first_text)
    last = date.fromisoformat(last_text) if last_text else first
    if last < first:
        raise ValueError(f"{text} ends before it begins")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _quiet(text: str) -> tuple[time, time] | None:
    if not text:
        return None
    if not (found := _QUIET.fullmatch(text)):
        raise ValueError(f"quiet is {text!r}, and must be like 22:00/07:00")
    return time.fromisoformat(found[1]), time.fromisoformat(found[2])
