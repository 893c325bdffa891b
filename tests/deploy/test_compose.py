"""Rules of the services, read from their files: no container engine is needed."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from lakehouse.settings import PROJECT_ROOT, Settings
from tests.test_repository import commands

TEXT = (PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (PROJECT_ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
ONCE = {"prepare", "history", "secrets", "airflow-prepare"}
WRITES_ITS_ROOT = {"kafka"}
"""Its image writes its configuration beside its programs when it starts."""
GIBIBYTE = 1024**3
UNITS = {"m": 1024**2, "g": GIBIBYTE}
PROJECT: dict[str, Any] = tomllib.loads(
    (PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8")
)

every_service = pytest.mark.parametrize("name", SERVICES)


def bytes_of(size: str) -> int:
    return int(size[:-1]) * UNITS[size[-1]]


def test_all_parts_of_the_platform_are_services() -> None:
    parts = {"kafka", "streams", "shop", "daily", "dashboard", "postgres", "mail"}
    parts |= {"spark-master", "spark-worker"}
    parts |= {"airflow", "airflow-scheduler", "airflow-dag-processor", "models"}
    assert set(SERVICES) == parts | ONCE
    assert {profile for each in SERVICES.values() for profile in each.get("profiles", [])} == {
        "airflow",
        "cluster",
        "full",
    }


@every_service
def test_images_have_exact_tags_and_ours_the_version_of_the_project(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert re.fullmatch(r"v?\d+(\.\d+)*", tag)
    assert ("build" in SERVICES[name]) == image.startswith("cartlake")
    if "build" in SERVICES[name]:
        assert tag == PROJECT["project"]["version"]
        assert f" AS {SERVICES[name]['build']['target']}\n" in DOCKERFILE
    assert "pull_policy" not in SERVICES[name]


@every_service
def test_no_service_has_more_rights_than_its_work_needs(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service.get("read_only", False) is (name not in WRITES_ITS_ROOT)
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    for volume in service.get("volumes", []):
        assert volume.split(":")[0] in COMPOSE["volumes"]


@every_service
def test_every_service_is_limited_watched_and_waits_for_what_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert bytes_of(service["mem_limit"]) <= 4 * GIBIBYTE
    assert service["logging"]["options"]["max-size"]
    assert service["restart"] == ("no" if name in ONCE else "unless-stopped")
    assert ("healthcheck" in service) is (name not in ONCE)
    for key in ("interval", "timeout", "retries", "start_period") if name not in ONCE else ():
        assert service["healthcheck"][key]
    for needed, how in service.get("depends_on", {}).items():
        ends = needed in ONCE
        wanted = "service_completed_successfully" if ends else "service_healthy"
        assert how["condition"] == wanted


def test_the_services_without_a_profile_fit_into_6_gib() -> None:
    sizes = [
        bytes_of(each["mem_limit"])
        for name, each in SERVICES.items()
        if "profiles" not in each and name not in ONCE
    ]
    assert sum(sizes) <= 6 * GIBIBYTE


@every_service
def test_ports_are_published_on_loopback_and_can_be_chosen(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.match(r"127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:", port)


def test_the_settings_that_compose_reads_are_explained_and_have_one_default() -> None:
    explained = dict(
        re.findall(r"^#([A-Z_]+)=(.*)$", (PROJECT_ROOT / ".env.example").read_text("utf-8"), re.M)
    )
    own = {
        "LAKE_SPARK_MASTER": "local[2]",
        "LAKE_SPARK_CORES": "2",
        "LAKE_INGEST_MAX_RECORDS": "50000",
        "LAKE_REFINE_MAX_BYTES": "8m",
        "LAKE_SPARK_DRIVER_MEMORY": "1g",
        "LAKE_ALERT_SMTP": "smtp://mail:1025",
        "LAKE_ALERT_TO": "owner@shop.example",
        "LAKE_DASHBOARD_ALLOWED_HOSTS": "dashboard",
    }
    for variable, default in re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", TEXT):
        assert default == own.get(variable, explained[variable]), variable
    assert not re.findall(r"\$\{[A-Z_]+\}", TEXT)


def test_services_know_our_settings_by_their_names() -> None:
    given = {each for service in SERVICES.values() for each in service.get("environment", {})}
    known = {f"LAKE_{name.upper()}" for name in Settings.model_fields}
    assert {each for each in given if each.startswith("LAKE_")} <= known


def test_no_file_holds_a_password() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", variable):
                assert variable.endswith("_FILE"), (name, variable)
            assert not re.search(r"://[^/\s:]+:[^/\s@]+@", str(value)), (name, variable)


@every_service
def test_services_run_the_same_commands_as_a_person(name: str) -> None:
    command = SERVICES[name].get("command", "")
    program = "lake"
    found = re.findall(rf"\b{program} ((?:[a-z-]+ ?)+)", command)
    assert found or "/app/deploy/" in command or "build" not in SERVICES[name]
    for words in found:
        parts = shlex.split(words)
        assert any(" ".join(parts[:count]) in commands() for count in (1, 2)), words
    script = re.search(r"/app/(deploy/\S+)", f"{command} {SERVICES[name].get('healthcheck')}")
    if script:
        path = script[1].rstrip(",']")
        assert (PROJECT_ROOT / path).is_file()
        assert f"!{path}" in (PROJECT_ROOT / ".dockerignore").read_text("utf-8").splitlines()


def test_the_image_holds_all_packages_and_runs_as_nobody_special() -> None:
    let_in = (PROJECT_ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for name in (*packages, "dbt_project", "dags", "uv.lock", "pyproject.toml", "LICENSE"):
        assert f"!{name}" in let_in
    stages = set(re.findall(r" AS (\S+)$", DOCKERFILE, re.M))
    for image in re.findall(r"^FROM (\S+)", DOCKERFILE, re.M):
        assert image in stages or re.search(r":\d", image), image
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M) == ["1000:1000"]
    assert "chmod" not in DOCKERFILE
    assert not DOCKERFILE.startswith("# syntax")
    uv = re.search(r"^uv_version=(\S+)$", (PROJECT_ROOT / "lake").read_text("utf-8"), re.M)
    assert uv
    assert f"uv=={uv[1]}" in DOCKERFILE


def test_secrets_are_made_once_and_fit_each_other(tmp_path: Path) -> None:
    def made() -> dict[str, str]:
        script = PROJECT_ROOT / "deploy" / "make_secrets.py"
        subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
        return {each.name: each.read_text("ascii") for each in tmp_path.iterdir()}

    first = made()
    password = first["postgres-password"]
    assert len(password) >= 24
    assert first["airflow-database"] == (
        f"postgresql+psycopg2://airflow:{password}@postgres:5432/airflow"
    )
    (tmp_path / "airflow-database").unlink()
    assert made() == first
    modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    assert modes == {"postgres-password": 0o440, "airflow-database": 0o400}
