"""The broker as a process: its storage, who it is, whether it answers, and why it ended.

In: settings and a command line of `streaming.broker.config`. Out: a formatted data folder, the pid
of the broker of this state folder, and the gist of its log when it failed.
"""

import contextlib
import os
import re
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from lakehouse.errors import LakeError
from lakehouse.processes import programs
from lakehouse.processes.java_output import lines_after, telling_line
from lakehouse.settings import Settings
from streaming import kafka_admin
from streaming.broker import config

_FORMATTING = "formatting"


@dataclass(frozen=True)
class Found:
    """A live broker of this state folder. `is_orphan`: it is tied to a command that is gone."""

    pid: int
    port: int
    is_tied: bool = False
    is_orphan: bool = False


def mark(settings: Settings) -> str:
    """The argument that only the broker of this state folder has."""
    return f"{config.STATE_MARK}{settings.kafka_dir}"


def find(settings: Settings) -> Found | None:
    """The live broker of this state folder, by its record or, without one, by its port."""
    written = programs.recorded(_record_file(settings))
    if written is not None:
        facts = written.facts
        owner, began = int(facts["owner"]), float(facts["owner_started_at"])
        is_tied = bool(facts["tied"])
        is_orphan = is_tied and not programs.is_same(owner, started_at=began)
        return Found(written.pid, int(facts["port"]), is_tied, is_orphan)
    listener = programs.listener(settings.kafka_port)
    if listener is not None and programs.is_running(listener.pid, mark=mark(settings)):
        return Found(listener.pid, settings.kafka_port)
    return None


def await_ending(settings: Settings, *, within: float) -> None:
    """Wait while a broker that was killed a moment ago still holds its ports and its storage."""
    programs.await_ending(_record_file(settings), within=within)


def remember(settings: Settings, *, pid: int, tied: bool) -> None:
    """Record the broker that this process has just started. Gone already is fine."""
    facts = {
        "port": settings.kafka_port,
        "tied": tied,
        "owner": os.getpid(),
        "owner_started_at": psutil.Process().create_time(),
    }
    with contextlib.suppress(psutil.NoSuchProcess):
        programs.record(_record_file(settings), pid=pid, mark=mark(settings), facts=facts)


def forget(settings: Settings) -> None:
    """Remove the record, if there is one."""
    if _record_file(settings).exists():
        _record_file(settings).unlink(missing_ok=True)


def cluster_id(settings: Settings) -> str | None:
    """The id that the storage was formatted with; None when there is no storage."""
    try:
        text = (_data(settings) / "meta.properties").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^cluster\.id=(\S+)$", text, re.MULTILINE)
    return found[1] if found else None


def format_once(settings: Settings, *, command: list[str]) -> None:
    """Give the broker its storage; a half-formatted folder never takes its place.

    Raises: LakeError when Kafka's storage tool fails, with what it said.
    """
    if cluster_id(settings) is not None:
        return
    fresh = settings.kafka_dir / _FORMATTING
    shutil.rmtree(fresh, ignore_errors=True)
    properties = settings.kafka_dir / f"{_FORMATTING}.properties"
    text = (settings.kafka_dir / config.PROPERTIES_FILE).read_text(encoding="ascii")
    properties.write_text(
        text.replace(f"log.dirs={config.DATA_FOLDER}\n", f"log.dirs={_FORMATTING}\n"),
        encoding="ascii",
    )
    tool = ["kafka.tools.StorageTool", "format", "--config", properties.name]
    tool += ["--cluster-id", config.new_cluster_id()]
    console = config.console_file(settings)
    code = programs.run_to_end(
        [*command, *tool],
        folder=settings.kafka_dir,
        output=console,
        environment=settings.environment(),
    )
    if code != 0:
        said = telling_line(lines_after(console))
        raise LakeError(f"Kafka could not prepare its storage in {settings.kafka_dir}: {said}.")
    shutil.rmtree(_data(settings), ignore_errors=True)
    fresh.rename(_data(settings))
    properties.unlink()


def check_ports(settings: Settings) -> None:
    """Raises: LakeError that names the port, its holder when known, and the setting."""
    for port, name in (
        (settings.kafka_port, "LAKE_KAFKA_PORT"),
        (settings.kafka_controller_port, "LAKE_KAFKA_CONTROLLER_PORT"),
    ):
        if not programs.is_free(port):
            raise LakeError(
                f"Port {port}, which Kafka needs, is taken by {programs.describe_listener(port)}. "
                f"Stop that program, or set {name} to a free port."
            )


def answers(settings: Settings, *, pid: int, within: float) -> bool:
    """Whether the broker serves metadata under this state's cluster id before the time is over."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and programs.is_alive(pid):
        with contextlib.suppress(OSError, LakeError):
            socket.create_connection((programs.LOOPBACK, settings.kafka_port), 1.0).close()
            with kafka_admin.connect(settings.bootstrap, timeout_seconds=5.0) as client:
                cluster = kafka_admin.describe(client)
            if cluster.broker_count:
                return cluster.cluster_id == cluster_id(settings)
        time.sleep(0.05)
    return False


def why_it_failed(settings: Settings, *, log_seen: int) -> str:
    """The telling line of what Java printed and of the log after byte `log_seen`."""
    return telling_line(
        lines_after(config.log_file(settings), seen=log_seen)
        + lines_after(config.console_file(settings))
    )


def _data(settings: Settings) -> Path:
    return settings.kafka_dir / config.DATA_FOLDER


def _record_file(settings: Settings) -> Path:
    return settings.kafka_dir / "broker.json"
