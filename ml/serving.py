"""Which model serves: one small file per model names the champion's version, file and hash.

In: `<LAKE_HOME>/models/served/<model>.json`. Out: the champion's bytes, never others than those
that were registered: a file whose SHA-256 differs is refused. Scoring reads this and not MLflow,
whose import alone takes seconds; the registry writes it, last of all, when a champion changes.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.settings import Settings
from ml.artifacts import Artifact, Format


@dataclass(frozen=True)
class Served:
    """A registered version of a model.

    `file` lies below the folder of the models; `known_until` is the last day of its data.
    """

    model: str
    version: int
    run_id: str
    file: str
    format: Format
    sha256: str
    trained_at: str
    known_until: str

    @property
    def label(self) -> str:
        """How scores name the version that made them."""
        return f"{self.model} {self.version}"


def champion(model: str, *, settings: Settings) -> Served | None:
    """The version that serves; None as long as none was promoted.

    Raises:
        LakeError: The file that names it is damaged.
    """
    return _named(pointer_of(model, settings=settings), model)


def challenger(model: str, *, settings: Settings) -> Served | None:
    """The newest registered version that does not serve; None where there is none.

    Raises:
        LakeError: The file that names it is damaged.
    """
    return _named(shadow_of(model, settings=settings), model)


def in_use(model: str, *, settings: Settings) -> dict[str, Served]:
    """The versions that score, by alias: the champion, and the challenger in its shadow if any.

    Raises:
        LakeError: None serves, or the file that names one is damaged.
    """
    found = champion(model, settings=settings)
    if found is None:
        raise LakeError(f"No version of {model} serves yet: train one with `lake retrain {model}`.")
    other = challenger(model, settings=settings)
    return {"champion": found, **({"challenger": other} if other else {})}


def _named(path: Path, model: str) -> Served | None:
    try:
        return Served(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise LakeError(
            f"{path} does not say which {model} serves: name it again with "
            f"`lake models promote {model} VERSION`."
        ) from None


def serve(served: Served, *, settings: Settings) -> None:
    """Make a version the one that serves, in one step."""
    text = json.dumps(asdict(served), indent=1, sort_keys=True)
    replace_text(pointer_of(served.model, settings=settings), text)


def shadow(served: Served | None, model: str, *, settings: Settings) -> None:
    """Let a version score in the champion's shadow, or none."""
    path = shadow_of(model, settings=settings)
    if served is None:
        path.unlink(missing_ok=True)
    else:
        replace_text(path, json.dumps(asdict(served), indent=1, sort_keys=True))


def load(served: Served, *, settings: Settings) -> Artifact:
    """The bytes of a version, checked.

    Raises:
        LakeError: Its file is missing, or not what was registered.
    """
    path = settings.models_dir / served.file
    try:
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or "unreadable"
    else:
        if hashlib.sha256(content).hexdigest() == served.sha256:
            return Artifact(served.format, content)
        why = "it was changed after its training: its SHA-256 differs"
    raise LakeError(
        f"The file of {served.label}, {path}, is refused: {why}. Restore it from a backup, or let "
        f"another version serve: `lake models rollback {served.model}`, or train one with "
        f"`lake retrain {served.model}`."
    )


def load_champion(model: str, *, settings: Settings) -> tuple[Served, Artifact]:
    """The version that serves, with its checked bytes.

    Raises:
        LakeError: No version serves, or its file is refused.
    """
    found = champion(model, settings=settings)
    if found is None:
        raise LakeError(f"No version of {model} serves yet: train one with `lake retrain {model}`.")
    return found, load(found, settings=settings)


def shadow_of(model: str, *, settings: Settings) -> Path:
    """The file that names the challenger of a model."""
    return settings.models_dir / "served" / f"{model}.challenger.json"


def pointer_of(model: str, *, settings: Settings) -> Path:
    """The file that names the champion of a model."""
    return settings.models_dir / "served" / f"{model}.json"
