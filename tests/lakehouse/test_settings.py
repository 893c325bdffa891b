"""Settings from the environment: what is said when one does not fit, what children are given."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse import settings as module
from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings, forget_foreign, variables

FOREIGN = {
    "SPARK_HOME": "/opt/spark",
    "SPARK_REMOTE": "sc://nowhere",
    "PYSPARK_SUBMIT_ARGS": "--master yarn pyspark-shell",
    "HADOOP_CONF_DIR": "/etc/hadoop",
    "DBT_RESOURCE_TYPES": "model",
    "DASH_URL_BASE_PATHNAME": "/elsewhere/",
    "PYTHONPATH": "/opt/spark/python",
    "PYTHONIOENCODING": "latin-1",
    "KAFKA_OPTS": "-javaagent:none.jar",
    "JAVA_TOOL_OPTIONS": "-Duser.language=tr",
    "_JAVA_OPTIONS": "-Xmx1m",
    "CLASSPATH": "/opt/other.jar",
    "WEB_CONCURRENCY": "4",
}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        *(
            (
                "LAKE_SHOP_CURRENCY",
                code,
                (
                    "must be the code of a currency of today, like EUR or GBP. Change it, or leave "
                    f"it out for {Settings.model_fields['shop_currency'].default}."
                ),
            )
            for code in ("QQQ", "DEM", "eur", "€", "XXX", "EUR ")
        ),
        *(
            (
                "LAKE_SHOP_TIME_ZONE",
                zone,
                (
                    "must be a time zone, like Europe/Berlin or Europe/London. Change it, or leave "
                    f"it out for {Settings.model_fields['shop_time_zone'].default}."
                ),
            )
            for zone in ("Europe/Nowhere", "CEST", "../etc/passwd", "+01:00", "localtime")
        ),
        *(
            (
                "LAKE_SHOP_LOCALE",
                locale,
                "must be a locale, like de_DE or en_GB. Change it, or leave it out for en_GB.",
            )
            for locale in ("xx_YY", "english", "de-DE", "_", "de_DE.UTF-8")
        ),
        (
            "LAKE_KAFKA_PORT",
            "abc",
            "must be a whole number from 1024 to 65535. Change it, or leave it out for 9092.",
        ),
        (
            "LAKE_DASHBOARD_PORT",
            "80",
            "must be a whole number from 1024 to 65535. Change it, or leave it out for 8050.",
        ),
        (
            "LAKE_INGEST_MAX_RECORDS",
            "0",
            "must be a whole number from 1 on. Change it, or leave it out for 200000.",
        ),
        (
            "LAKE_KAFKA_HEAP",
            "much",
            "must be like 512m or 2g. Change it, or leave it out for 512m.",
        ),
        (
            "LAKE_SPARK_MASTER",
            "local[0]",
            (
                "must be like local[2] or local[*] or spark://host:7077. Change it, or leave it "
                "out for local[*]."
            ),
        ),
        (
            "LAKE_KAFKA_BOOTSTRAP",
            "somewhere",
            "must be like kafka.example:9092. Change it, or leave it out.",
        ),
        (
            "LAKE_DASHBOARD_HOST",
            "everywhere",
            "must be like 127.0.0.1 or 0.0.0.0. Change it, or leave it out for 127.0.0.1.",
        ),
        (
            "LAKE_DASHBOARD_ALLOWED_HOSTS",
            "http://shop.example",
            "must be like dashboard or shop.example,shop.example:8443. Change it, or leave it out.",
        ),
        (
            "LAKE_LOG_LEVEL",
            "loud",
            "must be one of DEBUG, INFO, WARNING, ERROR. Change it, or leave it out for WARNING.",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_variable_and_what_fits(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(LakeError) as told:
        Settings()
    assert str(told.value) == f"{name} is {value!r}, but {sentence}"


def test_the_screens_open_beyond_this_machine_only_for_names_that_are_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAKE_DASHBOARD_HOST", "0.0.0.0")  # noqa: S104 - nothing is bound here
    with pytest.raises(LakeError, match=r"have no login, .* LAKE_DASHBOARD_ALLOWED_HOSTS too"):
        Settings()
    monkeypatch.setenv("LAKE_DASHBOARD_ALLOWED_HOSTS", "dashboard")
    assert str(Settings().dashboard_host) == "0.0.0.0"  # noqa: S104
    monkeypatch.setenv("LAKE_DASHBOARD_HOST", "127.0.0.7")
    monkeypatch.delenv("LAKE_DASHBOARD_ALLOWED_HOSTS")
    assert Settings().dashboard_host.is_loopback


def test_empty_means_the_default_for_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"LAKE_{name.upper()}" for name in Settings.model_fields if name != "java_home"]
    for name in (*names, "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    unset = Settings(_env_file=None)
    for name in (*names, "JAVA_HOME"):
        monkeypatch.setenv(name, "")
    assert Settings(_env_file=None) == unset
    assert unset.spark_master == "local[*]"
    assert unset.home == PROJECT_ROOT / ".lake"


def test_java_home_of_the_settings_file_is_read_and_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    (tmp_path / ".env").write_text("JAVA_HOME=/opt/a jdk\nLAKE_KAFKA_PORT=\n", "utf-8-sig")
    found = Settings(_env_file=tmp_path / ".env")
    assert (found.java_home, found.kafka_port) == (Path("/opt/a jdk"), 9092)
    assert found.environment()["JAVA_HOME"] == "/opt/a jdk"


def test_a_relative_storage_is_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(storage="state/tables").tables_uri == str(tmp_path / "state" / "tables")
    assert Settings(storage="file:///data/").tables_uri == "file:///data"


def test_children_get_our_settings_and_nothing_of_another_set_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**FOREIGN, "LAKE_KAFKA_PORT": "19000", "OF_THE_USER": "kept"}.items():
        monkeypatch.setenv(name, value)
    given = Settings(kafka_heap="1g").environment()
    assert [name for name in FOREIGN if name in given] == []
    assert given["OF_THE_USER"] == "kept"
    assert (given["LAKE_KAFKA_PORT"], given["LAKE_KAFKA_HEAP"]) == ("19000", "1g")
    with variables(given):
        assert Settings() == Settings(kafka_heap="1g", kafka_port=19000)


def test_a_user_without_an_entry_gets_a_name_and_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "USER"):
        monkeypatch.delenv(name, raising=False)
    assert "USER" not in Settings(home=tmp_path).environment()
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    given = Settings(home=tmp_path).environment()
    assert (given["HOME"], given["USER"]) == (str(tmp_path), "cartlake")
    monkeypatch.setenv("HOME", "/of/the/user")
    assert Settings(home=tmp_path).environment()["HOME"] == "/of/the/user"


def test_this_process_forgets_other_set_ups_and_the_folders_of_their_python() -> None:
    code = (
        "import os, sys; from lakehouse.settings import forget_foreign; forget_foreign()\n"
        "print('/opt/spark/python' in sys.path, *sorted(os.environ))"
    )
    kept = {"PATH": os.environ["PATH"], "LAKE_KAFKA_PORT": "19000"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **FOREIGN},
        capture_output=True,
        text=True,
        check=True,
    )
    java = ("CLASSPATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
    names = {*kept, *java, *({"LC_CTYPE"} & set(done.stdout.split()))}
    assert done.stdout.split() == ["False", *sorted(names)]


def test_variables_are_set_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELD", "before")
    monkeypatch.delenv("NEW", raising=False)
    with variables({"HELD": "within", "NEW": "within"}):
        assert (os.environ["HELD"], os.environ["NEW"]) == ("within", "within")
    assert (os.environ["HELD"], os.environ.get("NEW")) == ("before", None)


def test_no_variable_of_ours_counts_as_foreign() -> None:
    ours = {f"LAKE_{name.upper()}" for name in Settings.model_fields} | {"JAVA_HOME"}
    assert [name for name in ours if module._is_foreign(name)] == []
    forget_foreign()
