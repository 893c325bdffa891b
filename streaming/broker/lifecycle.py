"""A real local Kafka, run from its jars: started, awaited, checked and stopped here.

In: settings and the checked jars. Out: a broker on loopback with the topics of the contracts, its
data in `<LAKE_HOME>/kafka`, its log in `<LAKE_HOME>/logs/broker.log`.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import psutil

from lakehouse.errors import LakeError
from lakehouse.jars.fetch import kafka_classpath
from lakehouse.jars.java import require_java
from lakehouse.jars.lock import KAFKA_VERSION
from lakehouse.locks import hold
from lakehouse.processes import programs
from lakehouse.settings import Settings
from streaming import kafka_admin
from streaming.broker import config, process

START_SECONDS = 120.0
STOP_SECONDS = 30.0
ANSWER_SECONDS = 15.0
HUNG_SECONDS = 5.0


@dataclass(frozen=True)
class Broker:
    """A Kafka that answers. `note` is one sentence for the person: what was started or reused.

    `tied` is set when this process started it for itself: then it ends with `close`, with the
    `with` block, or with the process.
    """

    bootstrap: str
    note: str
    pid: int | None = None
    tied: programs.Tied | None = None

    def close(self) -> None:
        """Stop the broker if it belongs to this process; otherwise leave it running."""
        if self.tied is not None:
            self.tied.close()

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class BrokerStatus:
    """State of the Kafka in use; `running` means that it answers.

    `topics` holds partitions by name. `pid`, `port`, `version` and `uptime_seconds` are known for
    the local broker only; a pid without `running` is a broker that does not answer. `is_tied`: it
    ends with the command that started it.
    """

    running: bool
    bootstrap: str
    pid: int | None = None
    port: int | None = None
    version: str | None = None
    uptime_seconds: float | None = None
    is_tied: bool = False
    topics: Mapping[str, int] = field(default_factory=dict)


def start(settings: Settings, *, detached: bool) -> Broker:
    """Start the local broker, or join the one that runs, and make the contracts' topics.

    Args:
        settings: Ports, heap and folders; with `kafka_bootstrap` nothing is started.
        detached: Outlive this process and its shell; otherwise the broker ends with this process,
            even on SIGKILL.

    Raises:
        LakeError: A port is taken, Java or the jars are missing, the folder can't be written, or
            Kafka ended while starting; the message says which and what to do.
    """
    if settings.kafka_bootstrap is not None:
        with kafka_admin.connect(settings.bootstrap) as client:
            kafka_admin.ensure_topics(client)
        note = f"Using the Kafka at {settings.bootstrap}; no local broker is started."
        return Broker(settings.bootstrap, note)
    java, classpath = require_java(settings), kafka_classpath(settings)
    with _alone(settings):
        process.await_ending(settings, within=STOP_SECONDS)
        joined = _join(settings)
        if joined is not None:
            return joined
        process.check_ports(settings)
        config.write_files(settings)
        command = config.java_command(settings, java=java, classpath=classpath)
        process.format_once(settings, command=command)
        return _launch(settings, command=command, detached=detached)


def stop(settings: Settings) -> int | None:
    """Stop the local broker of this state folder, whoever started it.

    Returns: its pid, or None when none ran.
    """
    with _alone(settings):
        found = process.find(settings)
        if found is not None:
            programs.stop(found.pid, grace_seconds=STOP_SECONDS)
        process.forget(settings)
        return found.pid if found else None


def status(settings: Settings) -> BrokerStatus:
    """What runs, and which topics it holds, asked from the Kafka itself."""
    found = None if settings.kafka_bootstrap else process.find(settings)
    bootstrap = f"{programs.LOOPBACK}:{found.port}" if found else settings.bootstrap
    if settings.kafka_bootstrap is None and (found is None or programs.is_free(found.port)):
        return BrokerStatus(running=False, bootstrap=bootstrap, pid=found.pid if found else None)
    try:
        with kafka_admin.connect(bootstrap, timeout_seconds=5.0) as client:
            topics = kafka_admin.partition_counts(client)
    except LakeError:
        return BrokerStatus(running=False, bootstrap=bootstrap, pid=found.pid if found else None)
    if found is None:
        return BrokerStatus(running=True, bootstrap=bootstrap, topics=topics)
    return BrokerStatus(
        running=True,
        bootstrap=bootstrap,
        pid=found.pid,
        port=found.port,
        version=KAFKA_VERSION,
        uptime_seconds=time.time() - psutil.Process(found.pid).create_time(),
        is_tied=found.is_tied,
        topics=topics,
    )


def require_alive(settings: Settings) -> None:
    """Raises: LakeError when the local broker's process has ended; costs no request to Kafka."""
    if settings.kafka_bootstrap is None and process.find(settings) is None:
        raise LakeError(
            f"The Kafka broker ended in mid-run; {settings.logs_dir} holds its log. Nothing "
            "acknowledged is lost: run the same command again, it goes on where this one stopped."
        )


