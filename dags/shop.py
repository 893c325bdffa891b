"""The shop's DAGs for Airflow: `operations.timetable` as Airflow's objects, one task a job.

In: the registry of jobs, settings. Out: DAGs `shop_daily`, `shop_ml`, `shop_weekly`, `shop_alerts`,
`shop_backfill` and `shop_streaming_watch`. Each task runs one `lake` command as a program of its
own: Spark, dbt and Great Expectations stay out of Airflow's processes. Run standalone:
`lake airflow check`.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import DAG, Asset, BaseOperator, CronTriggerTimetable, Param
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from lakehouse.settings import Settings
from operations.airflow.lake_command import LakeCommand
from operations.timetable import Dag, Task, timetable

OWNER = "cartlake"
MAIL = """<p>{{{{ (exception | string | e) or 'It ran into its limit of {minutes} minutes.' }}}}</p>
<p>To see why: <code>{look}</code><br>
To run it once more: <code>{again}</code></p>
<p>Task {{{{ ti.task_id }}}} of {{{{ ti.dag_id }}}}, run {{{{ ti.run_id }}}}, \
try {{{{ ti.try_number }}}}: <a href="{{{{ ti.log_url }}}}">log</a></p>
"""


class LakeOperator(BaseOperator):
    """Runs one `lake` command; fails with the command's own sentence.

    Where a check of the data failed another try would fail as well, so there is none.
    """

    template_fields = ("arguments",)

    def __init__(self, *, arguments: list[str], **rest: Any):
        super().__init__(**rest)
        self.arguments = arguments
        self._command: LakeCommand | None = None

    def execute(self, context: Any) -> None:  # noqa: ARG002 - Airflow's signature
        self._command = LakeCommand(self.arguments)
        ended = self._command.run(self.log.info)
        if ended.check_failed:
            raise AirflowFailException(ended.sentence)
        if ended.code != 0:
            raise AirflowException(ended.sentence)

    def on_kill(self) -> None:
        if self._command is not None:
            self._command.stop()


class FirstFailure(SmtpNotifier):
    """Mails the first of several failed runs in a row."""

    def notify(self, context: Any) -> None:
        before = context["ti"].get_previous_dagrun()
        if before is None or before.state != "failed":
            super().notify(context)


def build(found: Dag, settings: Settings) -> DAG:
    """Airflow's DAG of a plan. Without a start date its first run is the next one that is due."""
    with DAG(
        found.name,
        schedule=when(found, settings),
        catchup=False,
        max_active_runs=1,
        description=found.description,
        doc_md=page(found),
        tags=["cartlake"],
        default_args={"owner": OWNER},
        params={each: Param(type="string", format="date") for each in found.days},
    ) as dag:
        made = {each.name: operator(each, found, settings) for each in found.tasks}
        for each in found.tasks:
            for before in each.after:
                made[before] >> made[each.name]
    return dag


def when(found: Dag, settings: Settings) -> CronTriggerTimetable | list[Asset] | None:
    """Airflow's schedule of a plan."""
    if found.after_gold:
        return [gold(settings)]
    if found.cron is None:
        return None
    return CronTriggerTimetable(found.cron, timezone=settings.shop_time_zone)


def operator(task: Task, dag: Dag, settings: Settings) -> LakeOperator:
    """Airflow's task of a planned one."""
    return LakeOperator(
        task_id=task.name,
        arguments=list(task.arguments),
        doc_md=f"`{task.command}`: {task.description}. To see why it failed: `{task.look}`.",
        retries=task.retries,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=2,
        max_retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(minutes=task.minutes),
        outlets=[gold(settings)] if task.makes_gold else [],
        on_failure_callback=mails(task, dag, settings),
    )


def gold(settings: Settings) -> Asset:
    """The gold in service: a DAG with `schedule=[Asset("gold")]` runs after each publish."""
    return Asset(name="gold", uri=settings.gold_dir.as_uri())


def mails(task: Task, dag: Dag, settings: Settings) -> list[SmtpNotifier]:
    """The mail about a task that failed for good; none where no server and no reader are set."""
    if settings.alert_smtp is None or settings.alert_to is None:
        return []
    notifier = FirstFailure if dag.mails_once else SmtpNotifier
    return [
        notifier(
            to=settings.alert_to,
            from_email=settings.alert_from,
            subject="Cartlake: {{ ti.task_id }} of {{ ti.dag_id }} failed",
            html_content=MAIL.format(minutes=task.minutes, look=task.look, again=dag.again),
        )
    ]


def page(found: Dag) -> str:
    """What Airflow shows about a DAG."""
    rows = [f"| `{each.command}` | {each.description} |" for each in found.tasks]
    head = f"{found.description.capitalize()}. Once more by hand: `{found.again}`."
    return "\n".join((head, "", "| task | does |", "|---|---|", *rows))


for each in timetable():
    build(each, Settings())
