"""What needs Airflow's own classes: parse all DAGs, or run one in the foreground.

In: a request as JSON on the command line. Out: JSON lines on standard output; all that Airflow says
goes to standard error. It runs in Airflow's environment: `operations.airflow.runs` starts it.
"""

import json
import os
import sys
import time
from typing import Any

_answers = os.fdopen(os.dup(1), "w", encoding="utf-8")


def check(folder: str) -> None:
    """Parse all DAGs as the DAG processor does; says each DAG, each error, and the seconds."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    started = time.monotonic()
    bag = DagBag(folder)
    errors = dict(bag.import_errors)
    for name, dag in bag.dags.items():
        try:
            DagSerialization.serialize_dag(dag)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is its error
            errors[name] = str(error)
    _say(
        dags={name: sorted(dag.task_dict) for name, dag in bag.dags.items()},
        errors={name: text.strip().splitlines()[-1] for name, text in errors.items()},
        seconds=time.monotonic() - started,
        modules=sorted({name.partition(".")[0] for name in sys.modules}),
    )


def run(folder: str, dag: str, conf: dict[str, str]) -> None:
    """One run of a DAG, its tasks in this process, each tried once; says how each of them ends."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.listeners import hookimpl
    from airflow.sdk.listener import get_listener_manager
    from airflow.utils import db

    class Progress:
        """Passes on what becomes of each task."""

        @hookimpl
        def on_task_instance_running(self, task_instance: Any) -> None:
            _say(task=task_instance.task_id, state="running")

        @hookimpl
        def on_task_instance_success(self, task_instance: Any) -> None:
            _say(task=task_instance.task_id, state="success")

        @hookimpl
        def on_task_instance_failed(self, task_instance: Any, error: object) -> None:
            _say(task=task_instance.task_id, state="failed", error=str(error or ""))

    db.initdb()
    found = DagBag(folder).dags[dag]
    for task in found.tasks:
        task.retries = 0
    get_listener_manager().add_listener(Progress())
    done = found.test(run_conf=conf)
    _say(state=str(done.state), run_id=done.run_id)


def _say(**line: Any) -> None:
    print(json.dumps(line), file=_answers, flush=True)


def main() -> int:
    """Do what is asked for."""
    os.dup2(2, 1)
    request = json.loads(sys.argv[1])
    if request.pop("do") == "check":
        check(**request)
    else:
        run(**request)
    return 0


if __name__ == "__main__":
    sys.exit(main())
