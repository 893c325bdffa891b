"""Gold: pinned silver tables in, one private, tested and sealed DuckDB file of gold tables out.

dbt runs in a child process, which can start early and parse while other stages work. Publishing the
file is `pipelines.publishing.publish`'s work; a failure here leaves the published gold as it is.
Run standalone: `lake publish`.
"""

import contextlib
import json
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lakehouse.contracts.tables import GOLD_SOURCES
from lakehouse.duck import attached_delta, delta_extension, scratch_dir, seal
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.ledger.publishes import Published
from lakehouse.settings import Settings
from lakehouse.shop_format import counted
from pipelines.gold.dbt_worker import GoldWorker
from pipelines.gold.incremental import (
    NOTHING_BEFORE,
    FullBuild,
    LastGold,
    copy_to,
    find_last_gold,
    rules,
)

_OWNER = "owner.json"


@dataclass(frozen=True)
class ModelResult:
    """A gold table of a build, or a view on the way to it (`rows` is null)."""

    name: str
    layer: str
    status: str
    rows: int | None
    seconds: float
    message: str


@dataclass(frozen=True)
class CheckResult:
    """A dbt test of a build. `sample` holds up to three failing rows as text, none if personal."""

    name: str
    model: str
    status: str
    failing_rows: int
    seconds: float
    message: str
    sample: tuple[str, ...]


@dataclass(frozen=True)
class Start:
    """What a build began with: nothing, for the reason given, or the gold of another run.

    `days` counts the changed days that it built; the seconds are those of the copy alone.
    """

    full_because: str = ""
    run_id: str | None = None
    days: int = 0
    copy_seconds: float = 0.0

    @property
    def note(self) -> str:
        """In words, for a stage."""
        if self.run_id is None:
            return f"built in full: {self.full_because}"
        return f"{counted(self.days)} changed days built since {self.run_id}"


@dataclass(frozen=True)
class GoldBuild:
    """A finished build: `path` is sealed, passed every test, and is not published yet.

    `facts` are what the next build must know of this one to begin with its file.
    """

    run_id: str
    path: Path
    table_versions: Mapping[str, int]
    models: tuple[ModelResult, ...]
    checks: tuple[CheckResult, ...]
    seconds: float
    cpu_seconds: float
    start: Start
    facts: Mapping[str, Any]


class GoldFailed(CheckFailed):
    """A model or a test of gold failed; carries all results of the build for the report."""

    def __init__(
        self, message: str, *, models: tuple[ModelResult, ...], checks: tuple[CheckResult, ...]
    ) -> None:
        super().__init__(message)
        self.models = models
        self.checks = checks


def build_gold(
    settings: Settings,
    *,
    run_id: str,
    table_versions: Mapping[str, int],
    worker: GoldWorker | None = None,
    last: LastGold | FullBuild = NOTHING_BEFORE,
) -> GoldBuild:
    """Build, test and seal gold in the private file `gold/build/<run_id>/gold-<run_id>.duckdb`.

    Args:
        settings: Where the tables lie and the file goes.
        run_id: Letters, digits, `-` and `_`; part of the file's name.
        table_versions: Delta version of each of `GOLD_SOURCES`, by contract name.
        worker: A worker that was started before; one is started and closed here otherwise.
        last: The gold to begin with, or why there is none.

    Raises:
        GoldFailed: A model or a test failed; the message names it and up to three rows.
        LakeError: Wrong arguments, the project does not parse, or the child process died.
    """
    started = time.monotonic()
    variables = silver_variables(settings, table_versions)
    path = _private_folder(settings, run_id) / f"gold-{run_id}.duckdb"
    variables["gold_file"] = str(path)
    began = time.monotonic()
    if isinstance(last, LastGold) and not copy_to(path, last):
        last = FullBuild(f"{last.path.name} is not the file that was published")
    copy_seconds = time.monotonic() - began
    if isinstance(last, LastGold):
        variables |= last.variables
    with contextlib.ExitStack() as stack:
        active = worker or stack.enter_context(GoldWorker(settings))
        answer = active.build(variables)
    models = tuple(ModelResult(**each, rows=None) for each in answer["models"])
    checks = tuple(
        CheckResult(**{**each, "sample": tuple(each["sample"])}) for each in answer["checks"]
    )
    if not answer["success"]:
        cause = _cause(models, checks)
        if answer["message"]:
            cause = f"{answer['message']} (silver at {dict(table_versions)})"
        raise GoldFailed(
            f"Gold was not built: {cause.rstrip('.')}. Published gold is unchanged.",
            models=models,
            checks=checks,
        )
    rows = seal(path)
    size = path.stat().st_size
    if isinstance(last, LastGold):
        start = Start("", last.run_id, answer["days"], copy_seconds)
        facts = {"in_a_row": last.in_a_row + 1, "full_bytes": last.full_bytes}
    else:
        start, facts = Start(last.reason), {"in_a_row": 0, "full_bytes": size}
    return GoldBuild(
        run_id=run_id,
        path=path,
        table_versions=dict(table_versions),
        models=tuple(
            ModelResult(**{**vars(model), "rows": rows.get(model.name)}) for model in models
        ),
        checks=checks,
        seconds=time.monotonic() - started,
        cpu_seconds=answer["cpu_seconds"],
        start=start,
        facts={"rules": rules(), **facts},
    )


