"""Spark's Java half: started by us, under a clean environment, and gone as soon as we are.

In: settings, the Java to use, jars and Spark's settings. Out: a gateway that PySpark joins. PySpark
would start the same program through two shell scripts and a Java of its own that only puts the
command line together; Java that starts while its Python is stopped then waits for ever.
"""

import importlib.util
import os
import shlex
import struct
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.jars.java import LOCALE
from lakehouse.processes import programs
from lakehouse.processes.java_output import lines_after, telling_line
from lakehouse.settings import Settings
from lakehouse.state import claim

START_SECONDS = 180.0
_FAILED = b'Exception in thread "main"'
"""After it Java may live on, with threads that wait for a Python which can't find it."""
MODULES = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net"),
            *("java.nio", "java.util", "java.util.concurrent", "java.util.concurrent.atomic"),
            *("jdk.internal.ref", "sun.nio.ch", "sun.nio.cs", "sun.security.action"),
            "sun.util.calendar",
        )
    ),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dderby.connection.requireAuthentication=false",
)
"""What Spark's own launcher adds for Java 17 and newer."""


@dataclass(frozen=True)
class SparkJava:
    """Spark's Java, starting. Its port and secret are in `answer` once it is ready."""

    program: programs.Tied
    answer: Path
    log: Path

    def await_ready(self) -> Mapping[str, str]:
        """Wait for the gateway. Returns: the variables by which PySpark finds it.

        Raises: LakeError with the telling line of what Java printed when it ended.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self.answer.exists():
            is_hopeless = time.monotonic() > deadline or not programs.is_alive(self.program.pid)
            if is_hopeless or _FAILED in self.log.read_bytes():
                self.program.abandon()
                raise LakeError(
                    f"Spark did not start: {telling_line(lines_after(self.log))}. "
                    f"Its whole log is {self.log}."
                )
            time.sleep(0.02)
        content = self.answer.read_bytes()
        self.answer.unlink()
        port, length = struct.unpack_from(">ii", content)
        secret = content[8 : 8 + length].decode()
        return {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}


def start(
    settings: Settings, *, java: Path, jars: Sequence[Path], conf: Mapping[str, str]
) -> SparkJava:
    """Start Spark's Java and return at once.

    It runs in the folder `spark` of the state and knows other folders relative to that: neither
    Java's class path nor Spark's lists of folders can hold every name.

    Raises: LakeError when no folder is left from which native libraries can be loaded.
    """
    folder = scratch_dir(settings)
    log = settings.logs_dir / "spark.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("gateway-*"):
        stale.unlink(missing_ok=True)
    answer = folder / f"gateway-{uuid.uuid4().hex}"
    home = spark_home()
    environment = {
        **settings.environment(),
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": settings.spark_driver_host,  # else it looks up the name of this machine
        "SPARK_CONNECT_MODE": "0",
        "PYSPARK_PYTHON": sys.executable,
        "_PYSPARK_DRIVER_CONN_INFO_PATH": f"./{answer.name}",
    }
    program = programs.run_tied(
        java_command(settings, java=java, spark_home=home, jars=jars, conf=conf),
        folder=folder,
        output=log,
        environment=environment,
        own_session=False,  # stopped, and gone on with, as one with us
        orphan_seconds=0,  # what it has not committed is done again, and nobody may write beside us
    )
    return SparkJava(program, answer, log)


def java_command(
    settings: Settings,
    *,
    java: Path,
    spark_home: Path,
    jars: Sequence[Path],
    conf: Mapping[str, str],
) -> list[str]:
    """The command that Spark's launcher would make, to be started in Spark's folder."""
    folder = scratch_dir(settings)
    class_path = [os.path.relpath(jar, folder) for jar in jars]
    class_path += [str(spark_home / "jars" / "*")]
    options = [item for name, value in conf.items() for item in ("--conf", f"{name}={value}")]
    return [
        str(java),
        "-cp",
        os.pathsep.join(class_path),
        f"-Xmx{settings.spark_driver_memory}",
        *MODULES,
        *LOCALE,
        f"-Duser.home={folder}",  # no list of repositories of the user's, and no user without home
        f"-Djava.io.tmpdir={_native_libraries_dir(settings)}",
        *shlex.split(settings.spark_java_options),
        "org.apache.spark.deploy.SparkSubmit",
        *options,
        "pyspark-shell",
    ]


def scratch_dir(settings: Settings) -> Path:
    """Folder for what Spark spills; its content is of no use once the session has ended."""
    claim(settings)
    path = settings.home / "spark"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _native_libraries_dir(settings: Settings) -> str:
    """A folder in which Java may unpack libraries and load them: mounted without `noexec`."""
    import tempfile

    folder = scratch_dir(settings)
    if _may_execute(folder):
        return "."
    other = Path(tempfile.gettempdir())
    if _may_execute(other):
        return str(other)
    raise LakeError(
        f"Neither {folder} nor {other} may hold programs (both are mounted with noexec), and Spark "
        "needs one for its libraries. Set LAKE_HOME or TMPDIR to a folder that may."
    )


def _may_execute(folder: Path) -> bool:
    return not os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)


def spark_home() -> Path:
    """Folder of the installed PySpark. Raises: LakeError when it is missing."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise LakeError("pyspark is not installed in this environment. Run `./lake doctor`.")
    return Path(spec.origin).parent
