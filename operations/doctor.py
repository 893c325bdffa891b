"""What is missing on this machine, each with the fix: `lake doctor`.

In: settings and the machine. Out: one `Finding` per check, in the order in which a first run meets
them. Nothing is started, fetched or changed.
"""

import contextlib
import importlib.metadata
import platform
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from lakehouse.duck import delta_extension
from lakehouse.errors import LakeError
from lakehouse.jars import fetch
from lakehouse.jars.java import OLDEST_JAVA, find_java, install_command, java_major, require_java
from lakehouse.jars.lock import check_versions, read_lock
from lakehouse.processes import programs
from lakehouse.settings import PROJECT_ROOT, Settings, clean_environment
from lakehouse.shop_format import counted
from lakehouse.state import require_ours
from streaming import broker, retention
from streaming.broker import process

GIBIBYTE = 1024**3
NEEDED_MEMORY = 4 * GIBIBYTE
NEEDED_DISK = 3 * GIBIBYTE
PACKAGES = ("pyspark", "delta-spark", "duckdb", "duckdb-extension-delta", "kafka-python")
BROWSER = "chromium"
"""What the tests of the screens drive."""
REINSTALL = "rm -rf .venv && ./lake doctor"
OWN_PROGRAMS = f"{PROJECT_ROOT}/"
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and the fix (empty when `ok`).

    A miss that is `optional` stops nothing of `lake demo`.
    """

    check: str
    ok: bool
    found: str
    remedy: str = ""
    optional: bool = False


def diagnose(settings: Settings) -> list[Finding]:
    """Check the machine for everything that the commands need."""
    return [
        _python(),
        _packages(),
        _java(settings),
        _jars(settings),
        *_ports(settings),
        _memory(),
        _open_files(),
        _disk(settings),
        _state(settings),
        *_retention(settings),
        _program("git", "git", use="to get updates and to send changes", package="git"),
        _program("Chromium", BROWSER, use="by `./lake test` only", package="chromium"),
    ]


def render(findings: Sequence[Finding]) -> RenderableType:
    """The findings as a table for the terminal."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(width=4)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        verdict = "[green]ok[/]" if finding.ok else "[yellow]note[/]"
        if not finding.ok and not finding.optional:
            verdict = "[red]miss[/]"
        text = escape(finding.found)
        if finding.remedy:
            text += f"\n[bold]{escape(finding.remedy)}[/]"
        table.add_row(verdict, finding.check, text)
    return table


def _python() -> Finding:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    remedy = "" if fits else f"install Python 3.13, then {REINSTALL}"
    return Finding("Python", fits, platform.python_version(), remedy)


def _packages() -> Finding:
    """The packages whose versions must fit each other, against `uv.lock`."""
    with (PROJECT_ROOT / "uv.lock").open("rb") as stream:
        locked = {each["name"]: each.get("version") for each in tomllib.load(stream)["package"]}
    wrong = []
    for package in PACKAGES:
        installed = None
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed = importlib.metadata.version(package)
        if installed != locked[package]:
            wrong.append(f"{package} {installed or 'missing'}, locked {locked[package]}")
    try:
        delta_extension()
    except (LakeError, ImportError) as error:
        wrong.append(str(error))
    if wrong:
        return Finding("Packages", ok=False, found="; ".join(wrong), remedy=REINSTALL)
    found = ", ".join(f"{package} {locked[package]}" for package in PACKAGES)
    return Finding("Packages", ok=True, found=found)


def _java(settings: Settings) -> Finding:
    try:
        java = require_java(settings)
    except LakeError:
        return _unfit_java(settings)
    return Finding("Java", ok=True, found=f"{java_major(java)} ({java})")


def _unfit_java(settings: Settings) -> Finding:
    try:
        java = find_java(settings)
        found = f"{java_major(java)} ({java}); {OLDEST_JAVA} or newer is needed"
    except LakeError as error:
        found = str(error).split(". ")[0]
    remedy = install_command()
    if settings.java_home:
        is_of_file = "JAVA_HOME" not in clean_environment()
        remedy = "take JAVA_HOME out of .env" if is_of_file else "unset JAVA_HOME"
    return Finding("Java", ok=False, found=found, remedy=remedy)


def _jars(settings: Settings) -> Finding:
    lock = read_lock()
    try:
        check_versions(lock)
    except LakeError as error:
        return Finding("Jars", ok=False, found=str(error), remedy=REINSTALL)
    count = sum(map(len, lock.jars.values()))
    if fetch.is_verified(settings, lock=lock):
        return Finding("Jars", ok=True, found=f"{count} as locked in {settings.jars_dir}")
    size = sum(jar.size for jar_set in lock.jars.values() for jar in jar_set) // 1024**2
    found = f"not all there yet; the first run fetches them ({size} MB)"
    remedy = ".venv/bin/python -m lakehouse.jars.fetch"
    return Finding("Jars", ok=False, found=found, remedy=remedy, optional=True)


