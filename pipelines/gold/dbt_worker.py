"""The child process that runs dbt, seen from the parent: started early, killed with its parent.

In: the variables of a build. Out: the answer of `pipelines.gold.dbt_child`, or an error that says
how the child died. Run standalone: `pipelines.gold.build` uses it.
"""

from collections.abc import Mapping
from typing import Any, cast

from lakehouse.processes.worker import Worker
from lakehouse.settings import Settings


class GoldWorker(Worker):
    """The child process that runs dbt, parsing from the moment it is made."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            "pipelines.gold.dbt_child",
            task="builds gold",
            settings=settings,
            log_name="gold.log",
        )

    def build(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Run one build and wait for it; the answer of `pipelines.gold.dbt_child.build`.

        Raises:
            LakeError: The project does not parse, or the child process died.
        """
        try:
            return cast("dict[str, Any]", self.ask(dict(variables)))
        except BaseException:
            self.close()
            raise
