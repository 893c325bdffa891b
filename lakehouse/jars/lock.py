"""The lock of the jars: modules, sizes and SHA-256, and the package versions they were made for.

In: `jars.lock` beside this file and the installed packages. Out: `JarLock`, or a `LakeError` that
names the version that does not fit. `python -m lakehouse.jars.fetch lock` rewrites it.
"""

import functools
import hashlib
import importlib.metadata
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.jars import ivy

LOCK_FILE = Path(__file__).with_name("jars.lock")
JAR_SETS = ("kafka", "spark")
KAFKA_VERSION = "4.3.1"
LOG4J_BINDING_VERSION = "2.25.4"  # that of the log4j-core which Kafka brings
REPLACED_MODULE = "commons-logging"  # PySpark ships jcl-over-slf4j in its place


@dataclass(frozen=True)
class LockedJar:
    """One jar of the lock. `module` is organisation:name:revision; `size` is in bytes."""

    module: str
    size: int
    sha256: str

    @property
    def file(self) -> str:
        _, name, revision = self.module.split(":")
        return f"{name}-{revision}.jar"


@dataclass(frozen=True)
class JarLock:
    """The lock: the versions that it was made for, its jars per set, and its own digest."""

    versions: Mapping[str, str]
    jars: Mapping[str, tuple[LockedJar, ...]]
    digest: str


@functools.cache
def read_lock() -> JarLock:
    """The committed lock."""
    text = LOCK_FILE.read_bytes()
    content = json.loads(text)
    jars = {name: tuple(LockedJar(**jar) for jar in content[name]) for name in JAR_SETS}
    return JarLock(content["versions"], jars, hashlib.sha256(text).hexdigest())


def check_versions(lock: JarLock) -> None:
    """Compare the installed packages with the lock. Raises: LakeError that names the difference."""
    for package, locked in lock.versions.items():
        installed = installed_versions().get(package)
        if installed != locked:
            raise LakeError(
                f"The jars are locked for {package} {locked}, but {installed or 'none'} is "
                "installed. Run `rm -rf .venv && ./lake doctor` to install the locked versions; "
                "after a wanted upgrade run `.venv/bin/python -m lakehouse.jars.fetch lock`."
            )


@functools.cache
def installed_versions() -> dict[str, str]:
    """Versions of the parts that jars depend on, as installed; a missing part is left out."""
    found = {"kafka": KAFKA_VERSION}
    for package in ("pyspark", "delta-spark"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    for core in ivy.pyspark_jars_dir().glob("spark-core_*.jar"):
        scala, spark = core.stem.removeprefix("spark-core_").split("-", 1)
        found |= {"scala": scala, "spark": spark}
    return found


def write_lock(java: Path, *, stage: Path) -> JarLock:
    """Resolve both sets with their dependencies for the installed packages and write the lock.

    `stage` is a folder to work in; it is emptied before and after.

    Raises: LakeError when a package is missing or Ivy fails.
    """
    shutil.rmtree(stage, ignore_errors=True)
    versions = installed_versions()
    ivy.fetch(_roots(versions), java=java, into=stage, transitive=True)
    shipped = [jar.name for jar in ivy.pyspark_jars_dir().glob("*.jar")]
    content: dict[str, object] = {"versions": versions}
    for jar_set in JAR_SETS:
        found = [_locked(path) for path in sorted((stage / jar_set).rglob("*.jar"))]
        content[jar_set] = [
            asdict(jar)
            for jar in found
            if jar_set == "kafka" or not _is_shipped(jar.module.split(":")[1], shipped=shipped)
        ]
    LOCK_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(stage)
    read_lock.cache_clear()
    return read_lock()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _roots(versions: Mapping[str, str]) -> dict[str, list[str]]:
    scala, spark = versions["scala"], versions["pyspark"]
    spark_line = ".".join(spark.split(".")[:2])
    return {
        "kafka": [
            f"org.apache.kafka:kafka_{scala}:{versions['kafka']}",
            f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_BINDING_VERSION}",
        ],
        "spark": [
            f"io.delta:delta-spark_{spark_line}_{scala}:{versions['delta-spark']}",
            f"org.apache.spark:spark-sql-kafka-0-10_{scala}:{spark}",
        ],
    }


def _locked(path: Path) -> LockedJar:
    organisation, name, revision = path.parts[-4:-1]
    return LockedJar(f"{organisation}:{name}:{revision}", path.stat().st_size, sha256_of(path))


def _is_shipped(name: str, *, shipped: list[str]) -> bool:
    """Whether PySpark has the module already: a second copy of another version breaks Spark."""
    own = re.compile(re.escape(name) + r"-\d.*\.jar")
    return name == REPLACED_MODULE or any(own.fullmatch(jar) for jar in shipped)
