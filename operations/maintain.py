"""Upkeep of the lake: small files joined, files that nobody needs deleted, strays reported.

In: the tables as they are. Out: the same rows in fewer files, and a line before and after in the
ledger. What gold in service, the refine stream or a reader of the last 168 hours may still read is
kept. Run standalone: `lake maintain`; `lake maintain --dry-run` only looks.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lakehouse.contracts.scores import SCORES
from lakehouse.contracts.tables import BRONZE_EVENTS, TABLES, Table
from lakehouse.ledger import chain, commits, publishes
from lakehouse.settings import Settings
from lakehouse.shop_format import number
from lakehouse.tables import (
    LEAST_HOURS,
    Survey,
    compact,
    current_version,
    require_retention,
    survey,
    vacuum,
)
from operations.context import Context
from streaming.checkpoints import checkpoint_dir

CHAIN, OPERATION = "operations", "maintain"
MARGIN_HOURS = 24
KEPT_REPORTS = 100


@dataclass(frozen=True)
class Chore:
    """What one table needs. `keep_hours` is how long its files are kept, and `why` that long."""

    survey: Survey
    keep_hours: float
    why: str

    @property
    def table(self) -> Table:
        return self.survey.table

    @property
    def is_needed(self) -> bool:
        return bool(self.survey.crowded) or self.survey.can_free


def chores(settings: Settings, *, keep_hours: float = LEAST_HOURS) -> list[Chore]:
    """What each existing table needs, by logs and folders; it only brings the ledger up to date.

    Raises:
        LakeError: Fewer than 168 hours were asked for, or a log can't be read.
    """
    require_retention(keep_hours)
    commits.derive(settings)
    found = []
    for table in (*TABLES, *SCORES):
        if current_version(table, settings=settings) is None:
            continue
        hours, why = _kept(table, settings=settings, asked=keep_hours)
        facts = survey(table, settings=settings, keep_hours=hours, now=time.time())
        found.append(Chore(facts, hours, why))
    return found


def maintain(context: Context) -> None:
    """Join crowded small files, then delete what is old enough, table by table.

    Each commit is whole or not there, so an upkeep that was cut short is simply done again.
    """
    settings = context.settings
    keep_hours = float(context.options.get("keep_hours") or LEAST_HOURS)
    _settle(settings)
    drop_old_reports(settings)
    due = [each for each in chores(settings, keep_hours=keep_hours) if each.is_needed]
    if not due:
        with context.log.stage("maintain") as stage:
            stage.status, stage.note = "skipped", "no table has too many files"
        return
    facts = {"operation": OPERATION, "id": chain.now()}
    plan = {each.table.name: _planned(each) for each in due}
    chain.write(CHAIN, {"kind": "intent", **facts, "tables": plan}, settings=settings)
    _compact(context, [each for each in due if each.survey.crowded], identity=facts["id"])
    freed = _vacuum(context, [each for each in due if each.survey.can_free])
    commits.derive(settings)
    chain.write(CHAIN, {"kind": "done", **facts, "freed_bytes": freed}, settings=settings)


def _compact(context: Context, due: Sequence[Chore], *, identity: str) -> None:
    if not due:
        return
    settings = context.settings
    with context.log.stage("compact") as stage:
        stage.rows_in = sum(each.survey.live_files for each in due)
        stage.rows_out = 0
        for each in due:
            compact(
                each.table,
                crowded=each.survey.crowded,
                settings=settings,
                metadata={"query": OPERATION, "reason": identity},
            )
            after = survey(
                each.table, settings=settings, keep_hours=each.keep_hours, now=time.time()
            )
            stage.rows_out += after.live_files
        stage.note = f"files of {len(due)} tables"


def _vacuum(context: Context, due: Sequence[Chore]) -> int:
    """Bytes that were freed."""
    if not due:
        return 0
    with context.log.stage("vacuum") as stage:
        stage.rows_in = sum(len(each.survey.deletable) for each in due)
        freed = sum(
            vacuum(each.table, keep_hours=each.keep_hours, settings=context.settings)
            for each in due
        )
        stage.note = f"files, {number(freed / 1024**2, places=1)} MB freed"
    return freed


def drop_old_reports(settings: Settings) -> int:
    """Delete reports and quality results of all runs but the newest hundred; returns how many."""
    gone = 0
    for kind in ("run-*.json", "quality-*.json"):
        for path in sorted(settings.reports_dir.glob(kind))[:-KEPT_REPORTS]:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _kept(table: Table, *, settings: Settings, asked: float) -> tuple[float, str]:
    """Hours that a table's files must be kept, and why."""
    found = [(asked, "as asked" if asked != LEAST_HOURS else "for readers under way")]
    last = publishes.last_published(settings)
    if last is not None:
        published = datetime.fromisoformat(last.first_published_at)
        age = (datetime.now(UTC) - published).total_seconds() / 3600
        found.append((age + MARGIN_HOURS, f"gold in service, run {last.run_id}, is audited on it"))
    if table is BRONZE_EVENTS:
        found += _read_by_refine(settings)
    return max(found)


def _read_by_refine(settings: Settings) -> list[tuple[float, str]]:
    """How far back refine may still read bronze; nothing when it has no checkpoint or read it all.

    A stream reads the very files that a commit added, also after they were joined to others.
    """
    folder = checkpoint_dir("refine", settings=settings)
    if not (folder / "metadata").exists():
        return []
    finished = [int(each.name) for each in (folder / "commits").glob("*") if each.name.isdigit()]
    goes_on = _next_version(folder / "offsets" / str(max(finished))) if finished else 0
    unread = [
        float(line["committed_at"]) / 1000
        for line in chain.lines(commits.CHAIN, settings=settings)
        if line.get("table") == BRONZE_EVENTS.name
        and line["version"] >= goes_on
        and ("ranges" in line or goes_on == 0)
    ]
    if not unread:
        return []
    age = (time.time() - min(unread)) / 3600
    return [(age + MARGIN_HOURS, "refine has not read all of it")]


def _next_version(offsets: Path) -> int:
    """Version of bronze at which refine goes on; 0, for all of it, where that is unknown."""
    try:
        found = json.loads(offsets.read_text("utf-8").splitlines()[-1])
        return 0 if found["isStartingVersion"] else int(found["reservoirVersion"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return 0


def _settle(settings: Settings) -> None:
    """Close the line of an upkeep that was cut short: what it did counts, the rest is due again."""
    pending: dict[str, dict[str, object]] = {}
    for line in chain.lines(CHAIN, settings=settings):
        if line.get("operation") == OPERATION:
            if line["kind"] == "intent":
                pending[line["id"]] = line
            else:
                pending.pop(line["id"], None)
    for name in pending:
        line = {"kind": "abandoned", "operation": OPERATION, "id": name}
        chain.write(CHAIN, line, settings=settings)


def _planned(chore: Chore) -> dict[str, object]:
    found = chore.survey
    return {
        "live_files": found.live_files,
        "small_files": found.small_files,
        "expired_files": found.expired,
        "stray_files": found.stray_expired,
        "keep_hours": f"{chore.keep_hours:.0f}",
    }
