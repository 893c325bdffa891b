"""A project of its own, installed and run: the same figures as the template's, its own tests."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lakehouse.settings import PROJECT_ROOT, STATE_VERSION
from tests.brokers import free_ports
from tests.scaffold.conftest import WHOLE

BRITISH = "GBP, Europe/London, en_GB"
"""The shop of the embedded history: the figures of both demos are in it."""
ITS_TESTS = ("test_repository.py", "test_cli.py", "test_wrapper.py", "lakehouse/test_state.py")


def shown_by(
    program: Path, home: Path, *, title: str, prefix: str, jars_dir: Path
) -> dict[str, object]:
    """What a demo of two months shows, on a state of its own with the jars at hand."""
    home.mkdir()
    (home / "VERSION").write_text(f"{title} state, version {STATE_VERSION}\nShop: {BRITISH}\n")
    (home / "jars").symlink_to(jars_dir, target_is_directory=True)
    names = ("KAFKA_PORT", "KAFKA_CONTROLLER_PORT", "DASHBOARD_PORT")
    own = dict(zip(names, map(str, free_ports(3)), strict=True))
    own["HOME"] = str(home)
    own |= dict(
        zip(("SHOP_CURRENCY", "SHOP_TIME_ZONE", "SHOP_LOCALE"), BRITISH.split(", "), strict=True)
    )
    done = subprocess.run(
        [program, "demo", "--quick", "--once"],
        env=os.environ | {f"{prefix}{name}": value for name, value in own.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((home / "reports" / "latest.json").read_text(encoding="utf-8"))
    return {name: report[name] for name in ("verdict", "figures", "quarantine")}


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.spark
def test_a_project_shows_the_templates_figures_and_passes_its_own_tests(
    whole: Path, tmp_path: Path, jars_dir: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(whole, project)
    its = shown_by(
        project / WHOLE["command"],
        tmp_path / "its",
        title=WHOLE["project_name"],
        prefix=WHOLE["env_prefix"],
        jars_dir=jars_dir,
    )
    template = shown_by(
        PROJECT_ROOT / "lake",
        tmp_path / "template",
        title="Cartlake",
        prefix="LAKE_",
        jars_dir=jars_dir,
    )
    assert its["verdict"] == "passed"
    assert its == template
    tests = [f"tests/{name}" for name in ITS_TESTS]
    tested = subprocess.run(
        [project / WHOLE["command"], "test", "-q", *tests],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
