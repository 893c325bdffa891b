"""What a project has of its own: README, description, licence notes, cruft's notes, formatting.

In: a tree and the answers. Out: the same tree, finished.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SECTIONS = ("Commands", "Your own shop", "Where the state lives", "Security and privacy")
"""Sections of the template's README that a project's README takes over."""

SHOP = {"currency": "GBP", "time_zone": "Europe/London", "locale": "en_GB"}
"""Defaults of the shop's settings in the template."""


def write_readme(tree: Path, answers: dict[str, Any]) -> None:
    """The project's README; names and parts in it are those of the template still.

    Where the project is from is added by `describe`, after the names were changed.
    """
    path = tree / "README.md"
    old = path.read_text(encoding="utf-8")
    parts = dict(re.findall(r"(?ms)^## (.*?)\n(.*?)(?=^## |\Z)", old))
    text = (tree / "scaffold" / "README.md").read_text(encoding="utf-8")
    for title in SECTIONS:
        text = text.replace(f"@{title}@\n", f"## {title}\n{parts[title]}")
    text = text.replace("@description@", answers["description"])
    path.write_text(text.rstrip() + "\n", encoding="utf-8")


def describe(tree: Path, answers: dict[str, Any], *, commit: str) -> None:
    """What the project is, of whom, and where it is from."""
    path = tree / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    own = f"description = {_quoted(answers['description'])}\n"
    own += f"authors = [{{ name = {_quoted(answers['author'])} }}]\n"
    text = re.sub(r"(?m)^description = .*\n", lambda _: own, text, count=1)
    reason = '    "E501",    # longer names make longer lines of text, which no formatter wraps\n'
    text = text.replace("\nignore = [\n", f"\nignore = [\n{reason}", 1)
    path.write_text(text, encoding="utf-8")
    origin = f"Made from the template Cartlake (Apache License 2.0) at its commit {commit[:12]}"
    for name, sentence in (
        ("README.md", f"\n{origin}; see [NOTICE](NOTICE).\n"),
        ("NOTICE", f"\n{origin}.\n"),
    ):
        path = tree / name
        path.write_text(
            path.read_text(encoding="utf-8").rstrip() + "\n" + sentence, encoding="utf-8"
        )


def set_shop(tree: Path, answers: dict[str, Any]) -> None:
    """The shop's settings of the answers, as defaults; names are those of the template still.

    The variable of the dbt project stays: its unit tests are in it, and a build is given the
    setting. So does what the tests are written in (`tests/conftest.py`).
    """
    for name, old in SHOP.items():
        new, variable = answers[name], f"LAKE_SHOP_{name.upper()}"
        places = {
            "lakehouse/settings.py": rf'(shop_{name}: [\w.]+ = Field\(\s*"){old}(?=")',
            ".env.example": rf"(#{variable}=){old}$",
            "docs/data.md": rf"(\| `{variable}` \| ){old}(?= \|)",
            "docker-compose.yml": rf"(\$\{{{variable}:-){old}(?=\}})",
        }
        for place, pattern in places.items():
            path = tree / place
            if place == "docker-compose.yml" and not path.exists():
                continue
            text = path.read_text(encoding="utf-8")
            text, count = re.subn(f"(?m){pattern}", lambda at: at[1] + new, text)  # noqa: B023
            if count != 1:
                sys.exit(f"{variable} has no one default in {place}: a fault of the template.")
            path.write_text(text, encoding="utf-8")


def write_cruft_notes(tree: Path, request: dict[str, Any]) -> None:
    """What `cruft update` needs: the template, its commit, the answers."""
    answers = request["answers"]
    notes = {
        "template": request["template"],
        "commit": request["commit"],
        "checkout": None,
        "context": {"cookiecutter": {k: v for k, v in answers.items() if k[0] != "_"}},
        "directory": "scaffold",
    }
    text = json.dumps(notes, ensure_ascii=False, indent=2)
    (tree / ".cruft.json").write_text(text + "\n", encoding="utf-8")


def format_code(tree: Path) -> bool:
    """Format as the project's own checks want it, by the ruff of its lock; False without one."""
    lock = (tree / "uv.lock").read_text(encoding="utf-8")
    version = re.findall(r'(?m)^name = "ruff"\nversion = "(.*)"$', lock)[0]
    with tempfile.TemporaryDirectory(prefix="ruff-") as folder:
        command = _ruff(version, Path(folder))
        if command is None:
            return False
        unused = ("check", "--quiet", "--select", "F401,I001", "--fix-only", ".")
        for arguments in (unused, ("format", "--quiet", ".")):
            done = subprocess.run(
                [*command, *arguments, "--no-cache"],
                cwd=tree,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                sys.exit(f"The parts don't fit together, a fault of the template: {done.stderr}")
    return True


def _ruff(version: str, folder: Path) -> list[str] | None:
    """A command that is this ruff: at hand, or installed into the folder."""
    for found in (Path(sys.executable).with_name("ruff"), shutil.which("ruff")):
        if found is not None and _says([str(found), "--version"]) == f"ruff {version}":
            return [str(found)]
    if uvx := shutil.which("uvx"):
        command = [uvx, "--quiet", f"ruff@{version}"]
        if _says([*command, "--version"]) == f"ruff {version}":
            return command
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _says([*pip, "--no-deps", "--target", str(folder), f"ruff=={version}"])
    program = folder / "bin" / "ruff"
    return [str(program)] if program.is_file() else None


def _says(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _quoted(text: str) -> str:
    """A text of TOML: JSON's are among them."""
    return json.dumps(text, ensure_ascii=False)
