"""`lake cluster`: a standalone Spark cluster on the loopback address, one per state folder.

In: settings. Out: a master and workers in sessions of their own, a record of each, and what they
say of themselves. Jobs use it with LAKE_SPARK_MASTER.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lakehouse import spark_cluster
from lakehouse.errors import LakeError
from lakehouse.locks import hold
from lakehouse.processes import programs
from lakehouse.settings import Settings
from lakehouse.spark_cluster import Program
from lakehouse.state import prepare

_READY_SECONDS = 60
_GRACE_SECONDS = 10
_MASTER = "master"


@dataclass(frozen=True)
class Status:
    """The master's address and pid, workers that it can use, and how many were started."""

    address: str
    pid: int | None
    alive: int
    started: int
    applications: int


def start(settings: Settings, *, workers: int, cores: int, memory: str) -> Status:
    """Start a master and workers that outlive this process, and wait until all can be used.

    Raises:
        LakeError: It runs already, a port is taken, or a program did not come up.
    """
    prepare(settings)
    with hold("cluster", settings=settings):
        if (found := programs.recorded(_record(settings, _MASTER))) is not None:
            raise LakeError(
                f"The cluster runs already at {address(settings)} (pid {found.pid}). "
                "`lake cluster stop` stops it."
            )
        stop(settings)
        _require_ports(settings)
        spark_cluster.make_secret(settings)
        settings.logs_dir.mkdir(exist_ok=True)
        try:
            _run(settings, _MASTER, spark_cluster.master(settings, host=programs.LOOPBACK))
            _await_workers(settings, number=0)
            for number in range(1, workers + 1):
                program = spark_cluster.worker(
                    settings,
                    host=programs.LOOPBACK,
                    master_url=address(settings),
                    cores=cores,
                    memory=memory,
                )
                _run(settings, f"worker-{number}", program)
            _await_workers(settings, number=workers)
        except BaseException:
            stop(settings)
            raise
    return status(settings)


def stop(settings: Settings) -> int:
    """Stop the master, the workers and what runs on them. Returns how many programs there were."""
    records = sorted(_records(settings), reverse=True)  # the workers before their master
    stopped = [programs.stop_recorded(each, grace_seconds=_GRACE_SECONDS) for each in records]
    return sum(session is not None for session in stopped)


def status(settings: Settings) -> Status:
    """What runs now, as the records and the master's page say."""
    found = programs.recorded(_record(settings, _MASTER))
    said = spark_cluster.ask(programs.LOOPBACK, settings.cluster_page_port) if found else {}
    started = [each for each in _records(settings) if programs.recorded(each) is not None]
    return Status(
        address(settings),
        found.pid if found else None,
        alive=int(said.get("aliveworkers", 0)),
        started=len(started) - bool(found),
        applications=len(said.get("activeapps", [])),
    )


def address(settings: Settings) -> str:
    """What LAKE_SPARK_MASTER is set to."""
    return f"spark://{programs.LOOPBACK}:{settings.cluster_port}"


def _run(settings: Settings, name: str, program: Program) -> None:
    pid = programs.run_detached(
        program.command,
        folder=settings.cluster_dir,
        output=_log(settings, name),
        environment=program.environment,
    )
    programs.record(_record(settings, name), pid=pid, mark=spark_cluster.mark(settings), facts={})


def _await_workers(settings: Settings, *, number: int) -> None:
    """Wait until the master answers and can use so many workers."""
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        said = spark_cluster.ask(programs.LOOPBACK, settings.cluster_page_port)
        if said and said["aliveworkers"] >= number:
            return
        ended = [each for each in _records(settings) if programs.recorded(each) is None]
        if ended or time.monotonic() > deadline:
            log = _log(settings, ended[0].stem if ended else _MASTER)
            raise LakeError(f"The Spark cluster did not come up; {log} says why.")
        time.sleep(0.2)


def _require_ports(settings: Settings) -> None:
    for port, name in (
        (settings.cluster_port, "LAKE_CLUSTER_PORT"),
        (settings.cluster_page_port, "LAKE_CLUSTER_PAGE_PORT"),
    ):
        if not programs.is_free(port):
            raise LakeError(
                f"Port {port}, which the Spark cluster needs, is taken by "
                f"{programs.describe_listener(port)}. Stop that program, or set {name} to a free "
                "port."
            )


def _records(settings: Settings) -> Iterator[Path]:
    yield from settings.cluster_dir.glob("*.json")


def _record(settings: Settings, name: str) -> Path:
    return settings.cluster_dir / f"{name}.json"


def _log(settings: Settings, name: str) -> Path:
    return settings.logs_dir / f"spark-{name}.log"
