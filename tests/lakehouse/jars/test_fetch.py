"""The jars: exactly those of the lock, fetched once, and a difference is always reported."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.jars import fetch, ivy, lock
from lakehouse.jars.java import require_java
from lakehouse.settings import Settings


class Shelf:
    """Stands where Ivy reaches the network: lays out the jars of a folder, and counts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[dict[str, list[str]]] = []

    def fetch(self, modules: Mapping[str, Sequence[str]], *, into: Path, **_: object) -> None:
        self.asked.append({name: list(wanted) for name, wanted in modules.items()})
        for jar_set, wanted in modules.items():
            for module in wanted:
                organisation, name, revision = module.split(":")
                folder = into / jar_set / organisation / name / revision
                folder.mkdir(parents=True)
                file = f"{name}-{revision}.jar"
                shutil.copy(self.folder / jar_set / file, folder / file)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A lock of three small jars for the installed versions, and a shelf that has them."""
    modules = {"kafka": ["org.one:one:1.0", "org.two:two-x:2.0-1"], "spark": ["org.three:three:3"]}
    content: dict[str, object] = {"versions": lock.installed_versions()}
    for jar_set, wanted in modules.items():
        locked = []
        for module in wanted:
            path = tmp_path / "shelf" / jar_set / ("-".join(module.split(":")[1:]) + ".jar")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"the jar of {module}".encode())
            size, sha256 = path.stat().st_size, lock.sha256_of(path)
            locked.append({"module": module, "size": size, "sha256": sha256})
        content[jar_set] = locked
    lock_file = tmp_path / "jars.lock"
    lock_file.write_text(json.dumps(content))
    stand_in = Shelf(tmp_path / "shelf")
    with monkeypatch.context() as patched:
        patched.setattr(ivy, "fetch", stand_in.fetch)
        patched.setattr(lock, "LOCK_FILE", lock_file)
        lock.read_lock.cache_clear()
        yield stand_in
    lock.read_lock.cache_clear()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty state folder."""
    return Settings(home=tmp_path / "state")


@pytest.fixture
def filled(settings: Settings, shelf: Shelf) -> Settings:
    """Settings of a state folder with the three jars in it."""
    fetch.ensure_jars(settings)
    shelf.asked.clear()
    return settings


def test_the_lock_holds_no_second_copy_of_a_jar_that_pyspark_ships() -> None:
    shipped = {jar.name for jar in ivy.pyspark_jars_dir().glob("*.jar")}
    names = {jar.module.split(":")[1] for jar in lock.read_lock().jars["spark"]}
    assert {name for name in names if any(jar.startswith(f"{name}-") for jar in shipped)} == set()
    assert names >= {"delta-spark_4.2_2.13", "spark-sql-kafka-0-10_2.13", "kafka-clients"}


def test_the_folders_hold_exactly_the_jars_of_the_lock() -> None:
    settings = Settings()
    found = fetch.ensure_jars(settings)
    locked = lock.read_lock()
    for jar_set, paths in (("kafka", found.kafka), ("spark", found.spark)):
        assert {path.name: lock.sha256_of(path) for path in paths} == {
            jar.file: jar.sha256 for jar in locked.jars[jar_set]
        }
        assert set((settings.jars_dir / jar_set).iterdir()) == set(paths)
    assert fetch.spark_jars(settings) == list(found.spark)
    assert fetch.kafka_classpath(settings) == f"{settings.jars_dir}/kafka/*"


def test_an_empty_state_gets_all_jars_and_nothing_is_fetched_again(
    settings: Settings, shelf: Shelf
) -> None:
    seen: list[tuple[int, int]] = []
    found = fetch.ensure_jars(settings, progress=lambda done, total: seen.append((done, total)))
    folder = settings.jars_dir
    assert found == fetch.JarSets(
        kafka=(folder / "kafka" / "one-1.0.jar", folder / "kafka" / "two-x-2.0-1.jar"),
        spark=(folder / "spark" / "three-3.jar",),
    )
    total = sum(path.stat().st_size for path in (*found.kafka, *found.spark))
    assert seen == [(total, total)]
    assert not (folder / ".fetching").exists()
    fetch.ensure_jars(settings)
    assert len(shelf.asked) == 1


@pytest.mark.parametrize("damage", ["removed", "flipped byte", "cut short"])
def test_only_a_damaged_jar_is_fetched_again(filled: Settings, shelf: Shelf, damage: str) -> None:
    path = filled.jars_dir / "kafka" / "two-x-2.0-1.jar"
    content = path.read_bytes()
    path.unlink()
    if damage == "flipped byte":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "cut short":
        path.write_bytes(content[:-1])
    fetch.ensure_jars(filled)
    assert shelf.asked == [{"kafka": ["org.two:two-x:2.0-1"]}]
    assert path.read_bytes() == content


def test_a_jar_that_is_not_in_the_lock_is_taken_off_the_class_path(
    filled: Settings, shelf: Shelf
) -> None:
    stranger = filled.jars_dir / "kafka" / "stranger-1.0.jar"
    stranger.write_bytes(b"PK")
    fetch.ensure_jars(filled)
    assert not stranger.exists()
    assert shelf.asked == []


def test_touched_but_equal_jars_are_checked_in_full_and_kept(
    filled: Settings, shelf: Shelf
) -> None:
    locked = lock.read_lock()
    os.utime(filled.jars_dir / "kafka" / "one-1.0.jar", (1, 1))
    assert not fetch.is_verified(filled, lock=locked)
    fetch.ensure_jars(filled)
    assert fetch.is_verified(filled, lock=locked)
    assert shelf.asked == []


def test_a_fetched_jar_that_differs_from_the_lock_is_refused(
    settings: Settings, shelf: Shelf
) -> None:
    (shelf.folder / "kafka" / "one-1.0.jar").write_bytes(b"another jar, of any size")
    with pytest.raises(
        LakeError, match=r"one-1\.0\.jar is not the file that lakehouse/jars/jars.lock"
    ):
        fetch.ensure_jars(settings)
    assert not (settings.jars_dir / "kafka").exists()
    (shelf.folder / "kafka" / "one-1.0.jar").write_bytes(b"the jar of org.one:one:1.0")
    fetch.ensure_jars(settings)


@pytest.mark.parametrize("package", ["pyspark", "delta-spark", "scala", "kafka"])
def test_a_version_that_does_not_fit_the_lock_is_named(package: str) -> None:
    locked = lock.read_lock()
    other = replace(locked, versions={**locked.versions, package: "0.1"})
    with pytest.raises(LakeError, match=rf"locked for {package} 0\.1, but \d.* is installed"):
        lock.check_versions(other)
    lock.check_versions(locked)


def test_ivy_without_a_connection_says_what_to_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9"
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", nobody)
    with pytest.raises(LakeError, match=r"could not be fetched \(.*\)\. Check the connection"):
        ivy.fetch(
            {"kafka": ["org.apache.kafka:kafka-clients:4.3.1"]},
            java=require_java(Settings()),
            into=tmp_path / "ivy",
        )
    assert not list(tmp_path.rglob("*.jar"))


def test_a_folder_that_cannot_hold_the_jars_is_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "state")
    settings.home.mkdir()
    settings.jars_dir.write_text("a file where the folder should be")
    with pytest.raises(LakeError, match=r"can't be kept in .*state/jars: .*set LAKE_HOME"):
        fetch.ensure_jars(settings)
