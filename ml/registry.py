"""The registry of models: MLflow on a SQLite file, without a server. The only importer of MLflow.

In: a `Trained` model and the version of its data. Out: a run with parameters, metrics, environment,
code, signature and card, and a registered version with the alias `challenger` or `champion`. The
version is registered last, in one transaction, so a killed training leaves a run that says so and
no version. See docs/model_registry.md; run standalone: `lake models list`.
"""

import hashlib
import json
import logging
import platform
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version as version_of
from pathlib import Path
from statistics import fmean, pstdev

from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings, variables
from ml.artifacts import Artifact, format_of
from ml.serving import Served
from ml.trained import DataVersion, Trained

STORE = "mlflow.db"
FILES = "artifacts"
EXPERIMENT = "cartlake"
CHAMPION, CHALLENGER = "champion", "challenger"
REQUIREMENTS = ("numpy", "pandas", "scikit-learn", "skops", "statsmodels", "scipy")
"""What a stored model is made with; recorded with the versions in use."""
ENVIRONMENT = "python_env.yaml"
LOADER = "ml.loaded"
"""The module by which `mlflow.pyfunc.load_model` makes a model of our files."""

QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""Variables with which neither MLflow nor its page tells its makers anything."""


@dataclass(frozen=True)
class Version:
    """A registered version. `tags` say where its data and code come from."""

    model: str
    number: int
    run_id: str
    created_at: datetime
    aliases: tuple[str, ...]
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def served(self) -> Served:
        """What the pointer of the champion says of this version."""
        return Served(
            self.model,
            self.number,
            self.run_id,
            self.tags["file"],
            format_of(self.tags["file"]),
            self.tags["sha256"],
            self.created_at.isoformat(timespec="seconds"),
            self.tags["known_until"],
        )


def store_uri(settings: Settings) -> str:
    """The store as `mlflow ui --backend-store-uri` takes it."""
    return f"sqlite:///{settings.models_dir / STORE}"


class Registry:
    """The registry of one state folder.

    Raises: LakeError where the store was written by another version of MLflow, or can't be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        settings.models_dir.mkdir(parents=True, exist_ok=True)
        with variables(QUIET):
            import mlflow
            from mlflow.exceptions import MlflowException
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._refused: type[Exception] = MlflowException
        try:
            uri = store_uri(settings)
            self._client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
            self._experiment  # noqa: B018 - opens the store, and makes it on first use
        except Exception as error:  # MLflow passes on errors of SQLAlchemy and Alembic as well
            raise LakeError(_unreadable(settings, error)) from error

    @cached_property
    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        place = str(self._settings.models_dir / FILES)
        if found is None:
            return str(self._client.create_experiment(EXPERIMENT, artifact_location=place))
        if found.artifact_location != place:
            raise LakeError(
                f"The registry of models was made in {found.artifact_location}, and this state "
                f"folder is {self._settings.home}: MLflow keeps whole paths, so a moved or copied "
                "registry must not be written. Move it back, or delete the folder models."
            )
        return str(found.experiment_id)

    def settle(self) -> int:
        """Mark runs that a killed training left open; returns how many. Hold the lock before."""
        open_runs = self._client.search_runs(
            [self._experiment], "attributes.status = 'RUNNING'", max_results=1000
        )
        for run in open_runs:
            self._client.set_terminated(run.info.run_id, status="KILLED")
        return len(open_runs)

    def record(self, model: str, trained: Trained, *, data: DataVersion) -> Version:
        """Record a training as a run and register it as the challenger.

        Raises:
            LakeError: The store or its folder can't be written.
        """
        run = self._client.create_run(
            self._experiment,
            run_name=f"{model} {datetime.now(UTC):%Y-%m-%d %H:%M}",
            tags={"mlflow.note.content": trained.card, "model": model, **_origin(data)},
        )
        run_id = run.info.run_id
        try:
            self._log(run_id, model, trained, data)
        except BaseException:
            self._client.set_terminated(run_id, status="FAILED")
            raise
        self._client.set_terminated(run_id)
        return self._register(model, run_id, trained)

    def versions(self, model: str) -> list[Version]:
        """Registered versions of a model, the newest first; none for a name never registered."""
        found = self._client.search_model_versions(f"name = '{model}'", max_results=1000)
        numbers = sorted((int(each.version) for each in found), reverse=True)
        return [self.version(model, number) for number in numbers]

    def version(self, model: str, number: int) -> Version:
        """One registered version. Raises: LakeError where there is none of this number."""
        try:
            found = self._client.get_model_version(model, str(number))
        except self._refused:
            raise LakeError(
                f"There is no version {number} of {model}: `lake models list` shows what there is."
            ) from None
        run = self._client.get_run(found.run_id)
        return Version(
            model,
            number,
            found.run_id,
            datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
            tuple(sorted(found.aliases)),
            dict(run.data.metrics),
            dict(run.data.params),
            {**run.data.tags, **found.tags},
        )

    def holder(self, model: str, alias: str) -> Version | None:
        """The version with an alias; None where there is none."""
        try:
            found = self._client.get_model_version_by_alias(model, alias)
        except self._refused:
            return None
        return self.version(model, int(found.version))

    def name(self, version: Version, alias: str) -> None:
        """Give a version an alias; whichever had it loses it."""
        self._client.set_registered_model_alias(version.model, alias, str(version.number))

    def unname(self, model: str, alias: str) -> None:
        """Take an alias away from whichever version has it."""
        self._client.delete_registered_model_alias(model, alias)

    def note(self, version: Version, **tags: str) -> None:
        """Write facts on a version, such as why it was refused."""
        for key, value in tags.items():
            self._client.set_model_version_tag(version.model, str(version.number), key, value)

    def _register(self, model: str, run_id: str, trained: Trained) -> Version:
        try:
            self._client.create_registered_model(model)
        except self._refused as error:
            if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
                raise
        made = self._client.create_model_version(
            model,
            source=f"runs:/{run_id}/model",
            run_id=run_id,
            description=trained.card,
            tags={
                "sha256": trained.artifact.sha256,
                "known_until": trained.known_until.isoformat(),
                "file": f"{FILES}/{run_id}/artifacts/model/data/{trained.artifact.file_name}",
            },
        )
        version = self.version(model, int(made.version))
        self.name(version, CHALLENGER)
        return version

    def _log(self, run_id: str, model: str, trained: Trained, data: DataVersion) -> None:
        from mlflow.entities import Dataset, DatasetInput, Metric, Param

        at = int(datetime.now(UTC).timestamp() * 1000)
        metrics = [Metric(name, value, at, 0) for name, value in trained.metrics.items()]
        for name, values in trained.folds.items():
            metrics += [
                Metric(f"fold_{name}", value, at, fold) for fold, value in enumerate(values)
            ]
            metrics.append(Metric(f"{name}_fold_mean", fmean(values), at, 0))
            metrics.append(Metric(f"{name}_fold_sd", pstdev(values), at, 0))
        parameters = [Param(name, str(value)) for name, value in trained.parameters.items()]
        self._client.log_batch(run_id, metrics=metrics, params=parameters)
        source = json.dumps({"run": data.gold_run, "tables": dict(data.table_versions)})
        gold = Dataset("gold", hashlib.sha256(source.encode()).hexdigest()[:16], "local", source)
        self._client.log_inputs(run_id, [DatasetInput(gold)])
        with tempfile.TemporaryDirectory(prefix="cartlake-model-") as folder:
            path = Path(folder) / "model"
            _save(path, model, trained)
            self._client.log_artifacts(run_id, str(path), "model")
        self._client.log_text(run_id, trained.card, "card.md")


