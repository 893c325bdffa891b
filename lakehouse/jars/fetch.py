"""The jars of the broker and of Spark's connectors: fetched once, checked, never resolved again.

In: `jars.lock` (module, size and SHA-256 of each jar) and the installed packages' versions. Out:
`<LAKE_HOME>/jars/{kafka,spark}`, exactly as locked.
Run standalone: `python -m lakehouse.jars` fetches and checks, `python -m lakehouse.jars lock`
rewrites the lock for the installed packages.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.jars import ivy
from lakehouse.jars.java import find_java, java_major, require_java
from lakehouse.jars.lock import (
    JAR_SETS,
    JarLock,
    LockedJar,
    check_versions,
    read_lock,
    sha256_of,
    write_lock,
)
from lakehouse.locks import hold
from lakehouse.settings import Settings

__all__ = ["JarSets", "ensure_jars", "find_java", "java_major", "kafka_classpath", "spark_jars"]

Progress = Callable[[int, int], None]
"""Called with the bytes fetched and the bytes to fetch."""


@dataclass(frozen=True)
class JarSets:
    """Checked jars, ready for a class path."""

    kafka: tuple[Path, ...]
    spark: tuple[Path, ...]


def ensure_jars(settings: Settings, *, progress: Progress | None = None) -> JarSets:
    """The jars of both sets; fetches what is missing or differs from the lock.

    Takes a few milliseconds when nothing changed since the last check (size and time of each
    file), about ten seconds and a connection the first time. Safe to call from two processes.

    Raises: LakeError when Java is missing, a jar can't be fetched or differs from the lock, the
    installed pyspark or delta-spark is not the lock's, or the folder can't be written.
    """
    lock = read_lock()
    check_versions(lock)
    if not is_verified(settings, lock=lock):
        try:
            with hold("jars", settings=settings, wait_seconds=900):
                if not is_verified(settings, lock=lock):
                    _complete(settings, lock=lock, progress=progress)
        except OSError as error:
            raise LakeError(
                f"The jars can't be kept in {settings.jars_dir}: {error.strerror}. Make the folder "
                "writable and check the free space, or set LAKE_HOME to another folder."
            ) from error
    return JarSets(*(_paths(settings, lock=lock, jar_set=jar_set) for jar_set in JAR_SETS))


def spark_jars(settings: Settings) -> list[Path]:
    """Jars of Delta and of Spark's Kafka source. Raises: as `ensure_jars`, and for an old Java."""
    require_java(settings)
    return list(ensure_jars(settings).spark)


def kafka_classpath(settings: Settings) -> str:
    """Class path of the broker: its checked folder as a wildcard. Raises: as `ensure_jars`."""
    ensure_jars(settings)
    return str(settings.jars_dir / "kafka" / "*")


def is_verified(settings: Settings, *, lock: JarLock) -> bool:
    """Whether the folders hold what was checked against this lock, by names, sizes and times."""
    try:
        stamp = json.loads(_stamp_file(settings).read_bytes())
        return bool(stamp == {"lock": lock.digest, "jars": _seen(settings)})
    except (OSError, ValueError):
        return False


def _complete(settings: Settings, *, lock: JarLock, progress: Progress | None) -> None:
    """Bring the folders to the lock: keep what matches, fetch the rest, drop what is not listed."""
    missing = {
        jar_set: [
            jar
            for jar in lock.jars[jar_set]
            if not _matches(settings.jars_dir / jar_set / jar.file, jar)
        ]
        for jar_set in JAR_SETS
    }
    wanted = {jar_set: jars for jar_set, jars in missing.items() if jars}
    if wanted:
        _fetch(settings, wanted, progress=progress)
    for jar_set in JAR_SETS:
        listed = {jar.file for jar in lock.jars[jar_set]}
        for path in (settings.jars_dir / jar_set).iterdir():
            if path.name not in listed:
                path.unlink()
    stamp = _stamp_file(settings)
    content = json.dumps({"lock": lock.digest, "jars": _seen(settings)}, indent=1)
    replace_text(stamp, content)


def _fetch(
    settings: Settings, missing: Mapping[str, list[LockedJar]], *, progress: Progress | None
) -> None:
    total = sum(jar.size for jars in missing.values() for jar in jars)
    stage = settings.jars_dir / ".fetching"
    shutil.rmtree(stage, ignore_errors=True)
    ivy.fetch(
        {jar_set: [jar.module for jar in jars] for jar_set, jars in missing.items()},
        java=require_java(settings),
        into=stage,
        progress=(lambda done: progress(min(done, total), total)) if progress else None,
    )
    fetched = [
        (stage.joinpath(jar_set, *jar.module.split(":"), jar.file), jar_set, jar)
        for jar_set, jars in missing.items()
        for jar in jars
    ]
    for path, _, jar in fetched:
        if not _matches(path, jar):
            raise LakeError(
                f"{jar.file} is not the file that lakehouse/jars/jars.lock names (SHA-256 "
                "differs), and was not installed. Check the proxy or mirror it came through, then "
                "try again."
            )
    for path, jar_set, jar in fetched:
        (settings.jars_dir / jar_set).mkdir(exist_ok=True)
        path.replace(settings.jars_dir / jar_set / jar.file)
    shutil.rmtree(stage)
    if progress:
        progress(total, total)


def _paths(settings: Settings, *, lock: JarLock, jar_set: str) -> tuple[Path, ...]:
    return tuple(settings.jars_dir / jar_set / jar.file for jar in lock.jars[jar_set])


def _stamp_file(settings: Settings) -> Path:
    return settings.jars_dir / "verified.json"


def _seen(settings: Settings) -> dict[str, list[int]]:
    """Size and time of change of every file in the folders of the sets."""
    seen = {}
    for jar_set in JAR_SETS:
        with os.scandir(settings.jars_dir / jar_set) as entries:
            for entry in entries:
                facts = entry.stat()
                seen[f"{jar_set}/{entry.name}"] = [facts.st_size, facts.st_mtime_ns]
    return seen


def _matches(path: Path, jar: LockedJar) -> bool:
    return path.is_file() and path.stat().st_size == jar.size and sha256_of(path) == jar.sha256


def main(arguments: list[str]) -> int:
    """Fetch and check the jars, or with `lock` rewrite the lock. Returns the exit code."""
    settings = Settings()
    try:
        if arguments == ["lock"]:
            lock = write_lock(require_java(settings), stage=settings.jars_dir / ".locking")
            print(f"Locked {sum(map(len, lock.jars.values()))} jars.")
        ensure_jars(settings)
    except LakeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"The jars in {settings.jars_dir} are as locked.")
    return 0
