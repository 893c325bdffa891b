"""A standalone Spark cluster of the installed PySpark: its two programs, and the secret they share.

In: settings. Out: command and environment of a master or a worker; what the master's page says. The
programs run in the folder `cluster` of the state. Who has the secret may run code on the workers.
"""

import re
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.files import create_private
from lakehouse.http import answer_of
from lakehouse.jars.java import LOCALE, require_java
from lakehouse.settings import Settings
from lakehouse.spark_java import MODULES, spark_home
from lakehouse.state import claim

MARK = "-Dcartlake.cluster="
DAEMON_HEAP = "256m"
_OPTIONS = (
    "-Dspark.authenticate=true",
    "-Dspark.master.rest.enabled=false",
    "-Dspark.ui.killEnabled=false",
    "-Dspark.deploy.recoveryMode=FILESYSTEM",  # a master that is back knows its applications
    "-Dspark.deploy.recoveryDirectory=recovery",
    "-Dspark.worker.cleanup.enabled=true",
    "-Dspark.worker.cleanup.appDataTtl=3600",
)


@dataclass(frozen=True)
class Program:
    """What starts a master or a worker, in the cluster's folder."""

    command: list[str]
    environment: dict[str, str]


def mark(settings: Settings) -> str:
    """The argument that only programs of this state folder's cluster have."""
    return f"{MARK}{settings.cluster_dir}"


def make_secret(settings: Settings) -> None:
    """The folder and its secret, once for each state folder; only its owner may enter it."""
    claim(settings)
    settings.cluster_dir.mkdir(mode=0o700, exist_ok=True)
    create_private(settings.cluster_dir / "secret", secrets.token_urlsafe(32))


def secret(settings: Settings) -> str | None:
    """What a driver proves itself with; None where no secret lies in the cluster's folder."""
    try:
        return (settings.cluster_dir / "secret").read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def master(settings: Settings, *, host: str) -> Program:
    """The master, listening on one host name or address."""
    arguments = ["--port", str(settings.cluster_port)]
    arguments += ["--webui-port", str(settings.cluster_page_port)]
    return _program(settings, "master.Master", arguments, host=host)


def worker(settings: Settings, *, host: str, master_url: str, cores: int, memory: str) -> Program:
    """A worker of that master, which gives its executors so many cores and so much memory."""
    arguments = ["--cores", str(cores), "--memory", memory, "--work-dir", "work"]
    arguments += ["--webui-port", "0", master_url]
    return _program(settings, "worker.Worker", arguments, host=host)


def require_master(settings: Settings) -> None:
    """Raises: LakeError when no master listens at LAKE_SPARK_MASTER; Spark asks for minutes."""
    found = re.fullmatch(r"spark://([^:,/]+):(\d+)", settings.spark_master)
    if found is None:  # another kind of master, or a list of them
        return
    try:
        socket.create_connection((found[1], int(found[2])), 5.0).close()
    except OSError:
        raise LakeError(
            f"No Spark master answers at {settings.spark_master}. Start it with "
            "`lake cluster start`, or check LAKE_SPARK_MASTER."
        ) from None


def ask(host: str, port: int) -> dict[str, Any]:
    """What the master's page says of workers and applications; empty while it does not answer."""
    return answer_of(f"http://{host}:{port}/json/")


def _program(settings: Settings, name: str, arguments: Sequence[str], *, host: str) -> Program:
    home = spark_home()
    command = [
        *(str(require_java(settings)), mark(settings), "-cp", str(home / "jars" / "*")),
        *(f"-Xmx{DAEMON_HEAP}", *MODULES, *LOCALE, *_OPTIONS),
        *(f"org.apache.spark.deploy.{name}", "--host", host, *arguments),
    ]
    environment = {
        **settings.environment(),
        "SPARK_HOME": str(home),
        "SPARK_SCALA_VERSION": "2.13",
        "SPARK_LOCAL_IP": host,
        "SPARK_LOCAL_DIRS": ".",
        "_SPARK_AUTH_SECRET": secret(settings) or "",
    }
    return Program(command, environment)
