"""The one registry of jobs: the command line and the scheduler both read it.

A job names its function as text, so that listing jobs imports nothing heavy.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.errors import LakeError

if TYPE_CHECKING:
    from operations.context import Context


@dataclass(frozen=True)
class Schedule:
    """When a run of jobs is due: `cron` on the shop's clock, or None for after each publish."""

    name: str
    cron: str | None
    description: str


@dataclass(frozen=True)
class Job:
    """A scheduled step: `run` is "module:function" of one `Context`, `after` the jobs before it.

    `schedule` is the run that it belongs to: `lake run daily`, `lake run weekly`. A scheduler ends
    it after `minutes`, and tries it `retries` times more where a prerequisite was missing; `look`
    is the command that shows why it failed. A job that `is_aside` reads what is in service and
    changes nothing of the pipeline: it waits for no run under way, and leaves its report alone.
    """

    name: str
    run: str
    after: tuple[str, ...]
    description: str
    schedule: str = "daily"
    minutes: int = 60
    retries: int = 3
    look: str = "lake status"
    is_aside: bool = False

    def function(self) -> "Callable[[Context], None]":
        """Import and return the job's function."""
        module, _, name = self.run.partition(":")
        found: Callable[[Context], None] = getattr(importlib.import_module(module), name)
        return found


SCHEDULES = (
    Schedule("daily", "0 5 * * *", "what Kafka holds, through the whole pipeline into service"),
    Schedule("ml", None, "models: watched, trained again, and what they say"),
    Schedule("weekly", "30 3 * * 0", "upkeep of the tables"),
    Schedule("alerts", "*/15 * * * *", "rules on KPIs and on the platform"),
)

JOBS = (
    Job("ingest", "operations.steps:ingest", (), "Kafka to bronze, every record exactly once"),
    Job("refine", "operations.steps:refine", ("ingest",), "bronze to silver and quarantine"),
    Job(
        "publish",
        "operations.steps:publish",
        ("refine",),
        "quality gate, gold by dbt, audit, then into service",
        look="lake quarantine list",
    ),
    Job(
        "features",
        "operations.scoring:features",
        ("publish",),
        "what is known of each customer, for the models",
        schedule="ml",
        is_aside=True,
    ),
    Job(
        "train",
        "operations.modelling:train",
        ("publish",),
        "a first version of each model that has none",
        schedule="ml",
        is_aside=True,
        look="lake models list",
    ),
    Job(
        "drift",
        "operations.modelling:drift",
        ("train",),
        "features and scores held against those of the training",
        schedule="ml",
        is_aside=True,
        look="lake models list",
    ),
    Job(
        "retrain",
        "operations.modelling:retrain",
        ("drift",),
        "a challenger for each model that is old or has drifted, promoted only when better",
        schedule="ml",
        is_aside=True,
        look="lake models list",
    ),
    Job(
        "score",
        "operations.scoring:score",
        ("features", "retrain"),
        "segments, churn, lifetime value and forecast, for the screens",
        schedule="ml",
        is_aside=True,
        look="lake models list",
    ),
    Job(
        "report_daily",
        "operations.mail_reports:report_daily",
        ("publish",),
        "the report of the last day that is over, by mail, once",
        minutes=30,
        look="lake report outbox",
        is_aside=True,
    ),
    Job(
        "report_weekly",
        "operations.mail_reports:report_weekly",
        ("publish",),
        "the report of the last week that is over, by mail, once",
        minutes=30,
        look="lake report outbox",
        is_aside=True,
    ),
    Job(
        "maintain",
        "operations.maintain:maintain",
        ("publish",),
        "small files joined, files out of use deleted",
        schedule="weekly",
        minutes=120,
        look="lake maintain --dry-run",
    ),
    Job(
        "alerts",
        "operations.alerts:alerts",
        (),
        "every alert rule judged, and who must know is told",
        schedule="alerts",
        minutes=10,
        retries=1,
        look="lake alerts list",
        is_aside=True,
    ),
)


def job(name: str) -> Job:
    """The job of that name. Raises: LakeError with the names there are."""
    for each in JOBS:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in JOBS)
    raise LakeError(f"There is no job '{name}'. Jobs: {known}.")


def scheduled(schedule: str) -> tuple[Job, ...]:
    """Jobs of a schedule in order. Raises: LakeError with the schedules there are."""
    found = tuple(each for each in in_order() if each.schedule == schedule)
    if not found:
        known = ", ".join(each.name for each in SCHEDULES)
        raise LakeError(f"There is no run '{schedule}'. Runs: {known}.")
    return found


def in_order(jobs: Sequence[Job] = JOBS) -> tuple[Job, ...]:
    """All jobs, each after those it depends on."""
    done: list[Job] = []
    waiting = list(jobs)
    while waiting:
        ready = [each for each in waiting if set(each.after) <= {job.name for job in done}]
        if not ready:
            raise LakeError("The jobs depend on each other in a circle.")
        done += ready
        waiting = [each for each in waiting if each not in ready]
    return tuple(done)
