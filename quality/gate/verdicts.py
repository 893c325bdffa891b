"""What the gate says: one row per rule, and the result that holds them.

In: verdicts of single rules. Out: `GateResult`, whose `passed` decides over gold, as plain values
that travel as JSON and appear in reports.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypedDict

from quality.gate.rule import Severity


class QualityRow(TypedDict):
    """Verdict of one rule. `status` is passed, failed, or error: the check itself broke."""

    rule: str
    suite: str
    table: str
    expectation: str
    column: str
    severity: Severity
    status: str
    success: bool
    observed: str
    detail: str
    meaning: str


@dataclass(frozen=True)
class GateResult:
    """Verdicts in the order of the rules. `rows` are the rows judged, by table."""

    results: tuple[QualityRow, ...]
    rows: Mapping[str, int]
    seconds: float
    table_versions: Mapping[str, int] = field(default_factory=dict)
    since_batch: int | None = None
    judged_at: str = ""

    @property
    def blocking(self) -> tuple[QualityRow, ...]:
        """The verdicts that keep gold from being published."""
        return tuple(row for row in self.results if not row["success"] and is_blocking(row))

    @property
    def passed(self) -> bool:
        return not self.blocking

    def including(self, row: QualityRow) -> "GateResult":
        """The result with one more verdict, such as that of `spike_row`."""
        return replace(self, results=(*self.results, row))

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return {**asdict(self), "results": list(self.results), "passed": self.passed}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "GateResult":
        plain = {name: value for name, value in document.items() if name != "passed"}
        return GateResult(**{**plain, "results": tuple(plain["results"])})


def is_blocking(row: QualityRow) -> bool:
    """Whether a verdict, if it fails, blocks gold: a check that could not run always does."""
    return row["severity"] == "block" or row["status"] == "error"