def discard_dead_builds(settings: Settings) -> None:
    """Remove the private folders of builds whose process is gone."""
    for folder in (settings.gold_dir / "build").glob("*"):
        if not _is_owned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def silver_variables(settings: Settings, table_versions: Mapping[str, int]) -> dict[str, Any]:
    """The dbt variables that tell a build which silver it reads.

    Raises:
        LakeError: A version is missing.
    """
    missing = [table.name for table in GOLD_SOURCES if table.name not in table_versions]
    if missing:
        raise LakeError(f"Gold needs a pinned version of {', '.join(missing)}.")
    attached = {
        table.flat_name: attached_delta(settings, table.name, version=table_versions[table.name])
        for table in GOLD_SOURCES
    }
    return {
        "scratch_dir": str(scratch_dir(settings)),
        "delta_extension": str(delta_extension()),
        "shop_currency": settings.shop_currency,
        "attach_silver": [statement for statement, _ in attached.values()],
        **{name: relation for name, (_, relation) in attached.items()},
    }


def _private_folder(settings: Settings, run_id: str) -> Path:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", run_id):
        raise LakeError(f"The run id {run_id!r} must be letters, digits, '-' and '_' only.")
    discard_dead_builds(settings)
    folder = settings.gold_dir / "build" / run_id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    me = psutil.Process()
    owner = {"pid": me.pid, "started": me.create_time()}
    (folder / _OWNER).write_text(json.dumps(owner), encoding="utf-8")
    return folder


def _is_owned(folder: Path) -> bool:
    try:
        owner = json.loads((folder / _OWNER).read_text(encoding="utf-8"))
        started = psutil.Process(owner["pid"]).create_time()
        return bool(abs(started - owner["started"]) < 1)
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return False


def _cause(models: tuple[ModelResult, ...], checks: tuple[CheckResult, ...]) -> str:
    """The first failure with its reason, and the names of the others."""
    broken = [
        (f"model {each.name}", f": {each.message}") for each in models if each.status == "error"
    ]
    for each in checks:
        name = f"test {each.name} of {each.model}"
        if each.status == "error":
            broken.append((name, f": {each.message}"))
        elif each.status == "fail":
            sample = "".join(f" ({row})" for row in each.sample)
            rows = "1 row" if each.failing_rows == 1 else f"{each.failing_rows} rows"
            broken.append((name, f" fails for {rows}{sample}"))
    others = ", ".join(name for name, _ in broken[1:])
    return "".join(broken[0] if broken else ()) + (f"; also failed: {others}" if others else "")


def refresh_gold(
    settings: Settings,
    versions: Mapping[str, int],
    last: Published | FullBuild | None,
    *,
    run_id: str,
    worker: GoldWorker,
) -> GoldBuild:
    """Build incrementally where that is possible and gives sound gold, else in full."""
    begin = (
        last
        if isinstance(last, FullBuild)
        else find_last_gold(settings, last=last, table_versions=versions)
    )
    if isinstance(begin, LastGold):
        try:
            return build_gold(
                settings, run_id=run_id, table_versions=versions, worker=worker, last=begin
            )
        except GoldFailed as error:
            begin = FullBuild(f"an incremental build from {begin.run_id} failed ({error})")
    return build_gold(settings, run_id=run_id, table_versions=versions, worker=worker, last=begin)