def require_running(settings: Settings) -> None:
    """Raises: LakeError with the command to run when no broker answers."""
    if not status(settings).running:
        raise LakeError(
            f"No Kafka broker answers at {settings.bootstrap}. Start it with `lake broker start`."
        )


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One start or stop at a time; a folder that can't be written is reported in plain words."""
    try:
        with hold("broker", settings=settings, wait_seconds=START_SECONDS + STOP_SECONDS):
            yield
    except OSError as error:
        place = error.filename or settings.home
        raise LakeError(
            f"Kafka can't keep its state: {place}: {error.strerror or error}. Make the folder "
            "writable and check the free space, or set LAKE_HOME to another folder."
        ) from error


def _join(settings: Settings) -> Broker | None:
    """The broker that runs already; one that is of no use any more is ended first."""
    found = process.find(settings)
    if found is None:
        return None
    if found.port != settings.kafka_port:
        raise LakeError(
            f"Kafka of this state folder runs on port {found.port}, not {settings.kafka_port}. Run "
            f"`./lake broker stop` first, or set LAKE_KAFKA_PORT={found.port}."
        )
    if found.is_orphan:  # its command is gone and it is about to end
        programs.stop(found.pid, grace_seconds=STOP_SECONDS)
        return None
    if not process.answers(settings, pid=found.pid, within=ANSWER_SECONDS):
        programs.stop(found.pid, grace_seconds=HUNG_SECONDS)  # it hangs, or its data was wiped
        return None
    with kafka_admin.connect(settings.bootstrap) as client:
        kafka_admin.ensure_topics(client)
    note = f"Kafka runs already at {settings.bootstrap} (pid {found.pid}) and is used as it is."
    if found.is_tied:
        note += " Another command started it, and it ends with that command."
    return Broker(settings.bootstrap, note, found.pid)


def _launch(settings: Settings, *, command: list[str], detached: bool) -> Broker:
    log, console = config.log_file(settings), config.console_file(settings)
    log_seen = log.stat().st_size if log.exists() else 0
    command = [*command, "kafka.Kafka", config.PROPERTIES_FILE]
    tied = None
    if detached:
        pid = programs.run_detached(
            command, folder=settings.kafka_dir, output=console, environment=settings.environment()
        )
    else:
        tied = programs.run_tied(
            command, folder=settings.kafka_dir, output=console, environment=settings.environment()
        )
        pid = tied.pid
    try:
        process.remember(settings, pid=pid, tied=not detached)
        if not process.answers(settings, pid=pid, within=START_SECONDS):
            why = process.why_it_failed(settings, log_seen=log_seen)
            raise LakeError(f"Kafka did not start: {why}. Its whole log is {log}.")
        with kafka_admin.connect(settings.bootstrap) as client:
            kafka_admin.ensure_topics(client)
    except BaseException:
        programs.stop(pid, grace_seconds=STOP_SECONDS)
        if tied is not None:
            tied.close()
        raise
    note = f"Kafka {KAFKA_VERSION} runs at {settings.bootstrap} (pid {pid})."
    return Broker(settings.bootstrap, note, pid, tied)
