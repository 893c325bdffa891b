"""The only Spark session of the platform: Delta and Kafka from the checked jars, times in UTC.

In: settings. Out: a session with two shuffle partitions and nothing resolved at run time, in this
process or on a cluster whose workers have the same files and the same Python under the same paths.
"""

import atexit
import logging
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse import spark_cluster, spark_java
from lakehouse.errors import LakeError
from lakehouse.jars.fetch import spark_jars
from lakehouse.jars.java import LOCALE, require_java
from lakehouse.processes.java_output import telling_line
from lakehouse.settings import (
    PROJECT_ROOT,
    UNKNOWN_USER,
    Settings,
    forget_foreign,
    is_user_unknown,
    variables,
)
from lakehouse.shop import shop_variables
from lakehouse.spark_java import SparkJava

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_opening = threading.Lock()
_java: list[SparkJava] = []
"""The Java half of this process's session, which PySpark keeps until the process ends."""


def open_session(settings: Settings, *, app_name: str = "cartlake") -> "SparkSession":
    """Start, or join, the process's Spark session.

    Raises:
        LakeError: Java is missing or too old, the jars do not match the installed packages, or
            Spark did not start; the message says why.
    """
    forget_foreign()
    spark_cluster.require_master(settings)
    jars = spark_jars(settings)
    _keep_logs_off_the_terminal(settings)
    conf = _conf(settings, jars)
    with _opening:
        gateway = {} if _java else _start_java(settings, jars=jars, conf=conf)
        from py4j.protocol import Py4JJavaError
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.appName(app_name).config(map={**conf, **_proof(settings)})
        try:
            with variables({**gateway, "PYSPARK_PYTHON": sys.executable}):
                if is_user_unknown():
                    _name_the_user()
                session = builder.getOrCreate()
        except Py4JJavaError as error:
            raise LakeError(
                f"Spark did not start: {telling_line(str(error).splitlines())}. "
                f"Its whole log is {_java[0].log}."
            ) from error
        session.sparkContext.setLogLevel("ERROR")
    return session


def end_java() -> None:
    """End the Java half of this process's session, which needs memory; no other can be opened."""
    if _java:
        _java[0].program.close()


def _start_java(
    settings: Settings, *, jars: Sequence[Path], conf: Mapping[str, str]
) -> Mapping[str, str]:
    java = spark_java.start(settings, java=require_java(settings), jars=jars, conf=conf)
    try:
        import pyspark.sql  # noqa: F401 - takes its time while Java takes its own

        gateway = java.await_ready()
    except BaseException:
        java.program.abandon()
        raise
    _java.append(java)
    atexit.register(java.program.close)
    return gateway


def _name_the_user() -> None:
    """Give Hadoop a user where the machine knows no name for ours."""
    from pyspark import SparkContext

    SparkContext._ensure_initialized()
    users = SparkContext._jvm.org.apache.hadoop.security.UserGroupInformation
    users.setLoginUser(users.createRemoteUser(UNKNOWN_USER))


def _conf(settings: Settings, jars: Sequence[Path]) -> dict[str, str]:
    conf = {
        "spark.master": settings.spark_master,
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.driver.bindAddress": settings.spark_driver_host,
        "spark.driver.host": settings.spark_driver_host,
        "spark.local.dir": ".",
        "spark.sql.warehouse.dir": "warehouse",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(settings.spark_shuffle_partitions),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # Hadoop's checked local file system asks the shell for permissions and links: up to 20
        # child processes a batch, against one for each of two files. Our ledger and
        # `streaming.checkpoints` keep the checksums.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
        # One process writes a table at a time: `lakehouse.tables` holds a lock for each.
        "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
        "spark.sql.streaming.checkpointFileManagerClass": "org.apache.spark.sql.execution."
        "streaming.checkpointing.FileSystemBasedCheckpointFileManager",
        "spark.databricks.delta.writeChecksumFile.enabled": "false",
        "spark.sql.adaptive.streaming.stateless.enabled": "false",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.databricks.delta.optimizeWrite.enabled": "false",
        "spark.sql.streaming.stopTimeout": "30s",
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        # Java never compiles a method beyond 8,000 bytes: generated code that long runs slowly.
        "spark.sql.codegen.hugeMethodLimit": "8000",
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.log.level": "ERROR",
        "spark.executorEnv.PYTHONPATH": str(PROJECT_ROOT),  # workers run what the driver runs
        **{f"spark.executorEnv.{name}": text for name, text in shop_variables(settings).items()},
    }
    return conf if _is_local(settings) else {**conf, **_of_executors(settings, jars)}


def _of_executors(settings: Settings, jars: Sequence[Path]) -> dict[str, str]:
    """What a cluster's executors need besides: they fetch the jars from the driver."""
    cores = {} if settings.spark_cores is None else {"spark.cores.max": str(settings.spark_cores)}
    options = [*LOCALE, "-Djava.io.tmpdir=.", settings.spark_java_options]
    return {
        "spark.jars": ",".join(map(str, jars)),
        "spark.executor.memory": settings.spark_executor_memory,
        "spark.executor.extraJavaOptions": " ".join(options),
        **cores,
    }


def _proof(settings: Settings) -> dict[str, str]:
    """The secret of the cluster, where it has one; others could see a command line."""
    secret = None if _is_local(settings) else spark_cluster.secret(settings)
    return {"spark.authenticate": "true", "spark.authenticate.secret": secret} if secret else {}


def _is_local(settings: Settings) -> bool:
    return settings.spark_master.startswith("local")


def _keep_logs_off_the_terminal(settings: Settings) -> None:
    """Give what Spark's Python half logs to a file: on Ctrl-C it would print its stack."""
    root = logging.getLogger()
    if not root.handlers:
        log = settings.logs_dir / "spark-python.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        root.addHandler(logging.FileHandler(log, encoding="utf-8", delay=True))
