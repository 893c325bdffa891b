"""Projects as a user makes them: by cookiecutter, updated by cruft, from the tree as it is."""

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

from lakehouse.settings import PROJECT_ROOT
from scaffold.generate import finish
from tests.scaffold.conftest import WHOLE, Workshop

OLD = re.compile(r"(?i:cartlake)|LAKE_[A-Z]|\./lake\b|`lake [a-z]|bin/lake\b|\"\.lake\b|\"lake\"")
"""Names of the template, found in another way than the generator finds them."""
MARK = re.compile(r"(?m)(?:#|<!--|;) (?:part: [a-z, ]+|end part)(?: -->)?(?: \|)?$")
IMPORT = re.compile(r"(?m)^ *(?:from ([\w.]+) import |import ([\w.]+))")
ORIGIN = "Made from the template Cartlake (Apache License 2.0) at its commit "
SMALL = {
    "project_name": "Q",
    "command": "qq",
    "package": "q9",
    "simulator": "no",
    "airflow": "no",
    "history": "no",
}


def texts(project: Path) -> dict[str, str]:
    """Texts of a project by their paths."""
    paths = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if path.suffix not in (".parquet", ".lock", ".pyc")
    }


def require_sound_code(project: Path) -> None:
    """Every module compiles, and what it imports of the project is there."""
    folders = {path.name for path in project.iterdir() if any(path.glob("*.py"))}
    missing = set()
    for path in project.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        compile(text, path, "exec")
        for name in {each[0] or each[1] for each in IMPORT.findall(text)}:
            place = project / name.replace(".", "/")
            if name.partition(".")[0] in folders and not (
                place.is_dir() or place.with_suffix(".py").is_file()
            ):
                missing.add(f"{path.relative_to(project)}: {name}")
    assert missing == set()


def uv() -> str:
    found = shutil.which("uv") or shutil.which(PROJECT_ROOT / ".uv" / "venv" / "bin" / "uv")
    assert found, "uv is missing: ./lake installs it into .uv"
    return found


def test_a_project_has_its_own_names_only_and_works(workshop: Workshop, whole: Path) -> None:
    require_a_sound_project(workshop, whole, WHOLE)


def test_a_project_without_parts_works_too(workshop: Workshop, tmp_path: Path) -> None:
    made = workshop.make(tmp_path, **SMALL)
    assert made.code == 0, made.said
    assert "Left out: simulator, airflow, history." in made.said
    require_a_sound_project(workshop, tmp_path / SMALL["package"], SMALL)


def require_a_sound_project(workshop: Workshop, project: Path, answers: dict[str, str]) -> None:
    found = texts(project)
    origins = {name: text.count(ORIGIN) for name, text in found.items() if ORIGIN in text}
    assert origins == {"README.md": 1, "NOTICE": 1}
    left = {
        name: OLD.findall(re.sub(r"https?://\S+", "", text.replace(ORIGIN, "")))
        for name, text in found.items()
        if name not in ("LICENSE", ".cruft.json")
    }
    assert {name: old for name, old in left.items() if old} == {}
    assert [name for name in found if re.search(r"cartlake|(^|/)lake$", name)] == []
    assert [name for name, text in found.items() if MARK.search(text)] == []

    require_sound_code(project)
    code = "import sys; sys.path.insert(0, '.'); from operations.cli import main; main()"
    listed = workshop.run(sys.executable, "-c", code, "list", cwd=project)
    assert (listed.code, listed.said.split()[0]) == (0, "ingest")
    helped = workshop.run(sys.executable, "-c", code, "--help", cwd=project)
    assert helped.code == 0
    assert f"Usage: {answers['command']} " in helped.said
    assert f"{answers['project_name']}: an e-commerce data platform" in helped.said
    assert ("airflow" in helped.said) == ("airflow" not in answers)

    assert workshop.git(project, "status", "--porcelain") == ""
    assert len(workshop.git(project, "log", "--oneline").splitlines()) == 1
    shop = {name: answers.get(name, default) for name, default in finish.SHOP.items()}
    said = "import json; from lakehouse.settings import Settings; s = Settings()"
    said += f"\nprint(json.dumps({{n: getattr(s, f'shop_{{n}}') for n in {list(shop)}}}))"
    settled = workshop.run(sys.executable, "-c", said, cwd=project)
    assert json.loads(settled.said) == shop
    example = found[".env.example"]
    for name, value in shop.items():
        assert f"{answers.get('env_prefix', 'QQ_')}SHOP_{name.upper()}={value}\n" in example
    locked = workshop.run(uv(), "lock", "--check", "--offline", cwd=project)
    assert locked.code == 0, locked.said
    lock = tomllib.loads((project / "uv.lock").read_text(encoding="utf-8"))
    packages = {package["name"] for package in lock["package"]}
    assert {"cookiecutter", "cruft", "cartlake"} & packages == set()
    assert ("apache-airflow" in packages) == ("airflow" not in answers)
    ruff = Path(sys.executable).with_name("ruff")
    for check in (("format", "--check", "--no-cache", "."), ("check", "--no-cache", ".")):
        checked = workshop.run(ruff, *check, cwd=project)
        assert checked.code == 0, checked.said


def test_a_refused_answer_leaves_nothing(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    made = workshop.make(tmp_path / "here", project_name="../up/there")
    assert made.code != 0
    assert "The name '../up/there' does not fit: it begins with a letter" in made.said
    assert [path.name for path in tmp_path.rglob("*")] == ["here"]


def test_a_folder_that_exists_is_left_alone(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "my_shop").mkdir()
    (tmp_path / "my_shop" / "mine").write_text("mine")
    made = workshop.make(tmp_path)
    assert made.code != 0
    assert "already exists" in made.said
    assert [path.name for path in (tmp_path / "my_shop").rglob("*")] == ["mine"]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_an_update_brings_what_the_template_changed_and_marks_what_both_did(
    workshop: Workshop, whole: Path, tmp_path: Path
) -> None:
    template, project = workshop.template, tmp_path / "project"
    shutil.copytree(whole, project)
    edit(template / "operations" / "jobs.py", '"upkeep of the tables"', '"upkeep by ./lake list"')
    edit(template / "lakehouse" / "settings.py", "STATE_VERSION = 2", "STATE_VERSION = 3")
    (template / "docs" / "new.md").write_text("A new page of Cartlake.\n")
    workshop.commit(template)
    edit(project / "lakehouse" / "settings.py", "STATE_VERSION = 2", "STATE_VERSION = 9")
    edit(project / "operations" / "lag.py", "\nimport ", "\n# Changed here.\nimport ")
    workshop.commit(project)

    updated = workshop.cruft(project, "update", "--skip-apply-ask")
    assert updated.code == 0, updated.said
    assert '"upkeep by ./orchard list"' in (project / "operations" / "jobs.py").read_text()
    assert (project / "docs" / "new.md").read_text() == "A new page of Orchard Books.\n"
    assert "Changed here." in (project / "operations" / "lag.py").read_text()
    both = (project / "lakehouse" / "settings.py").read_text()
    assert re.search(r"<<<<<<<.*\nSTATE_VERSION = 9\n=======\nSTATE_VERSION = 3\n>>>>>>> ", both), (
        updated.said
    )
    status = workshop.git(project, "status", "--porcelain").splitlines()
    assert {line[3:] for line in status if "U" in line[:2]} == {"lakehouse/settings.py"}
    head = workshop.git(template, "rev-parse", "HEAD").strip()
    assert json.loads((project / ".cruft.json").read_text())["commit"] == head
    assert f"{ORIGIN}{head[:12]}" in (project / "README.md").read_text()
