"""Contracts of gold's tables, read from the dbt project, which enforces them.

In: the yml files beside the marts. Out: one `Mart` per table: grain, key, columns with their units.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT

MARTS_DIR = PROJECT_ROOT / "dbt_project" / "models" / "marts"
_GRAIN = re.compile(r"One row per (.+?)\.?\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class MartColumn:
    """A column of gold. `type` is DuckDB's, without blanks."""

    name: str
    type: str
    nullable: bool
    unit: str
    description: str = ""


@dataclass(frozen=True)
class Mart:
    """A table of gold. `grain` completes the sentence "One row per ...", after the `purpose`."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[MartColumn, ...]
    purpose: str = ""


def read_marts(folder: Path = MARTS_DIR) -> tuple[Mart, ...]:
    """Every mart with a contract, by name.

    Raises:
        LakeError: There is no dbt project here, or a file of it can't be read.
    """
    import yaml  # type: ignore[import-untyped]

    paths = sorted(folder.glob("*.yml"))
    if not paths:
        raise LakeError(f"The contracts of gold are part of the source tree: {folder} has none.")
    marts = []
    for path in paths:
        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            marts += [_mart(model) for model in found.get("models", ()) if "columns" in model]
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise LakeError(f"{path} can't be read as contracts of gold: {error}.") from error
    return tuple(sorted(marts, key=lambda mart: mart.name))


def _mart(model: dict[str, Any]) -> Mart:
    grain = _GRAIN.search(model["description"])
    return Mart(
        f"gold.{model['name']}",
        " ".join(grain[1].split()) if grain else "",
        _key(model),
        tuple(map(_column, model["columns"])),
        " ".join(model["description"][: grain.start() if grain else None].split()),
    )


def _key(model: dict[str, Any]) -> tuple[str, ...]:
    """Columns of the first test for a unique key, which is that of the whole table."""
    for test in model.get("data_tests", ()):
        if "unique_key" in test:
            return tuple(test["unique_key"]["arguments"]["columns"])
    return ()


def _column(column: dict[str, Any]) -> MartColumn:
    constraints = {each["type"] for each in column.get("constraints", ())}
    return MartColumn(
        column["name"],
        column["data_type"].replace(" ", ""),
        nullable="not_null" not in constraints,
        unit=column.get("config", {}).get("meta", {}).get("unit", ""),
        description=column.get("description", ""),
    )
