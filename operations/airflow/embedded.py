"""`lake airflow start` and `stop`: Airflow on this machine, one per state folder.

In: settings. Out: Airflow's programs in a session of their own, a record of them, and the address.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.processes import programs
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.airflow import api, services
from operations.airflow.environment import (
    USER,
    address,
    make_folder,
    new_password,
    require_airflow,
)

_READY_SECONDS = 300
_GRACE_SECONDS = 30


@dataclass(frozen=True)
class Started:
    """An Airflow that answers."""

    address: str
    pid: int


def start(settings: Settings, *, say: Callable[[str], None]) -> Started:
    """Start Airflow and wait until all of its parts work; it outlives this process and its shell.

    Raises:
        LakeError: It runs already, its port is taken, or it did not come up.
    """
    make_folder(settings)
    with hold("airflow", settings=settings):
        if (found := running(settings)) is not None:
            raise LakeError(
                f"Airflow runs already at {found.facts['address']} (pid {found.pid}). "
                "`lake airflow stop` stops it."
            )
        stop(settings)  # what lives on after its first program was killed
        _require_port(settings)
        python = require_airflow(say)
        if (password := new_password(settings)) is not None:
            say(f"User {USER}, password {password} (shown only now)")
        output = services.log_file(settings, "start")
        say("Starting Airflow ...")
        pid = programs.run_detached(
            [sys.executable, "-m", services.MODULE, str(python), _mark(settings)],
            folder=PROJECT_ROOT,
            output=output,
            environment=settings.environment(),
        )
        try:
            facts = {"address": address(settings)}
            programs.record(_record_file(settings), pid=pid, mark=_mark(settings), facts=facts)
            _await_ready(settings, pid=pid, output=output)
        except BaseException:
            programs.stop_session(pid, grace_seconds=_GRACE_SECONDS)
            _record_file(settings).unlink(missing_ok=True)
            raise
    return Started(address(settings), pid)


def stop(settings: Settings) -> int | None:
    """Stop Airflow and the tasks that it runs. Returns its pid; None when none was running."""
    return programs.stop_recorded(_record_file(settings), grace_seconds=_GRACE_SECONDS)


def running(settings: Settings) -> programs.Recorded | None:
    """The Airflow of this state folder, if it runs."""
    return programs.recorded(_record_file(settings))


def _await_ready(settings: Settings, *, pid: int, output: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while missing := api.unwell(settings):
        if not programs.is_alive(pid):
            raise LakeError(f"Airflow ended while it started: {_last_words(settings, output)}")
        if time.monotonic() > deadline:
            raise LakeError(
                f"Airflow is not up after {_READY_SECONDS} seconds ({', '.join(missing)}); "
                f"{settings.logs_dir}/airflow-*.log say why. Run it again on a quieter machine."
            )
        time.sleep(0.5)


def _last_words(settings: Settings, output: Path) -> str:
    """What the log of the start says last, and where there is more."""
    lines = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = lines[-1].strip()[:200].rstrip(".") if lines else "it said nothing"
    return f"{said}. {settings.logs_dir}/airflow-*.log say more."


def _require_port(settings: Settings) -> None:
    if not programs.is_free(settings.airflow_port):
        raise LakeError(
            f"Port {settings.airflow_port} of Airflow is taken by "
            f"{programs.describe_listener(settings.airflow_port)}. Stop that program, or choose "
            "another port with LAKE_AIRFLOW_PORT."
        )


def _mark(settings: Settings) -> str:
    """The argument that only the Airflow of this state folder has."""
    return f"--state={settings.airflow_dir}"


def _record_file(settings: Settings) -> Path:
    return settings.airflow_dir / "running.json"
