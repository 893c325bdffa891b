"""The only reader of `gold/CURRENT`: which gold file is in service, of which run.

In: settings. Out: the version in service, or an error that says that nothing was published.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.settings import Settings

CURRENT = "CURRENT"


class NothingPublished(LakeError):
    """There is no gold yet."""


@dataclass(frozen=True)
class Version:
    """The version of gold in service. `facts` are all that `CURRENT` says of it."""

    run_id: str
    path: Path
    published_at: datetime | None
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def change_id(self) -> str:
        """What brought it into service: a rollback's own id, else its run."""
        return str(self.facts.get("rollback_id", self.run_id))

    def part(self, name: str) -> dict[str, Any]:
        """Facts by name: `table_versions`, `rebuilt` or `heads`; empty where there are none."""
        return dict(self.facts.get(name) or {})


def in_service(settings: Settings) -> Version:
    """The version in service.

    Raises:
        NothingPublished: No version has been published yet.
        LakeError: The pointer is damaged.
    """
    pointer = settings.gold_dir / CURRENT
    try:
        facts = json.loads(pointer.read_text(encoding="utf-8"))
        name, run_id = facts["file"], facts["run_id"]
    except FileNotFoundError:
        raise NothingPublished(
            f"No gold has been published yet in {settings.gold_dir}: run ./lake demo."
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        name = run_id = None
    if not isinstance(name, str) or Path(name).name != name or not run_id:
        raise LakeError(f"{pointer} names no gold file: publish again with ./lake run daily.")
    at = parse_time(facts.get("published_at"))
    return Version(str(run_id), settings.gold_dir / name, at, facts)


def current(settings: Settings) -> Version | None:
    """The version in service; None where there is none or the pointer is damaged."""
    try:
        return in_service(settings)
    except LakeError:
        return None


def current_gold(settings: Settings) -> Path:
    """The DuckDB file of the version in service. Raises: as `in_service`, or it is missing."""
    path = in_service(settings).path
    if not path.is_file():
        raise LakeError(
            f"The published gold {path} is missing: publish again with ./lake run daily."
        )
    return path


def parse_time(text: object) -> datetime | None:
    """An ISO 8601 time with its zone, or nothing where there is none."""
    try:
        value = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return value if value.tzinfo else None
