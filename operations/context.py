"""What the steps of one command share: settings, stage log, one Spark session, warm children.

In: settings. Out: a context whose parts start when a step first asks for them, and all end with it.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from lakehouse.jars.fetch import ensure_jars
from lakehouse.locks import hold
from lakehouse.settings import Settings
from lakehouse.stages import StageLog
from lakehouse.state import prepare

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pipelines.publishing.publish import PublishOutcome, Workers


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
            create_tables(self.settings)
            self._spark = open_session(self.settings)
            self._stack.callback(self._spark.stop)
        return self._spark

    def keep(self, part: AbstractContextManager[Part]) -> Part:
        """Hold a part until the context ends; returns what entering it gives."""
        return self._stack.enter_context(part)

    def workers(self) -> "Workers":
        """The children of a publish, started at the first call."""
        if self._workers is None:
            from pipelines.publishing.publish import warm_workers

            self._workers = self._stack.enter_context(warm_workers(self.settings))
        return self._workers


@contextlib.contextmanager
def open_context(settings: Settings, *, log: StageLog, run_id: str) -> Iterator[Context]:
    """Prepare the state folder and end all parts at the end.

    Raises:
        LakeError: The state folder can't be written, or was made by a newer version.
    """
    from pipelines.publishing.publish import PublishOutcome

    prepare(settings)
    context = Context(settings, log, PublishOutcome(run_id))
    with context._stack:
        yield context


def alone(query: str, context: Context) -> AbstractContextManager[None]:
    """Hold a query's checkpoint; two drivers on one would fight. Raises: LakeError naming who."""
    return hold(f"query-{query}", settings=context.settings)
