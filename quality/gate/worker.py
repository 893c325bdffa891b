"""A process that has imported Great Expectations before its verdict is needed.

In: table versions and a batch. Out: the gate's verdict, without the wait for the import.
Run standalone: `python -m quality.gate.worker` is the child.
"""

import sys
from collections.abc import Mapping
from typing import Any

from lakehouse.processes.worker import Answer, Tell, Worker, serve
from lakehouse.settings import Settings
from quality.gate.verdicts import GateResult


class GateWorker(Worker):
    """A warm quality gate in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        """Start the process and return at once; it imports while the caller goes on."""
        self._settings = settings
        super().__init__(
            "quality.gate.worker",
            task="judges quality",
            settings=settings,
            log_name="quality-gate.log",
        )

    def judge(self, *, table_versions: Mapping[str, int], since_batch: int | None) -> GateResult:
        """As `quality.gate.judge.judge`.

        Raises:
            LakeError: The judgement could not be made, or the process has died.
        """
        request = {
            "settings": self._settings.model_dump(mode="json"),
            "table_versions": dict(table_versions),
            "since_batch": since_batch,
        }
        return GateResult.from_json(self.ask(request))


def warm_gate(_: Tell) -> Answer:
    """Import what a judgement needs. Returns: the function that judges."""
    # Great Expectations loads all of PySpark where it finds it; nothing here needs Spark.
    sys.modules["pyspark"] = None  # type: ignore[assignment]
    from quality.gate.expectations import open_frames
    from quality.gate.judge import judge

    open_frames()

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        settings = Settings(**request.pop("settings"))
        return judge(settings, **request).to_json()

    return answer


if __name__ == "__main__":
    serve(warm_gate)
