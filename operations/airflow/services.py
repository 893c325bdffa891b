"""Airflow's three programs as one: API server, scheduler, DAG processor; one ends, all end.

In: settings and the Python that has Airflow. Out: logs in `logs/airflow-*.log`. It is not
`airflow standalone`: that serves task logs on all interfaces, and starts a triggerer that no task
of ours needs. `operations.airflow.embedded` starts it, in a session of its own.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.airflow.api import answers
from operations.airflow.environment import (
    USER,
    address,
    make_folder,
    new_password,
    require_airflow,
    variables,
)

MODULE = "operations.airflow.services"
PROGRAMS = {  # in the order in which they start
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}
PREPARE = "prepare"
"""Makes or migrates the database, before the others start."""
_LOOK_SECONDS = 1.0


def serve(settings: Settings, name: str, *, say: Callable[[str], None]) -> NoReturn:
    """Be one of Airflow's programs, or `prepare` for them, in place of this process.

    Raises:
        LakeError: There is no such program, or Airflow's packages can't be had.
    """
    if name not in (PREPARE, *PROGRAMS):
        raise LakeError(
            f"There is no program '{name}' of Airflow: use {', '.join((PREPARE, *PROGRAMS))}."
        )
    make_folder(settings)
    python = require_airflow(say)
    if name == PREPARE and (password := new_password(settings)) is not None:
        say(f"Airflow: {address(settings)}  User {USER}, password {password} (shown only now)")
    words = ("db", "migrate") if name == PREPARE else PROGRAMS[name]
    command = [str(python), "-m", "airflow", *words]
    os.execve(command[0], command, variables(settings))  # noqa: S606 - no shell is wanted


def log_file(settings: Settings, name: str) -> Path:
    """Where one of the programs, or this one, writes what it has to say."""
    return settings.logs_dir / f"airflow-{name}.log"


def main(arguments: list[str]) -> int:
    """Prepare the database, then run until a program ends. In: Airflow's Python."""
    airflow = [arguments[0], "-m", "airflow"]
    settings = Settings()
    environment = variables(settings)
    migrate = [*airflow, "db", "migrate"]
    if (code := subprocess.call(migrate, cwd=PROJECT_ROOT, env=environment)) != 0:
        return code
    with contextlib.ExitStack() as stack:
        running: dict[str, subprocess.Popen[bytes]] = {}
        for name, words in PROGRAMS.items():
            if running:
                _await_server(settings, running)
            console = stack.enter_context(log_file(settings, name).open("wb"))
            running[name] = subprocess.Popen(
                [*airflow, *words],
                cwd=PROJECT_ROOT,
                env=environment,
                stdout=console,
                stderr=console,
            )
        while all(each.poll() is None for each in running.values()):
            time.sleep(_LOOK_SECONDS)
        for name, each in running.items():
            if each.poll() is not None:
                print(f"{name} ended with exit code {each.returncode}.", flush=True)
            each.terminate()
        for each in running.values():
            each.wait()
    return 1


def _await_server(settings: Settings, running: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    """Wait until the API server answers or a program ends: a task fails that can't reach it."""
    while not answers(settings) and all(each.poll() is None for each in running.values()):
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
