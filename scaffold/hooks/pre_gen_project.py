"""Fills the new project's folder, the working directory, from the committed tree of the template.

In: the answers, rendered into this file. Out: the project, or a sentence and exit code 1; then
cookiecutter removes the folder. What does the work is `scaffold/generate` of that same commit.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")


def main() -> None:
    """Find the repository and the commit, unpack it elsewhere, and let it make the project."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the Python is the user's
        sys.exit("cookiecutter runs on a Python before 3.11: install it with 3.11, 3.12 or 3.13.")
    with tempfile.TemporaryDirectory(prefix="scaffold-") as name:
        folder = Path(name)
        repository = find_repository(folder)
        commit = ANSWERS.get("_commit") or git(repository, "rev-parse", "HEAD").decode().strip()
        (folder / "tree").mkdir()
        with tarfile.open(fileobj=io.BytesIO(git(repository, "archive", commit))) as archive:
            archive.extractall(folder / "tree", filter="data")
        request = {
            "answers": ANSWERS,
            "commit": commit,
            "template": template(repository),
            "project": str(Path.cwd()),
        }
        made = subprocess.run(
            [sys.executable, "-m", "scaffold.generate"],
            cwd=folder / "tree",
            input=json.dumps(request),
            text=True,
            check=False,
        )
        if made.returncode:
            sys.exit(made.returncode)
        changed = b"" if is_by_cruft() else git(repository, "status", "--porcelain")
        if count := len(changed.splitlines()):
            print(f"{repository} has {count} uncommitted changes: {commit[:12]} was taken without.")


def is_by_cruft() -> bool:
    """Whether cruft asks: it names the commit, and keeps its own notes of what it made."""
    return "_commit" in ANSWERS


def template(repository: Path) -> str:
    """What a later update is asked for: the place that the user named, in full."""
    if is_by_cruft():
        return str(ANSWERS["_template"])
    if ANSWERS["_repo_dir"].startswith(ANSWERS["_template"]):
        return str(repository)
    return git(repository, "config", "remote.origin.url").decode().strip()


def find_repository(folder: Path) -> Path:
    """The template's repository: where cookiecutter found it, or what cruft names, cloned."""
    if is_by_cruft():
        source = ANSWERS["_template"]
        if Path(source).is_dir():
            return Path(source)
        run("git", "clone", "--quiet", "--bare", source, str(folder / "repository"))
        return folder / "repository"
    # A relative path counts from where cookiecutter was started; this program runs elsewhere.
    starts = [os.environ.get("PWD", ""), ANSWERS["_output_dir"], f"/proc/{os.getppid()}/cwd"]
    places = [Path(start) / ANSWERS["_repo_dir"] for start in starts] + [Path(starts[-1])]
    for place in places:
        if (place / "hooks" / "pre_gen_project.py").is_file():
            top = git(place.resolve(), "rev-parse", "--show-toplevel")
            return Path(top.decode().strip())
    sys.exit("The template was not found: give its place as a full path.")


def git(repository: Path, *arguments: str) -> bytes:
    """What git answers. Exits with a sentence where this is no repository."""
    return run("git", "-C", str(repository), *arguments)


def run(*command: str) -> bytes:
    """Output of a program; a failure ends this one with its last line."""
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except FileNotFoundError:
        sys.exit("git is not installed: the template is exported by it.")
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        sys.exit(f"The template can't be exported from its repository: {said[-1] if said else ''}")


main()
