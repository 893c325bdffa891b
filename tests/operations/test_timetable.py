"""The registry of jobs as a scheduler's DAGs: what runs, in which order, when, and how often."""

import ast
import itertools
import re
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT
from operations.jobs import JOBS, Job, Schedule, in_order
from operations.timetable import Dag, timetable

FILES = sorted((PROJECT_ROOT / "dags").rglob("*.py"))
LIGHT = {"operations.timetable", "operations.airflow.lake_command", "lakehouse.settings"}


def plan(found: Dag) -> list[tuple[str, tuple[str, ...], str]]:
    return [(each.name, each.after, each.command) for each in found.tasks]


def test_each_job_is_a_task_of_its_schedule_after_those_it_depends_on() -> None:
    daily, models, weekly, alerts, *_ = timetable()
    assert (daily.name, daily.cron) == ("shop_daily", "0 5 * * *")
    assert plan(daily) == [
        ("ingest", (), "lake job ingest"),
        ("refine", ("ingest",), "lake job refine"),
        ("publish", ("refine",), "lake job publish"),
        ("report_daily", ("publish",), "lake job report_daily"),
        ("report_weekly", ("publish",), "lake job report_weekly"),
    ]
    assert {each.retries for each in daily.tasks} == {3}
    assert [each.name for each in daily.tasks if each.makes_gold] == ["publish"]
    assert (models.name, models.cron, models.after_gold) == ("shop_ml", None, True)
    assert plan(models) == [
        ("features", (), "lake job features"),
        ("train", (), "lake job train"),
        ("drift", ("train",), "lake job drift"),
        ("retrain", ("drift",), "lake job retrain"),
        ("score", ("features", "retrain"), "lake job score"),
    ]
    assert (weekly.name, weekly.cron) == ("shop_weekly", "30 3 * * 0")
    assert plan(weekly) == [("maintain", (), "lake job maintain")]
    assert weekly.tasks[0].minutes == 120
    assert (alerts.name, alerts.cron) == ("shop_alerts", "*/15 * * * *")
    assert plan(alerts) == [("alerts", (), "lake job alerts")]


def test_a_backfill_takes_days_and_publishes_what_it_recomputed() -> None:
    backfill = timetable()[-2]
    assert (backfill.name, backfill.cron, backfill.days) == ("shop_backfill", None, ("from", "to"))
    first, last = (f"{{{{ params['{each}'] }}}}" for each in backfill.days)
    assert plan(backfill) == [
        ("backfill", (), f"lake backfill --from {first} --to {last}"),
        ("publish", ("backfill",), "lake job publish"),
    ]
    assert backfill.again == "lake airflow run shop_backfill --set from=DAY --set to=DAY"


def test_lag_is_looked_at_every_five_minutes_and_ends_before_the_next_look() -> None:
    watch = timetable()[-1]
    assert (watch.name, watch.cron) == ("shop_streaming_watch", "*/5 * * * *")
    assert plan(watch) == [("lag", (), "lake lag")]
    assert watch.tasks[0].minutes < 5


def test_jobs_that_a_scheduler_may_start_side_by_side_do_not_wait_for_the_same_lock() -> None:
    before: dict[str, set[str]] = {}
    for each in in_order():
        before[each.name] = set(each.after).union(*(before[name] for name in each.after))
    for one, other in itertools.combinations(JOBS, 2):
        if one.schedule == other.schedule and not (one.is_aside or other.is_aside):
            assert one.name in before[other.name] or other.name in before[one.name], (one, other)


def test_a_new_job_appears_in_its_dag_without_another_line() -> None:
    late = Job("reports", "somewhere:reports", ("publish",), "what is new", minutes=5, retries=0)
    dags = {each.name: each for each in timetable((late, *JOBS))}
    (last,) = (each for each in dags["shop_daily"].tasks if each.name == "reports")
    assert ("reports", ("publish",), "lake job reports") in plan(dags["shop_daily"])
    assert (last.description, last.minutes, last.retries) == ("what is new", 5, 0)


def test_a_new_schedule_is_a_dag_and_one_without_jobs_is_none() -> None:
    hourly = Job("pulse", "somewhere:pulse", (), "a pulse", schedule="hourly")
    schedules = (Schedule("hourly", "0 * * * *", "pulses"), Schedule("yearly", "0 0 1 1 *", ""))
    found = timetable((hourly,), schedules)
    assert [each.name for each in found] == ["shop_hourly", "shop_backfill", "shop_streaming_watch"]
    assert found[0].cron == "0 * * * *"


def test_a_job_of_no_schedule_is_refused_with_those_there_are() -> None:
    stray = Job("stray", "somewhere:stray", (), "", schedule="nightly")
    with pytest.raises(
        LakeError, match=r"'stray' names .* 'nightly'.* Schedules: alerts, daily, ml, weekly\."
    ):
        timetable((*JOBS, stray))


def test_a_dag_file_imports_airflow_and_what_is_light_and_nothing_else() -> None:
    allowed = {"airflow", "datetime", "typing"}
    for path in FILES:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        plain = {name.name for each in nodes if isinstance(each, ast.Import) for name in each.names}
        source = {each.module or "" for each in nodes if isinstance(each, ast.ImportFrom)}
        found = {each for each in plain | source if each.partition(".")[0] not in allowed}
        assert found <= LIGHT, path.name


def test_airflow_finds_every_dag_file() -> None:
    assert FILES
    assert [path for path in FILES if path.name == "__init__.py"] == []
    for path in FILES:  # what its safe mode looks for in a file before it reads it
        text = path.read_text(encoding="utf-8").lower()
        assert "airflow" in text, path.name
        assert "dag" in text, path.name


def test_the_timetable_in_the_docs_is_the_one_that_runs() -> None:
    text = Path(PROJECT_ROOT / "dags" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(shop_\w+)` \| [^|]*?(`[^`]+`|by hand|after gold)[^|]*\|", text, re.M)
    said = {each.name: "after gold" if each.after_gold else "by hand" for each in timetable()}
    assert rows == [
        (each.name, f"`{each.cron}`" if each.cron else said[each.name]) for each in timetable()
    ]