def _save(path: Path, model: str, trained: Trained) -> None:
    """Write a model as MLflow loads it again: our file, its loader, signature and requirements."""
    from mlflow import pyfunc
    from mlflow.models import Model, infer_signature

    data = path / "data"
    data.mkdir(parents=True)
    write_files(data, model, trained.artifact)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # our whole numbers are never missing
        signature = infer_signature(trained.inputs, trained.outputs)
    made = Model(signature=signature)
    pyfunc.add_to_model(made, loader_module=LOADER, data="data", env=ENVIRONMENT)
    made.save(str(path / "MLmodel"))
    lines = "".join(f"{name}=={version_of(name)}\n" for name in REQUIREMENTS)
    (path / "requirements.txt").write_text(lines, encoding="utf-8")
    (path / ENVIRONMENT).write_text(
        f"python: {platform.python_version()}\ndependencies:\n- -r requirements.txt\n",
        encoding="utf-8",
    )


def write_files(folder: Path, model: str, artifact: Artifact) -> None:
    """The files of a model: its bytes, and what they are."""
    (folder / artifact.file_name).write_bytes(artifact.content)
    facts = {"model": model, "file": artifact.file_name, "sha256": artifact.sha256}
    (folder / "model_facts.json").write_text(json.dumps(facts), encoding="utf-8")


def _origin(data: DataVersion) -> dict[str, str]:
    """Tags that say from which data, by which code, in which environment a model was made."""
    packages = {name: version_of(name) for name in REQUIREMENTS}
    return {
        "gold_run": data.gold_run,
        **{f"delta.{name}": str(number) for name, number in data.table_versions.items()},
        "code_sha256": code_sha256(),
        "mlflow.source.name": "lake retrain",
        "mlflow.source.git.commit": _commit(),
        "environment": json.dumps({"python": platform.python_version(), **packages}),
    }


def code_sha256() -> str:
    """SHA-256 of all modules of this package: it changes with any of them, committed or not."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _commit() -> str:
    """The commit of the source tree, or "unknown" where it is none of Git's."""
    from lakehouse.settings import clean_environment

    command = ["git", "-C", str(PROJECT_ROOT), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=clean_environment(), timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


def _unreadable(settings: Settings, error: Exception) -> str:
    if isinstance(error, LakeError):
        return str(error)
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return (
        f"The registry of models {settings.models_dir / STORE} can't be opened by MLflow "
        f"{version_of('mlflow')}: {reason}. Use the MLflow that wrote it, or bring the file up to "
        "date with `mlflow db upgrade`. The champions go on serving, they don't need it."
    )
