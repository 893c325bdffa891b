"""What a scheduler runs: the registry's schedules as DAGs, one task a job, and two DAGs beside.

In: `operations.jobs`. Out: `Dag` records, plain data that `dags/shop.py` makes Airflow's objects
of. It imports nothing heavy. Run standalone: `lake airflow check`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lakehouse.errors import LakeError
from operations.jobs import JOBS, SCHEDULES, Job, Schedule, in_order

MAKES_GOLD = "publish"
"""The job after which another gold is in service."""


@dataclass(frozen=True)
class Task:
    """One command of `lake`, ended after `minutes`, tried `retries` times more.

    Arguments may hold Airflow's templates. `look` is the command that shows why it failed.
    """

    name: str
    arguments: tuple[str, ...]
    after: tuple[str, ...]
    description: str
    minutes: int
    retries: int
    look: str

    @property
    def makes_gold(self) -> bool:
        return self.name == MAKES_GOLD

    @property
    def command(self) -> str:
        return " ".join(("lake", *self.arguments))


@dataclass(frozen=True)
class Dag:
    """A run of tasks: when `cron` says on the shop's clock, `after_gold` came into service, or only
    when asked for.

    `days` are its parameters, first and last day of the shop; `again` runs it once more. Where
    `mails_once`, a row of failed runs sends one mail and not one a run.
    """

    name: str
    cron: str | None
    description: str
    tasks: tuple[Task, ...]
    days: tuple[str, ...] = ()
    mails_once: bool = False
    after_gold: bool = False

    @property
    def again(self) -> str:
        values = "".join(f" --set {each}=DAY" for each in self.days)
        return f"lake airflow run {self.name}{values}"


def timetable(
    jobs: Sequence[Job] = JOBS, schedules: Sequence[Schedule] = SCHEDULES
) -> tuple[Dag, ...]:
    """All DAGs: one for each schedule that has jobs, then the backfill and the watch.

    Raises:
        LakeError: A job names a schedule that there is not.
    """
    known = {each.name for each in schedules}
    for each in jobs:
        if each.schedule not in known:
            raise LakeError(
                f"The job '{each.name}' names the schedule '{each.schedule}', which there is not. "
                f"Schedules: {', '.join(sorted(known))}."
            )
    ordered = in_order(jobs)
    found = [
        _scheduled(schedule, [each for each in ordered if each.schedule == schedule.name])
        for schedule in schedules
    ]
    beside = (_backfill([each for each in ordered if each.name == MAKES_GOLD]), _watch())
    return (*(each for each in found if each.tasks), *beside)


def _scheduled(schedule: Schedule, jobs: Sequence[Job]) -> Dag:
    names = {each.name for each in jobs}
    tasks = [_task(each, after=[name for name in each.after if name in names]) for each in jobs]
    return Dag(
        f"shop_{schedule.name}",
        schedule.cron,
        schedule.description,
        tuple(tasks),
        after_gold=schedule.cron is None,
    )


def _task(job: Job, *, after: Sequence[str]) -> Task:
    return Task(
        job.name,
        ("job", job.name),
        tuple(after),
        job.description,
        job.minutes,
        job.retries,
        job.look,
    )


def _backfill(publish: Sequence[Job]) -> Dag:
    again = Task(
        "backfill",
        ("backfill", "--from", "{{ params['from'] }}", "--to", "{{ params['to'] }}"),
        (),
        "silver of these days computed again from bronze; twice equals once",
        minutes=180,
        retries=3,
        look="lake audit",
    )
    return Dag(
        "shop_backfill",
        None,
        "some days of silver computed again from bronze, then into service",
        (again, *(_task(each, after=[again.name]) for each in publish)),
        days=("from", "to"),
    )


def _watch() -> Dag:
    watch = Task(
        "lag",
        ("lag",),
        (),
        "fails when too much waits in Kafka, or gold is too far behind the lake",
        minutes=4,
        retries=1,
        look="lake status",
    )
    return Dag(
        "shop_streaming_watch", "*/5 * * * *", "lag and freshness", (watch,), mails_once=True
    )
