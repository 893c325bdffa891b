"""The work tree as a repository of its own, and projects made of it as a user makes them."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakehouse.settings import PROJECT_ROOT

USER = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@localhost"}
USER |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@localhost"}

WHOLE = {
    "project_name": "Orchard Books",
    "package": "orchard_books",
    "command": "orchard",
    "env_prefix": "ORCH_",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "locale": "de_DE",
}
"""Answers for a project with all parts."""


@dataclass(frozen=True)
class Made:
    """What a program left: exit code and all that it printed."""

    code: int
    said: str


@dataclass(frozen=True)
class Workshop:
    """A template's repository, and a home folder for cookiecutter, cruft and git."""

    template: Path
    home: Path

    def run(self, *command: str | Path, cwd: Path) -> Made:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **USER, "HOME": str(self.home), "PWD": str(cwd)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Made(done.returncode, done.stdout)

    def git(self, folder: Path, *arguments: str) -> str:
        done = self.run("git", *arguments, cwd=folder)
        assert done.code == 0, done.said
        return done.said

    def commit(self, folder: Path) -> None:
        """Commit all of a folder."""
        self.git(folder, "add", "--all")
        self.git(folder, "commit", "--quiet", "--message", "A change")

    def make(self, folder: Path, **answers: str) -> Made:
        """Make a project in a folder by cookiecutter, from the template's full path."""
        words = [f"{name}={value}" for name, value in answers.items()]
        program = [sys.executable, "-m", "cookiecutter"]
        options = ["--directory", "scaffold", "--no-input"]
        return self.run(*program, self.template, *options, *words, cwd=folder)

    def cruft(self, project: Path, *arguments: str) -> Made:
        return self.run(Path(sys.executable).with_name("cruft"), *arguments, cwd=project)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A repository of the files that git sees in the work tree, uncommitted ones too."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    folder = tmp_path_factory.mktemp("scaffold")
    made = Workshop(folder / "template", folder / "home")
    made.home.mkdir()
    for name in filter(None, names.stdout.split("\0")):
        if (PROJECT_ROOT / name).exists():
            (made.template / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT_ROOT / name, made.template / name)
    made.git(made.template, "init", "--quiet", "--initial-branch", "main")
    made.commit(made.template)
    return made


@pytest.fixture(scope="module")
def whole(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with all parts, made while the template has a change that is not committed."""
    folder = tmp_path_factory.mktemp("whole")
    (workshop.template / "README.md").write_text("not committed")
    made = workshop.make(folder, **WHOLE)
    workshop.git(workshop.template, "checkout", "--quiet", ".")
    assert made.code == 0, made.said
    counted = re.search(r"([0-9,]+) names changed, 0 left", made.said)
    assert counted is not None
    assert int(counted[1].replace(",", "")) > 600
    assert "has 1 uncommitted changes" in made.said
    project = folder / WHOLE["package"]
    assert "not committed" not in (project / "README.md").read_text(encoding="utf-8")
    return project
