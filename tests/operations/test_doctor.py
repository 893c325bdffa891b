"""The doctor finds what is missing, and each miss carries the fix."""

import importlib.metadata
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from lakehouse.jars import lock
from lakehouse.jars.fetch import ensure_jars
from lakehouse.jars.java import install_command
from lakehouse.processes import programs
from lakehouse.settings import PROJECT_ROOT, Settings
from lakehouse.state import claim
from operations import doctor
from operations.doctor import Finding, diagnose, render
from tests.brokers import free_ports


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a state folder with the jars, on free ports."""
    ensure_jars(Settings())
    home = tmp_path / "state"
    claim(Settings(home=home))
    (home / "jars").symlink_to(Settings().jars_dir)
    kafka, controller, dashboard = free_ports(3)
    return Settings(
        home=home,
        kafka_port=kafka,
        kafka_controller_port=controller,
        dashboard_port=dashboard,
        kafka_bootstrap=None,
    )


def finding(settings: Settings, check: str) -> Finding:
    return next(each for each in diagnose(settings) if each.check == check)


def test_a_machine_that_can_run_the_tests_misses_nothing_but_perhaps_memory_or_disk(
    settings: Settings,
) -> None:
    found = diagnose(settings)
    assert [each.check for each in found] == [
        "Python",
        "Packages",
        "Java",
        "Jars",
        "Port of the screens",
        "Port of Kafka",
        "Port of Kafka's controller",
        "Memory",
        "Open files",
        "Disk",
        "State folder",
        "git",
        "Chromium",
    ]
    of_the_machine = {"Memory", "Disk", "git"}
    assert [e for e in found if not e.ok and e.check not in of_the_machine] == []
    assert all(bool(each.remedy) == (not each.ok) for each in found)


def test_it_leaves_no_trace_in_an_empty_folder(tmp_path: Path) -> None:
    diagnose(Settings(home=tmp_path / "not" / "there"))
    assert list(tmp_path.iterdir()) == []


def listening(program: str, port: int) -> "subprocess.Popen[str]":
    """Another process that runs `program` (a Python) and listens on the port."""
    code = (
        f"import socket, sys; server = socket.create_server(('127.0.0.1', {port}));"
        "print('up', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [program, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_a_port_taken_by_another_program_is_named_with_its_setting(settings: Settings) -> None:
    port = settings.kafka_controller_port
    with listening(sys.executable, port) as holder:
        found = finding(settings, "Port of Kafka's controller")
        name = psutil.Process(holder.pid).name()
        holder.communicate()
    assert (found.ok, found.found) == (False, f"{port} is taken by {name} (pid {holder.pid})")
    assert found.remedy.startswith("export LAKE_KAFKA_CONTROLLER_PORT=")


def test_screens_of_this_project_may_hold_their_port_and_others_may_not(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "OWN_PROGRAMS", f"{tmp_path}/project/")
    own = tmp_path / "project" / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    for program, expected in ((str(own), True), (sys.executable, False)):
        with listening(program, settings.dashboard_port) as holder:
            found = finding(settings, "Port of the screens")
            holder.communicate()
        assert found.ok is expected


def test_kafka_ports_are_nobodys_business_when_another_kafka_is_used(settings: Settings) -> None:
    external = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    checks = [each.check for each in diagnose(external)]
    assert [check for check in checks if "Kafka" in check] == []


def test_an_old_java_and_a_wrong_java_home_carry_a_command(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = settings.model_copy(update={"java_home": tmp_path})
    monkeypatch.setenv("JAVA_HOME", "/of/the/environment")
    assert finding(wrong, "Java").remedy == "unset JAVA_HOME"
    monkeypatch.delenv("JAVA_HOME")
    assert finding(wrong, "Java").remedy == "take JAVA_HOME out of .env"
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    command = install_command()
    monkeypatch.setattr(doctor, "install_command", lambda: command)
    monkeypatch.setenv("PATH", str(java.parent))
    assert finding(settings.model_copy(update={"java_home": None}), "Java") == Finding(
        "Java", ok=False, found=f"11 ({java}); 17 or newer is needed", remedy=command
    )


def test_jars_that_are_not_there_yet_are_a_note(tmp_path: Path) -> None:
    found = finding(Settings(home=tmp_path / "empty"), "Jars")
    assert (found.ok, found.optional, found.remedy) == (
        False,
        True,
        ".venv/bin/python -m lakehouse.jars.fetch",
    )


def test_jars_of_other_versions_are_a_miss(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = lock.read_lock()
    other = replace(locked, versions={**locked.versions, "pyspark": "0.1"})
    monkeypatch.setattr(doctor, "read_lock", lambda: other)
    found = finding(settings, "Jars")
    assert (found.ok, found.optional, found.remedy) == (False, False, doctor.REINSTALL)
    assert "pyspark 0.1" in found.found


def test_a_package_that_is_not_the_locked_one_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (PROJECT_ROOT / "uv.lock").read_text()
    installed = importlib.metadata.version("duckdb")
    old = f'name = "duckdb"\nversion = "{installed}"'
    assert text.count(old) == 1
    (tmp_path / "uv.lock").write_text(text.replace(old, 'name = "duckdb"\nversion = "0.0.1"'))
    monkeypatch.setattr(doctor, "PROJECT_ROOT", tmp_path)
    assert finding(settings, "Packages") == Finding(
        "Packages",
        ok=False,
        found=f"duckdb {installed}, locked 0.0.1",
        remedy=doctor.REINSTALL,
    )


@pytest.mark.parametrize("limit", ["2147483648", "max"])
def test_a_containers_limit_counts_as_its_memory(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text("1073741824\n")
    monkeypatch.setattr(doctor, "_CGROUP", tmp_path)
    monkeypatch.setattr(doctor, "NEEDED_MEMORY", 2 * doctor.GIBIBYTE if limit != "max" else 1)
    found = finding(settings, "Memory")
    assert found.ok is (limit == "max")
    assert found.ok or found.found == "1.0 GiB available, 2 needed"


def test_too_few_open_files_are_a_miss(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert finding(settings, "Open files").ok
    monkeypatch.setattr(programs, "allowed_files", lambda: 256)
    assert finding(settings, "Open files") == Finding(
        "Open files",
        ok=False,
        found="256 for a program, 1,024 needed",
        remedy="open a new shell without `ulimit -n`, or raise the limit there",
    )


def test_a_state_folder_with_a_name_that_engines_misread_is_a_miss(tmp_path: Path) -> None:
    found = finding(Settings(home=tmp_path / "50%20off"), "State folder")
    assert (found.ok, found.remedy) == (False, "export LAKE_HOME=/an/empty/folder")
    assert "has '%' in its name" in found.found


def test_too_little_disk_is_told_with_the_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "NEEDED_DISK", 2**60)
    found = finding(settings, "Disk")
    assert (found.ok, str(settings.home) in found.found) == (False, True)


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    found = finding(Settings(home=tmp_path / "state"), "State folder")
    assert (found.ok, found.remedy) == (False, f'sudo chown -R "$(id -un)" {tmp_path}/state')


def test_programs_that_only_tests_need_are_notes(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {each.check: each for each in diagnose(settings)}
    for check in ("git", "Chromium"):
        assert (found[check].ok, found[check].optional) == (False, True)
        assert found[check].remedy.endswith(check.lower())


def test_the_table_shows_each_verdict_and_each_command(settings: Settings) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(
        render(
            [
                Finding("One", ok=True, found="fine"),
                Finding("Two", ok=False, found="gone [really]", remedy="get two"),
                Finding("Three", ok=False, found="gone", remedy="get three", optional=True),
            ]
        )
    )
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines == [
        "ok    One    fine",
        "miss  Two    gone [really]",
        "             get two",
        "note  Three  gone",
        "             get three",
    ]
