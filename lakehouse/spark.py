"""The only Spark session of the platform: Delta and Kafka from the checked jars, times in UTC.

In: settings. Out: a session with two shuffle partitions and nothing resolved at run time.
"""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_opening = threading.Lock()
"""One start at a time: two at once would each keep the other's standard error as the terminal."""


def open_session(settings: Settings, *, app_name: str = "cartlake") -> "SparkSession":
    """Start, or join, the process's Spark session.

    Raises:
        LakeError: Java is missing or too old, or the jars do not match the installed packages.
    """
    from pyspark.sql import SparkSession

    from lakehouse.jars.fetch import spark_jars

    jars = [str(path) for path in spark_jars(settings)]
    _keep_logs_off_the_terminal(settings)
    os.environ["PYSPARK_PYTHON"] = sys.executable  # the record functions run in Spark's workers
    local = settings.home / "spark"
    local.mkdir(parents=True, exist_ok=True)
    # Before the JVM starts its class path is free: jars there load once and quietly.
    builder = (
        SparkSession.builder.appName(app_name)
        .master(settings.spark_master)
        .config("spark.driver.memory", settings.spark_driver_memory)
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.extraClassPath", ":".join(jars))
        .config(
            "spark.driver.extraJavaOptions",
            f"{settings.spark_java_options} -Djava.io.tmpdir={local}",
        )
        .config("spark.local.dir", str(local))
        .config("spark.sql.warehouse.dir", str(local / "warehouse"))
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", str(settings.spark_shuffle_partitions))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config(
            "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog"
        )
        # Hadoop's checked local file system asks the shell for permissions and links: up to 20
        # child processes a batch. Our ledger and `streaming.checkpoints` keep the checksums.
        .config("spark.hadoop.fs.file.impl", "org.apache.hadoop.fs.RawLocalFileSystem")
        .config(
            "spark.hadoop.fs.AbstractFileSystem.file.impl",
            "org.apache.hadoop.fs.local.RawLocalFs",
        )
        # One JVM writes a table at a time: `lakehouse.tables` holds a lock for each.
        .config("spark.delta.logStore.file.impl", "io.delta.storage.LocalLogStore")
        .config(
            "spark.sql.streaming.checkpointFileManagerClass",
            "org.apache.spark.sql.execution.streaming.checkpointing."
            "FileSystemBasedCheckpointFileManager",
        )
        .config("spark.databricks.delta.writeChecksumFile.enabled", "false")
        .config("spark.sql.adaptive.streaming.stateless.enabled", "false")
        .config("spark.databricks.delta.snapshotPartitions", "1")
        .config("spark.databricks.delta.optimizeWrite.enabled", "false")
        .config("spark.sql.streaming.stopTimeout", "30s")
        .config("spark.sql.streaming.noDataMicroBatches.enabled", "false")
        # Java never compiles a method beyond 8,000 bytes: generated code that long runs slowly.
        .config("spark.sql.codegen.hugeMethodLimit", "8000")
        .config("spark.sql.inMemoryColumnarStorage.compressed", "false")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.log.level", "ERROR")
    )
    if not settings.spark_master.startswith("local"):
        builder = builder.config("spark.jars", ",".join(jars))
    with _opening, _console_to(settings.logs_dir / "spark.log"):
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
    return session


def _keep_logs_off_the_terminal(settings: Settings) -> None:
    """Give what Spark's Python half logs to a file: on Ctrl-C it would print its stack."""
    root = logging.getLogger()
    if not root.handlers:
        log = settings.logs_dir / "spark-python.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        root.addHandler(logging.FileHandler(log, encoding="utf-8", delay=True))


@contextlib.contextmanager
def _console_to(log: Path) -> Iterator[None]:
    """Give what the JVM prints for all its life to a log file: it inherits our standard error."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