def _ports(settings: Settings) -> list[Finding]:
    findings = [
        _port(
            "Port of the screens",
            settings.dashboard_port,
            variable="LAKE_DASHBOARD_PORT",
            is_ours=lambda command: any(each.startswith(OWN_PROGRAMS) for each in command[:2]),
        )
    ]
    if settings.kafka_bootstrap is not None:
        return findings
    mark = process.mark(settings)
    controller = ("Port of Kafka's controller", settings.kafka_controller_port)
    for check, port, variable in (
        ("Port of Kafka", settings.kafka_port, "LAKE_KAFKA_PORT"),
        (*controller, "LAKE_KAFKA_CONTROLLER_PORT"),
    ):
        findings.append(
            _port(check, port, variable=variable, is_ours=lambda command: mark in command)
        )
    return findings


def _port(
    check: str, port: int, *, variable: str, is_ours: Callable[[Sequence[str]], bool]
) -> Finding:
    """A port is fine when it is free, or when `is_ours` knows its holder's command line."""
    if programs.is_free(port):
        return Finding(check, ok=True, found=f"{port} is free")
    holder = programs.describe_listener(port)
    with contextlib.suppress(psutil.Error):
        listener = programs.listener(port)
        if listener is not None and is_ours(listener.cmdline()):
            return Finding(check, ok=True, found=f"{port} is held by our own {holder}")
    remedy = f"export {variable}={_free_port_after(port)}"
    return Finding(check, ok=False, found=f"{port} is taken by {holder}", remedy=remedy)


def _free_port_after(port: int) -> int:
    later = range(port + 10, min(port + 1000, 65536))
    return next((each for each in later if programs.is_free(each)), 49152)


def _memory() -> Finding:
    free = min(psutil.virtual_memory().available, _container_memory())
    found = f"{free / GIBIBYTE:.1f} GiB available, {NEEDED_MEMORY // GIBIBYTE} needed"
    remedy = "export LAKE_SPARK_DRIVER_MEMORY=1g LAKE_KAFKA_HEAP=256m"
    ok = free >= NEEDED_MEMORY
    return Finding("Memory", ok, found, "" if ok else remedy)


def _open_files() -> Finding:
    allowed = programs.allowed_files()
    ok = allowed >= programs.NEEDED_FILES
    number = "any number" if allowed == sys.maxsize else counted(allowed)
    found = f"{number} for a program, {counted(programs.NEEDED_FILES)} needed"
    remedy = "" if ok else "open a new shell without `ulimit -n`, or raise the limit there"
    return Finding("Open files", ok, found, remedy)


def _container_memory() -> int:
    """What a container's limit leaves, in bytes; huge when there is no limit."""
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = (_CGROUP / "memory.current").read_text(encoding="ascii")
        return int(limit) - int(used)
    except (OSError, ValueError):  # not Linux, or "max"
        return sys.maxsize


def _disk(settings: Settings) -> Finding:
    place = _existing(settings.home)
    free = shutil.disk_usage(place).free
    found = f"{free / GIBIBYTE:.1f} GiB free at {place}, {NEEDED_DISK // GIBIBYTE} needed"
    ok = free >= NEEDED_DISK
    return Finding("Disk", ok, found, "" if ok else "export LAKE_HOME=/a/larger/disk/state")


def _state(settings: Settings) -> Finding:
    place = _existing(settings.home)
    try:
        require_ours(settings)
    except LakeError as error:
        return Finding(
            "State folder", ok=False, found=str(error), remedy="export LAKE_HOME=/an/empty/folder"
        )
    try:
        with tempfile.TemporaryFile(dir=place):
            return Finding("State folder", ok=True, found=f"{settings.home} can be written")
    except OSError as error:
        found = f"{place} can't be written: {error.strerror}"
        remedy = f'sudo chown -R "$(id -un)" {place}'
        return Finding("State folder", ok=False, found=found, remedy=remedy)


def _retention(settings: Settings) -> list[Finding]:
    """Whether Kafka may delete records before they are read; nothing where none answers."""
    with contextlib.suppress(LakeError):
        if broker.status(settings).running:
            risks = "; ".join(map(str, retention.risks(settings)))
            found = risks or "Kafka keeps what ingest has yet to read"
            return [Finding("Retention", not risks, found, "lake ingest --once" if risks else "")]
    return []


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _program(check: str, name: str, *, use: str, package: str) -> Finding:
    if path := shutil.which(name):
        return Finding(check, ok=True, found=path)
    install = "brew install" if sys.platform == "darwin" else "sudo apt-get install -y"
    found = f"missing; needed {use}"
    return Finding(check, ok=False, found=found, remedy=f"{install} {package}", optional=True)
