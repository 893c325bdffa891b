"""Spark's Java: started as Spark's launcher would, whatever surrounds it, and never left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lakehouse import spark_java
from lakehouse.errors import LakeError
from lakehouse.jars.java import LOCALE, require_java
from lakehouse.settings import Settings
from lakehouse.state import claim
from tests.lake_state import NewSettings
from tests.other_set_up import ODD_NAME, other_set_up

pytestmark = pytest.mark.spark

OPEN = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
from lakehouse.settings import Settings
from lakehouse.spark import open_session

spark = open_session(Settings(**json.loads(sys.argv[1])))
"""
ANSWER = (
    OPEN
    + """
path = sys.argv[2]
spark.range(3).write.format("delta").save(path)
rows = spark.read.format("delta").load(path).mapInArrow(lambda batches: batches, "id long")
print(json.dumps([
    sorted(row.id for row in rows.collect()),
    spark._jvm.java.util.Locale.getDefault().toString(),
    spark._jvm.java.lang.System.getProperty("file.encoding"),
    spark.sparkContext.master,
]))
"""
)


@pytest.fixture
def odd_settings(jars_dir: Path, tmp_path: Path) -> Settings:
    """Settings of a state folder whose name has every sign that Java or Spark may stumble over."""
    home = tmp_path / ODD_NAME / "state"
    claim(Settings(home=home))
    (home / "jars").symlink_to(jars_dir)
    return Settings(home=home, storage=None, kafka_bootstrap="127.0.0.1:1")


@pytest.mark.slow
def test_a_session_works_beside_another_set_up_and_under_an_odd_name(
    odd_settings: Settings, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ANSWER, odd_settings.model_dump_json(), odd_settings.tables_uri],
        cwd=tmp_path,
        env={**os.environ, **other_set_up(tmp_path / "another")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[0, 1, 2], "en_GB", "UTF-8", odd_settings.spark_master]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["another", ODD_NAME]


def test_java_gets_the_options_that_sparks_launcher_gives(new_settings: NewSettings) -> None:
    settings = new_settings(spark_driver_memory="3g", spark_java_options="-Done=1 -Dtwo='a b'")
    java, home = require_java(settings), spark_java.spark_home()
    main = "org.apache.spark.deploy.SparkSubmit"
    launched = subprocess.run(
        [
            *(java, "-cp", f"{home}/jars/*", "org.apache.spark.launcher.Main", main),
            *("--conf", "spark.driver.memory=3g"),
            *("--conf", "spark.driver.extraJavaOptions=-Done=1 -Dtwo='a b'", "pyspark-shell"),
        ],
        env={"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13"},
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = launched.stdout.strip("\n\0").split("\0")
    ours = spark_java.java_command(settings, java=java, spark_home=home, jars=[], conf={})
    folders = {"-Djava.io.tmpdir=.", f"-Duser.home={spark_java.scratch_dir(settings)}"}
    own = {*LOCALE, *folders}
    assert set(ours[3 : ours.index(main)]) - own == set(theirs[3 : theirs.index(main)])


@pytest.mark.parametrize("seconds", [0.0, 1.0])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_when_the_start_is_cut_short(
    new_settings: NewSettings, ending: int, seconds: float
) -> None:
    asker = subprocess.Popen(
        [sys.executable, "-c", OPEN, new_settings().model_dump_json()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    java = next(_starts_of_java(asker.pid))
    time.sleep(seconds)
    family = [java, *psutil.Process(asker.pid).children(recursive=True)]
    asker.send_signal(ending)
    asker.wait(timeout=30)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_java_is_gone_when_its_supervisor_is_killed(new_settings: NewSettings) -> None:
    settings = new_settings()
    started = spark_java.start(settings, java=require_java(settings), jars=[], conf={})
    os.kill(started.program.supervisor.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(started.program.pid)], timeout=10)
    assert not psutil.pid_exists(started.program.pid)
    started.program.close()


def test_what_java_says_before_it_ends_is_quoted(new_settings: NewSettings) -> None:
    settings = new_settings(spark_java_options="-Xmsmuch")
    started = spark_java.start(settings, java=require_java(settings), jars=[], conf={})
    with pytest.raises(LakeError) as told:
        started.await_ready()
    assert str(told.value) == (
        "Spark did not start: Invalid initial heap size: -Xmsmuch. "
        f"Its whole log is {settings.logs_dir}/spark.log."
    )


def test_what_spark_refuses_is_quoted_and_its_java_ended(new_settings: NewSettings) -> None:
    settings = new_settings()
    conf = {"spark.master": "nowhere"}
    started = spark_java.start(settings, java=require_java(settings), jars=[], conf=conf)
    with pytest.raises(LakeError) as told:
        started.await_ready()
    assert str(told.value) == (
        "Spark did not start: org.apache.spark.SparkException: Master must either be yarn or start "
        f"with spark, k8s, or local. Its whole log is {settings.logs_dir}/spark.log."
    )
    assert not psutil.pid_exists(started.program.pid)


def test_libraries_are_unpacked_where_programs_may_run(
    new_settings: NewSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = new_settings()
    home = spark_java.spark_home()
    barred: set[Path] = {spark_java.scratch_dir(settings)}
    monkeypatch.setattr(spark_java, "_may_execute", lambda folder: folder not in barred)

    def options() -> list[str]:
        return spark_java.java_command(settings, java=Path("j"), spark_home=home, jars=[], conf={})

    import tempfile

    assert f"-Djava.io.tmpdir={tempfile.gettempdir()}" in options()
    barred.add(Path(tempfile.gettempdir()))
    with pytest.raises(LakeError, match=r"may hold programs .*noexec.* Set LAKE_HOME or TMPDIR"):
        options()


def _starts_of_java(pid: int) -> Iterator[psutil.Process]:
    """Spark's Java below a process, as soon as it appears."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "org.apache.spark.deploy.SparkSubmit" in process.cmdline()[1:]:
                    yield process
        time.sleep(0.01)
