"""silver -> gate -> gold -> audit -> publish: the one way into service.

In: the lake as it is, pinned once. Out: a new gold version, or an error that says what failed while
the last good version stays in service. Run standalone: `lake publish`.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse.contracts.tables import BRONZE_EVENTS, ORDER_LINES, TABLES
from lakehouse.duck import delta_relation, open_lake
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.ledger import commits, publishes
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.stages import StageLog
from lakehouse.tables import current_versions
from pipelines.gold.build import discard_dead_builds, refresh_gold
from pipelines.gold.dbt_worker import GoldWorker
from pipelines.gold.incremental import FullBuild
from pipelines.publishing import pointer, restatements
from pipelines.silver.known import last_refined_batch
from quality.audit.audit import audit
from quality.audit.equation import Equation, facts_of
from quality.audit.mart_sums import as_texts, mart_sums
from quality.gate.refusal_spike import refusals, spike_row
from quality.gate.report import store_results
from quality.gate.verdicts import GateResult
from quality.gate.worker import GateWorker


@dataclass
class PublishOutcome:
    """What a publish did; filled as it goes on, so that a failure still shows what came before."""

    run_id: str
    is_new: bool = True
    gate: GateResult | None = None
    equations: tuple[Equation, ...] = ()
    published: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Workers:
    """The warm child processes of a publish."""

    gate: GateWorker
    gold: GoldWorker


@contextlib.contextmanager
def warm_workers(settings: Settings) -> Any:
    """Start the children that import Great Expectations and dbt while other stages run."""
    with GateWorker(settings) as gate, GoldWorker(settings) as gold:
        yield Workers(gate, gold)


def publish(
    settings: Settings,
    *,
    outcome: PublishOutcome,
    log: StageLog,
    workers: Callable[[], Workers],
    accept_reason: str | None = None,
    force: bool = False,
    full_refresh: bool = False,
    on_built: Callable[[], None] = lambda: None,
    pin: Callable[[Settings], dict[str, int]] = current_versions,
) -> None:
    """Bring the lake's present state into service.

    Args:
        settings: Where the state lies.
        outcome: Filled with verdicts as they are known.
        log: Takes the stages gate, gold, audit and publish.
        workers: Gives the warm children, when they are needed.
        accept_reason: Publish in spite of a refusal spike, for this reason.
        force: Build even when nothing is new.
        full_refresh: Build all of gold, and don't go on from the last one.
        on_built: Called between the build and the audit (tests plant faults there).
        pin: Gives the versions of all tables that belong together.

    Raises:
        CheckFailed: A check failed; the last good gold stays in service.
    """
    with hold("publish", settings=settings):
        pointer.settle(settings)
        discard_dead_builds(settings)
        fence = publishes.next_fence(settings)
        versions = pin(settings)
        commits.derive(settings)
        if missing := [table.name for table in TABLES if table.name not in versions]:
            raise LakeError(
                f"The lake has no table {missing[0]} yet. Run ./lake demo, or `lake ingest --once` "
                "and `lake refine --once`, first."
            )
        last = publishes.last_published(settings)
        since = last.comparable_versions(settings) if last else None
        is_known = since == versions
        if (
            is_known
            and pointer.is_in_service(last, settings=settings)
            and not (force or full_refresh)
        ):
            outcome.is_new = False
            for name in ("gate", "gold", "audit", "publish"):
                with log.stage(name) as stage:
                    stage.status, stage.note = "skipped", "nothing new"
            return
        counts = _row_counts(settings, versions)
        _gate(
            settings,
            versions,
            last,
            outcome=outcome,
            log=log,
            workers=workers,
            accept_reason=accept_reason,
        )
        with log.stage("gold") as stage:
            stage.rows_in = counts[ORDER_LINES.name]
            build = refresh_gold(
                settings,
                versions,
                FullBuild("asked for") if full_refresh else last,
                run_id=outcome.run_id,
                worker=workers().gold,
            )
            stage.rows_out = sum(model.rows or 0 for model in build.models)
            stage.note = (
                f"{len(build.models)} models, {len(build.checks)} tests, {build.start.note}"
            )
        on_built()
        with log.stage("audit") as stage:
            outcome.equations = tuple(
                audit(
                    settings,
                    versions=versions,
                    gold=build.path,
                    is_published=False,
                    full=False,
                    since=since,
                    audited=last.audited if last else None,
                )
            )
            stage.rows_in = counts[BRONZE_EVENTS.name]
            stage.rows_out = len(outcome.equations)
            stage.note = "equations"
            _require_all(outcome.equations)
        with log.stage("publish") as stage:
            restated = restatements.restate(
                build.path, last, run_id=outcome.run_id, settings=settings
            )
            facts = {
                "run_id": outcome.run_id,
                "file_sha256": commits.file_sha256(build.path),
                "table_versions": versions,
                "rebuilt": commits.rebuildings(settings),
                "rows": counts,
                "gold": build.facts,
                "gold_amounts": as_texts(mart_sums(build.path)),
                "audited": facts_of(outcome.equations),
                "refined_batch": last_refined_batch(settings, versions=versions),
                "accepted_reason": accept_reason,
                "restated": restated,
                "fence": fence,
            }
            path = pointer.put_in_service(build.path, facts=facts, settings=settings)
            outcome.published = {**facts, "file": path.name}
            stage.rows_out = sum(model.rows or 0 for model in build.models)
            stage.note = path.name


def _gate(
    settings: Settings,
    versions: Mapping[str, int],
    last: publishes.Published | None,
    *,
    outcome: PublishOutcome,
    log: StageLog,
    workers: Callable[[], Workers],
    accept_reason: str | None,
) -> None:
    with log.stage("gate") as stage:
        result = workers().gate.judge(
            table_versions=versions, since_batch=last.refined_batch if last else None
        )
        sources = refusals(
            settings,
            versions=versions,
            since=last.comparable_versions(settings) if last else {},
            since_batch=last.refined_batch if last else None,
        )
        spike = spike_row(sources, run_id=outcome.run_id)
        if accept_reason and not spike["success"]:
            spike = {**spike, "severity": "warn", "detail": f"accepted: {accept_reason}"}
        outcome.gate = result.including(spike)
        store_results(outcome.gate, run_id=outcome.run_id, folder=settings.reports_dir)
        stage.rows_in = sum(result.rows.values())
        stage.rows_out = len(outcome.gate.results)
        stage.note = "checks"
        if not outcome.gate.passed:
            facts = {
                "run_id": outcome.run_id,
                "table_versions": dict(versions),
                "rules": [row["rule"] for row in outcome.gate.blocking],
            }
            publishes.record("blocked", facts, settings=settings)
            first = outcome.gate.blocking[0]
            raise CheckFailed(
                f"The quality gate is red, gold is not published and the last good version stays "
                f"in service: {first['table']}, {first['rule']}: {first['observed']} "
                f"{first['detail']}".strip()
            )


def _require_all(equations: tuple[Equation, ...]) -> None:
    failed = [each for each in equations if not each.holds]
    if failed:
        raise CheckFailed(
            "The audit failed, gold is not published and the last good version stays in service: "
            f"{failed[0].equation} ({failed[0].statement}): {failed[0].row()['difference']}. "
            "See all with `lake audit`."
        )


def _row_counts(settings: Settings, versions: Mapping[str, int]) -> dict[str, int]:
    with open_lake(settings) as lake:
        return {
            name: lake.execute(
                f"select count(*) from {delta_relation(settings, name, version=version)}"
            ).fetchall()[0][0]
            for name, version in versions.items()
        }
