"""What the steps of one command share: settings, stage log, one Spark session, warm children.

In: settings. Out: a context whose parts start when a step first asks for them, and all end with it.
"""

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from lakehouse.errors import LakeError
from lakehouse.jars import ensure_jars
from lakehouse.settings import STATE_VERSION, Settings
from pipelines.stages import StageLog

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.publish import PublishOutcome, Workers


Part = TypeVar("Part")


@dataclass
class Context:
    """Shared parts of one command's steps."""

    settings: Settings
    log: StageLog
    outcome: "PublishOutcome"
    options: dict[str, str] = field(default_factory=dict)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _spark: "SparkSession | None" = None
    _workers: "Workers | None" = None

    def spark(self) -> "SparkSession":
        """The session, started at the first call, with every table of the contracts in place."""
        if self._spark is None:
            from lakehouse.spark import open_session
            from lakehouse.tables import create_tables

            ensure_jars(self.settings)
            self._spark = open_session(self.settings)
            self._stack.callback(self._spark.stop)
            create_tables(self._spark, settings=self.settings)
        return self._spark

    def keep(self, part: AbstractContextManager[Part]) -> Part:
        """Hold a part until the context ends; returns what entering it gives."""
        return self._stack.enter_context(part)

    def workers(self) -> "Workers":
        """The children of a publish, started at the first call."""
        if self._workers is None:
            from pipelines.publish import warm_workers

            self._workers = self._stack.enter_context(warm_workers(self.settings))
        return self._workers


@contextlib.contextmanager
def open_context(settings: Settings, *, log: StageLog, run_id: str) -> Iterator[Context]:
    """Prepare the state folder and end all parts at the end.

    Raises:
        LakeError: The state folder can't be written, or was made by a newer version.
    """
    from pipelines.publish import PublishOutcome

    prepare_state(settings)
    context = Context(settings, log, PublishOutcome(run_id))
    with context._stack:
        yield context


def prepare_state(settings: Settings) -> None:
    """Make the state folder and check its version.

    Raises:
        LakeError: It can't be written, or belongs to another version of the platform.
    """
    marker = settings.home / "VERSION"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        found = marker.read_text(encoding="utf-8").strip() if marker.exists() else None
        if found is None:
            marker.write_text(f"{STATE_VERSION}\n", encoding="utf-8")
    except OSError as error:
        raise LakeError(
            f"The state folder {settings.home} can't be written ({os.strerror(error.errno or 0)}). "
            "Choose another one with LAKE_HOME."
        ) from error
    if found is not None and found != str(STATE_VERSION):
        raise LakeError(
            f"The state in {settings.home} is of version {found}, this platform reads version "
            f"{STATE_VERSION}. Choose another LAKE_HOME, or wipe it with `lake demo --fresh`."
        )
