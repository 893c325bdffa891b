"""The only reader of `gold/CURRENT`: which gold file is in service, of which run.

In: settings. Out: the version in service, or an error that says that nothing was published.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.settings import Settings

CURRENT = "CURRENT"


def current(settings: Settings) -> dict[str, Any]:
    """The pointer's content; empty when nothing is in service."""
    try:
        found = json.loads((settings.gold_dir / CURRENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def current_gold(settings: Settings) -> Path:
    """The DuckDB file of the published version.

    Raises:
        LakeError: Nothing is published yet, or the pointer or its file is damaged.
    """
    pointer = settings.gold_dir / CURRENT
    try:
        name = json.loads(pointer.read_text(encoding="utf-8"))["file"]
    except FileNotFoundError:
        raise LakeError(
            f"No gold has been published yet in {settings.gold_dir}: run ./lake demo."
        ) from None
    except (ValueError, KeyError, TypeError):
        name = None
    if not isinstance(name, str) or Path(name).name != name:
        raise LakeError(f"{pointer} names no gold file: publish again with ./lake run daily.")
    path = settings.gold_dir / name
    if not path.is_file():
        raise LakeError(
            f"The published gold {path} is missing: publish again with ./lake run daily."
        )
    return path


class NothingPublished(LakeError):
    """There is no gold yet."""


@dataclass(frozen=True)
class Version:
    """A published version of gold, as `CURRENT` names it."""

    run_id: str
    path: Path
    published_at: datetime | None


def current_version(settings: Settings) -> Version:
    """The version in service.

    Raises:
        NothingPublished: No version has been published yet.
        LakeError: The pointer is damaged.
    """
    pointer = settings.gold_dir / CURRENT
    try:
        content = json.loads(pointer.read_text(encoding="utf-8"))
        name, run_id = content["file"], content["run_id"]
    except FileNotFoundError:
        raise NothingPublished(
            "Nothing has been published yet: run ./lake demo to load the shop's history."
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise LakeError(f"{pointer} cannot be read: publish again with ./lake run daily.") from None
    if not isinstance(name, str) or Path(name).name != name:
        raise LakeError(f"{pointer} names no gold file: publish again with ./lake run daily.")
    return Version(str(run_id), settings.gold_dir / name, parse_time(content.get("published_at")))


def parse_time(text: object) -> datetime | None:
    """An ISO 8601 time with its zone, or nothing where there is none."""
    try:
        value = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return value if value.tzinfo else None
