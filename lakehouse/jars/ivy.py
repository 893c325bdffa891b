"""Runs the Apache Ivy that PySpark carries, so that jars can be had without Maven or Docker.

In: modules `organisation:name:revision` per set. Out: files `<into>/<set>/<organisation>/<name>/
<revision>/<name>-<revision>.jar`. Ivy keeps its cache, settings and log inside `into`.
"""

import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from lakehouse.errors import LakeError
from lakehouse.jars.java import LOCALE
from lakehouse.processes.programs import run_to_end
from lakehouse.settings import clean_environment

_ATTEMPTS = 2  # the second goes on from what the first has in its cache
_RETRIEVE = "[conf]/[organisation]/[module]/[revision]/[artifact]-[revision](-[classifier]).[ext]"


def pyspark_jars_dir() -> Path:
    """The folder of the jars that PySpark ships. Raises: LakeError when PySpark is missing."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise LakeError("pyspark is not installed in this environment. Run `./lake doctor`.")
    return Path(spec.origin).parent / "jars"


def fetch(
    modules: Mapping[str, Sequence[str]],
    *,
    java: Path,
    into: Path,
    transitive: bool = False,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Fetch the modules of each set, with their dependencies when `transitive`.

    `progress` gets the bytes fetched so far about three times a second. Without dependencies no
    POM is read, which saves most of the requests.

    Raises: LakeError when a module could not be fetched; the message says what to check.
    """
    ivy = _ivy_jar()
    into.mkdir(parents=True, exist_ok=True)
    (into / "ivysettings.xml").write_text(_settings_xml(use_poms=transitive), encoding="utf-8")
    (into / "ivy.xml").write_text(_modules_xml(modules, transitive=transitive), encoding="utf-8")
    cache, log = into / "cache", into / "ivy.log"
    command: list[str | os.PathLike[str]] = [java, *LOCALE, "-Xmx256m"]
    command += [f"-Divy.default.ivy.user.dir={into}"]
    command += ["-jar", ivy, "-settings", "ivysettings.xml", "-ivy", "ivy.xml"]
    command += ["-cache", cache, "-confs", *modules, "-retrieve", _RETRIEVE]
    for _ in range(_ATTEMPTS):
        if _succeeds(command, log=log, cache=cache, progress=progress):
            return
    raise LakeError(
        f"The jars of Kafka and Delta could not be fetched ({_reason(log)}). Check the "
        "connection to Maven Central, or name a proxy in JAVA_TOOL_OPTIONS "
        "(-Dhttps.proxyHost=… -Dhttps.proxyPort=…), then run the command again."
    )


def _succeeds(
    command: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    cache: Path,
    progress: Callable[[int], None] | None,
) -> bool:
    def watch() -> None:
        if progress is not None:
            progress(sum(jar.stat().st_size for jar in cache.rglob("*.jar")))

    code = run_to_end(
        [str(each) for each in command],
        folder=log.parent,
        output=log,
        environment=clean_environment("JAVA_TOOL_OPTIONS"),  # where a proxy may be named
        watch=watch,
    )
    return code == 0


def _ivy_jar() -> Path:
    jars = sorted(pyspark_jars_dir().glob("ivy-*.jar"))
    if not jars:
        raise LakeError(
            f"PySpark's Ivy is missing from {pyspark_jars_dir()}. "
            "Run `rm -rf .venv && ./lake doctor` to install PySpark again."
        )
    return jars[-1]


def _settings_xml(*, use_poms: bool) -> str:
    return (
        '<ivysettings><settings defaultResolver="central"/><resolvers>'
        f'<ibiblio name="central" m2compatible="true" usepoms="{str(use_poms).lower()}"/>'
        "</resolvers></ivysettings>"
    )


def _modules_xml(modules: Mapping[str, Sequence[str]], *, transitive: bool) -> str:
    sets = "".join(f"<conf name={quoteattr(name)}/>" for name in modules)
    dependencies = "".join(
        _dependency_xml(module, jar_set=jar_set, transitive=transitive)
        for jar_set, wanted in modules.items()
        for module in wanted
    )
    # The sets are separate worlds: Kafka's client in one may differ from that in the other.
    keep_all = "" if transitive else '<conflict manager="all"/>'
    return (
        '<ivy-module version="2.0"><info organisation="cartlake" module="jars"/>'
        f"<configurations>{sets}</configurations>"
        f"<dependencies>{dependencies}{keep_all}</dependencies></ivy-module>"
    )


def _dependency_xml(module: str, *, jar_set: str, transitive: bool) -> str:
    organisation, name, revision = map(quoteattr, module.split(":"))
    return (
        f"<dependency org={organisation} name={name} rev={revision} "
        f'conf="{jar_set}->default" transitive="{str(transitive).lower()}"/>'
    )


def _reason(log: Path) -> str:
    """The first line of Ivy's log that names a failure."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    for words in (("UnknownHost", "timed out", "refused", "SSL", "Forbidden"), ("not found",)):
        for line in lines:
            if any(word in line for word in words):
                return line.strip(" \t:")[:200]
    return f"see {log}"
