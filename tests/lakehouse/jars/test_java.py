"""Which Java is taken, and what is said when none fits."""

from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.jars import java
from lakehouse.settings import Settings


def fake_java(folder: Path, version: str, *, code: int = 0) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\nexit {code}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("21", 21), ("1.8.0_292", 8), ("26-ea", 26)]
)
def test_the_major_version_is_read_from_what_java_says(
    tmp_path: Path, version: str, major: int
) -> None:
    assert java.java_major(fake_java(tmp_path, version)) == major


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    program = fake_java(tmp_path, "21.0.1")
    assert java.require_java(Settings(java_home=tmp_path)) == program


def test_the_path_is_used_when_java_home_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_java(tmp_path, "17.0.1")
    monkeypatch.setenv("JAVA_HOME", "")
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    assert java.require_java(Settings()) == program


def test_an_old_java_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    fake_java(tmp_path, "11.0.2")
    with pytest.raises(LakeError) as raised:
        java.require_java(Settings(java_home=tmp_path))
    assert str(raised.value) == (
        f"JAVA_HOME points at Java 11 ({tmp_path}/bin/java); 17 or newer is needed. "
        f"Run `{java.install_command()}` and point JAVA_HOME at it."
    )


def test_a_java_home_without_java_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="there is no bin/java in it"):
        java.find_java(Settings(java_home=tmp_path))


def test_no_java_at_all_is_told_with_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(LakeError, match=r"Java 17 or newer is missing\. Run `.+`\."):
        java.require_java(Settings())


def test_a_java_that_does_not_run_is_told(tmp_path: Path) -> None:
    fake_java(tmp_path, "17.0.1", code=1)
    with pytest.raises(LakeError, match="does not run"):
        java.require_java(Settings(java_home=tmp_path))
