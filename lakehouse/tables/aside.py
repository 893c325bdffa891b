"""Puts a damaged table's folder aside, so that a new table can take its place.

In: a table contract and a folder. Out: the whole old folder, moved in one step and never deleted.
"""

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.contracts.tables import Table
from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from lakehouse.tables.log import location
from lakehouse.tables.writing import writer_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def put_aside(table: Table, target: Path, *, settings: Settings) -> None:
    """Move a table's folder to `target`; done before, it does nothing.

    Raises:
        LakeError: The table lies in an object store, or the folder can't be moved.
    """
    place = location(table, settings=settings)
    if "://" in place:
        raise LakeError(
            f"{table.name} lies at {place}, and only tables on a file system can be put aside. "
            "Move it away with the store's own tools and run the command again."
        )
    root = Path(place)
    with writer_of(table, settings=settings):
        if target.exists():
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if root.exists():
                root.rename(target)
            else:
                target.mkdir()  # nothing was left of it: a second run must not move the new one
        except OSError as error:
            same = " They must be on one file system." if error.errno == errno.EXDEV else ""
            raise LakeError(
                f"{root} can't be moved to {target} ({error.strerror}).{same} Mend that and run "
                "the command again."
            ) from error


def forget_tables(spark: "SparkSession") -> None:
    """Make a session read every table's log anew, where a folder was replaced under it."""
    jvm = spark._jvm
    assert jvm is not None  # noqa: S101 - a session of ours always has one
    jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
