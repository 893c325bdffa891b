"""Rows of Delta tables as DataFrames: a table now or at a version, or its appends as a stream.

In: a session and a table contract. Out: lazy frames.
"""

from typing import TYPE_CHECKING

from lakehouse.contracts.tables import Table
from lakehouse.settings import Settings
from lakehouse.tables.log import location

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def read(
    spark: "SparkSession", table: Table, *, settings: Settings, version: int | None = None
) -> "DataFrame":
    """A table's rows, now or at a version."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(location(table, settings=settings))


def read_stream(
    spark: "SparkSession", table: Table, *, settings: Settings, max_bytes: str
) -> "DataFrame":
    """A table's appended rows as a stream; commits that only rearrange or erase are passed over."""
    return (
        spark.readStream.format("delta")
        .option("skipChangeCommits", "true")
        .option("maxBytesPerTrigger", max_bytes)
        .load(location(table, settings=settings))
    )


def engine_errors() -> tuple[type[Exception], ...]:
    """What DuckDB, delta-rs or Spark raise where a table can't be read or written."""
    import duckdb
    from deltalake.exceptions import DeltaError
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return duckdb.Error, DeltaError, Py4JError, PySparkException
