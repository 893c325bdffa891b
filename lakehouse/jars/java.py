"""Finds the Java that the broker and Spark run on.

In: `Settings` (JAVA_HOME) and PATH. Out: the path of a `java` of version 17 or newer, or a
`LakeError` with the one command to run. `python -m lakehouse.jars.java` prints it.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from lakehouse.errors import LakeError
from lakehouse.settings import Settings, clean_environment

OLDEST_JAVA = 17
LOCALE = ("-Duser.language=en", "-Duser.country=GB", "-Duser.variant=")
"""Options of every Java of ours: some upper case of `i` is no `I`, and names of states break."""
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def find_java(settings: Settings) -> Path:
    """The `java` of JAVA_HOME, else the one on PATH; its version is not looked at.

    Raises: LakeError when there is none.
    """
    if settings.java_home is not None:
        java = settings.java_home / "bin" / "java"
        if os.access(java, os.X_OK):
            return java
        raise LakeError(
            f"JAVA_HOME is {settings.java_home}, but there is no bin/java in it. "
            f"Run `unset JAVA_HOME` and take it out of .env, or point it at a Java {OLDEST_JAVA}."
        )
    found = shutil.which("java")
    if found is None:
        raise LakeError(f"Java {OLDEST_JAVA} or newer is missing. Run `{install_command()}`.")
    return Path(found)


@functools.cache
def java_major(java: Path) -> int:
    """Major version of a `java` program; 8 for "1.8.0".

    Raises: LakeError when it does not run (on macOS, /usr/bin/java is there without any Java).
    """
    try:
        shown = subprocess.run(
            [java, "-version"],
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LakeError(f"{java} does not run: {error}. Run `{install_command()}`.") from error
    match = _VERSION.search(shown.stderr + shown.stdout)
    if shown.returncode != 0 or match is None:
        raise LakeError(f"{java} does not run. Run `{install_command()}`.")
    return int(match[1])


def require_java(settings: Settings) -> Path:
    """A `java` that is new enough. Raises: LakeError when it is missing or older than 17."""
    java = find_java(settings)
    major = java_major(java)
    if major < OLDEST_JAVA:
        place = "JAVA_HOME points at" if settings.java_home else "PATH leads to"
        advice = f"Run `{install_command()}`"
        if settings.java_home:
            advice += " and point JAVA_HOME at it"
        raise LakeError(
            f"{place} Java {major} ({java}); {OLDEST_JAVA} or newer is needed. {advice}."
        )
    return java


def install_command() -> str:
    """The one command that installs a fitting Java on this kind of machine."""
    if sys.platform == "darwin":
        return "brew install --cask temurin@17"
    for tool, command in (
        ("apt-get", "sudo apt-get install -y openjdk-17-jre-headless"),
        ("dnf", "sudo dnf install -y java-17-openjdk-headless"),
        ("pacman", "sudo pacman -S --noconfirm jre17-openjdk-headless"),
        ("zypper", "sudo zypper install -y java-17-openjdk-headless"),
        ("apk", "sudo apk add openjdk17-jre-headless"),
    ):
        if shutil.which(tool):
            return command
    return "sdk install java 17-tem"


def main() -> int:
    """Print the Java in use. Returns: 3 when installing one helps, 2 when JAVA_HOME is wrong."""
    settings = None
    try:
        settings = Settings()
        print(require_java(settings))
    except LakeError as error:
        print(error, file=sys.stderr)
        return 2 if settings is None or settings.java_home else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
