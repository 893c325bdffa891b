"""Who shows or reports what gold and silver hold, read from the exposures of the dbt project.

In: the yml file beside the marts. Out: pages and reports with their tiles, and the tables of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lakehouse.contracts.marts import MARTS_DIR
from lakehouse.errors import LakeError

DECLARATION = MARTS_DIR / "_exposures.yml"


@dataclass(frozen=True)
class Exposure:
    """A page or report. `tiles` are its parts with the names of the tables that each shows."""

    name: str
    label: str
    description: str
    tiles: Mapping[str, tuple[str, ...]]

    def tables(self) -> tuple[str, ...]:
        """Every table that it shows, by name."""
        return tuple(sorted({name for reads in self.tiles.values() for name in reads}))


@cache
def read_exposures(declaration: Path = DECLARATION) -> tuple[Exposure, ...]:
    """Every page and report, in the order of their declaration.

    Raises:
        LakeError: The declaration can't be read, or one is incomplete.
    """
    import yaml  # type: ignore[import-untyped]

    try:
        found = yaml.safe_load(declaration.read_text(encoding="utf-8"))["exposures"]
        return tuple(
            Exposure(
                each["name"],
                each["label"],
                each["description"],
                {tile: tuple(reads) for tile, reads in each["config"]["meta"]["tiles"].items()},
            )
            for each in found
        )
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise LakeError(f"The exposures of {declaration} can't be read: {error}.") from error
