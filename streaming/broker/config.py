"""The files and the command line of the local Kafka broker.

In: settings. Out: `server.properties` and `log4j2.xml` in the broker's folder, and the command that
starts it there. Every path in them is relative to that folder: the state may be moved, and may lie
under a path with blanks, commas or letters that Java's property files cannot hold.
"""

import base64
import os
import uuid
from pathlib import Path

from lakehouse.jars.java import LOCALE
from lakehouse.settings import Settings

PROPERTIES_FILE = "server.properties"
LOGGING_FILE = "log4j2.xml"
DATA_FOLDER = "data"
LOG_FILE = "broker.log"
CONSOLE_FILE = "broker.out"
STATE_MARK = "-Dcartlake.broker="
"""Begins the argument that tells our broker of this state folder from any other Java process."""

_MESSAGE_BYTES = 1024 * 1024

_LOGGING = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="OFF" shutdownHook="disable">
  <Appenders>
    <RollingFile name="file" fileName="{logs}/broker.log" filePattern="{logs}/broker.log.%i">
      <PatternLayout pattern="%d{{ISO8601_OFFSET_DATE_TIME_HHCMM}} %p %m (%c)%n"/>
      <SizeBasedTriggeringPolicy size="8MB"/>
      <DefaultRolloverStrategy max="2"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Root level="{level}"><AppenderRef ref="file"/></Root>
    <Logger name="kafka" level="{level}"/>
    <Logger name="org.apache.kafka" level="{level}"/>
  </Loggers>
</Configuration>
"""


def log_file(settings: Settings) -> Path:
    """Where the broker logs; two older files of 8 MB are kept beside it."""
    return settings.logs_dir / LOG_FILE


def console_file(settings: Settings) -> Path:
    """What the broker's Java prints: empty, except when it cannot start."""
    return settings.logs_dir / CONSOLE_FILE


def new_cluster_id() -> str:
    """A fresh id in Kafka's form: 22 characters of base64."""
    while True:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22]
        if not cluster_id.startswith("-"):  # it would be read as an option
            return cluster_id


def write_files(settings: Settings) -> None:
    """Rewrite both files. Raises: OSError when the folder can't be written."""
    settings.kafka_dir.mkdir(parents=True, exist_ok=True)
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    lines = [f"{key}={value}" for key, value in _properties(settings).items()]
    (settings.kafka_dir / PROPERTIES_FILE).write_text("\n".join(lines) + "\n", encoding="ascii")
    level = "INFO" if settings.log_level in ("DEBUG", "INFO") else "WARN"
    (settings.kafka_dir / LOGGING_FILE).write_text(
        _LOGGING.format(logs=_relative(settings.logs_dir, settings), level=level), encoding="utf-8"
    )


def java_command(settings: Settings, *, java: Path, classpath: str) -> list[str]:
    """The command that runs a main class of Kafka; to be started in the broker's folder.

    Serial collector and the first compiler only: less memory and less time at start, and a broker
    that moves bytes gains nothing from the second.
    """
    folder, wildcard = os.path.split(classpath)
    return [
        str(java),
        f"{STATE_MARK}{settings.kafka_dir}",
        *LOCALE,
        "-Xms64m",
        f"-Xmx{settings.kafka_heap}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={_relative(settings.logs_dir, settings)}/broker-crash-%p.log",
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        f"-Dlog4j2.configurationFile={LOGGING_FILE}",
        "-cp",
        f"{_relative(Path(folder), settings)}/{wildcard}",
    ]


def _relative(path: Path, settings: Settings) -> str:
    return os.path.relpath(path, settings.kafka_dir)


def _properties(settings: Settings) -> dict[str, str | int]:
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{settings.kafka_controller_port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": f"PLAINTEXT://127.0.0.1:{settings.kafka_port},"
        f"CONTROLLER://127.0.0.1:{settings.kafka_controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{settings.kafka_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": DATA_FOLDER,
        # Only topics of the contracts, all of one copy: there is one broker.
        "auto.create.topics.enable": "false",
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        # Records are dated by arrival and kept: history dated 2010 would be deleted by its age,
        # and a reader that paused must find everything.
        "log.message.timestamp.type": "LogAppendTime",
        "log.retention.ms": -1,
        "log.retention.bytes": -1,
        "message.max.bytes": _MESSAGE_BYTES,
        # After SIGKILL the earlier life of this broker is given up quickly.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        # Sized for one machine: the defaults reserve 128 MB for the cleaner alone.
        "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,
        "log.cleaner.io.buffer.size": 128 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 2,
        "background.threads": 2,
        "metrics.num.samples": 1,
    }
