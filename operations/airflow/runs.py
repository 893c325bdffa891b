"""`lake airflow check` and `run`: all DAGs parsed, and one run of a DAG in the foreground.

In: settings and the name of a DAG. Out: what Airflow found. A run is a real one, on the record in
Airflow's database: by the Airflow of this state folder where it runs, else in a process of its own.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import CheckFailed, LakeError
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.airflow import api, embedded, services
from operations.airflow.environment import (
    DAGS,
    make_folder,
    require_airflow,
    variables,
)
from operations.timetable import Dag, timetable

_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Parsed:
    """What Airflow made of `dags/`: tasks by DAG, errors by file, and the modules it imported."""

    dags: Mapping[str, list[str]]
    errors: Mapping[str, str]
    seconds: float
    modules: frozenset[str]


@dataclass(frozen=True)
class Change:
    """A task that runs now, or how it ended; `error` is its own sentence."""

    task: str
    state: str
    error: str = ""


def check(settings: Settings, *, say: Callable[[str], None]) -> Parsed:
    """Parse all DAGs as Airflow does, without its database."""
    python = require_airflow(say)
    make_folder(settings)
    log = services.log_file(settings, "check")
    lines = _ask(python, {"do": "check", "folder": str(DAGS)}, settings=settings, log=log)
    found = next(lines, None)
    for _ in lines:
        pass
    if found is None:
        raise LakeError(f"Airflow could not read the DAGs; {log} says why.")
    modules = frozenset(found.pop("modules"))
    return Parsed(**found, modules=modules)


def run(
    settings: Settings,
    name: str,
    *,
    values: Mapping[str, str],
    say: Callable[[str], None],
    on_change: Callable[[Change], None],
) -> str:
    """One run of a DAG, to its end. Returns its id in Airflow.

    Raises:
        LakeError: There is no such DAG, or its parameters are not these.
        CheckFailed: A task failed.
    """
    dag = _known(name, values)
    python = require_airflow(say)
    make_folder(settings)
    if embedded.running(settings) is not None:
        lines = _by_server(settings, dag, values)
        log = "its log in Airflow"
    else:
        path = services.log_file(settings, "run")
        request = {"do": "run", "folder": str(DAGS), "dag": name, "conf": dict(values)}
        lines = _ask(python, request, settings=settings, log=path)
        log = str(path)
    end: dict[str, Any] = {"state": "ended unexpectedly"}
    failed: list[Change] = []
    for line in lines:
        if "task" not in line:
            end = line
            continue
        change = Change(**line)
        on_change(change)
        if change.state == "failed":
            failed.append(change)
    if end["state"] == "success":
        return str(end["run_id"])
    if not failed:
        raise LakeError(f"The run of {name} {end['state']}; {log} says why.")
    look = next(each.look for each in dag.tasks if each.name == failed[0].task)
    why = failed[0].error or f"{log} says why."
    raise CheckFailed(f"{failed[0].task} failed: {why} To see more: `{look}`.")


def _known(name: str, values: Mapping[str, str]) -> Dag:
    found = {each.name: each for each in timetable()}
    if name not in found:
        raise LakeError(f"There is no DAG '{name}'. DAGs: {', '.join(found)}.")
    dag = found[name]
    if set(values) != set(dag.days):
        wanted = "takes no parameters" if not dag.days else f"is run with `{dag.again}`"
        raise LakeError(f"{name} {wanted}.")
    return dag


def _ask(
    python: Path, request: Mapping[str, object], *, settings: Settings, log: Path
) -> Iterator[dict[str, Any]]:
    """Lines that `in_airflow` answers with; the process ends with the last one."""
    command = [str(python), "-m", "operations.airflow.in_airflow", json.dumps(request)]
    with (
        log.open("wb") as console,
        subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=variables(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=console,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in process.stdout:
            yield json.loads(line)


def _by_server(settings: Settings, dag: Dag, values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The same lines about a run of the Airflow that is up: asked for, then followed."""
    token = api.log_in(settings)
    runs = f"/api/v2/dags/{dag.name}/dagRuns"
    asked = {"logical_date": None, "conf": dict(values)}
    run_id = api.request(settings, runs, body=asked, token=token)["dag_run_id"]
    said: dict[str, str] = {}
    while True:
        state = api.request(settings, f"{runs}/{run_id}", token=token)["state"]
        tasks = api.request(settings, f"{runs}/{run_id}/taskInstances", token=token)
        for each in tasks["task_instances"]:
            name, now = each["task_id"], each["state"]
            if now in {"running", "success", "failed", "up_for_retry"} and said.get(name) != now:
                said[name] = now
                yield {"task": name, "state": now}
        if state in {"success", "failed"}:
            yield {"state": state, "run_id": run_id}
            return
        time.sleep(_LOOK_SECONDS)
