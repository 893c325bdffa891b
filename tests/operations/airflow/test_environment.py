"""Airflow's variables and secrets: loopback, silent, of this state folder, its owner's only."""

import json
from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.airflow import environment
from operations.airflow.environment import make_folder, new_password, password_of, variables


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(home=tmp_path / "state", airflow_port=18_999)
    make_folder(found)
    return found


def test_airflow_listens_on_loopback_and_all_its_parts_know_the_chosen_port(
    settings: Settings,
) -> None:
    found = variables(settings)
    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert found["AIRFLOW__API__PORT"] == "18999"
    assert found["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:18999"
    execution = "http://127.0.0.1:18999/execution/"
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == execution


def test_parts_in_containers_find_the_server_by_its_name_and_the_database_in_a_file(
    tmp_path: Path,
) -> None:
    url = tmp_path / "url"
    settings = Settings(
        home=tmp_path / "lake",
        airflow_port=18_999,
        airflow_host="airflow",
        airflow_database_file=url,
    )
    make_folder(settings)
    with pytest.raises(LakeError, match=r"LAKE_AIRFLOW_DATABASE_FILE=.*/url can't be read"):
        variables(settings)
    url.write_text("postgresql+psycopg2://postgres/airflow\n", encoding="ascii")
    found = variables(settings)
    assert found["AIRFLOW__API__HOST"] == "airflow"
    assert found["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:18999"
    execution = "http://airflow:18999/execution/"
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == execution
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://postgres/airflow"
    assert found["NO_PROXY"].endswith("127.0.0.1,airflow")


def test_airflow_keeps_to_its_folder_shows_our_dags_only_and_sends_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", "/elsewhere")
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "smtp://elsewhere")
    found = variables(settings)
    assert found["AIRFLOW_HOME"] == str(settings.home / "airflow")
    assert found["AIRFLOW__CORE__DAGS_FOLDER"] == str(PROJECT_ROOT / "dags")
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("sqlite:////")
    assert found["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert found["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert found["LAKE_HOME"] == str(settings.home)
    assert "AIRFLOW_CONN_SMTP_DEFAULT" not in found


def test_a_password_is_made_once_and_only_its_owner_reads_it(settings: Settings) -> None:
    password = new_password(settings)
    assert password is not None
    assert len(password) >= 16
    assert new_password(settings) is None
    assert password_of(settings) == password
    variables(settings)
    files = {each.name: each.stat().st_mode & 0o777 for each in settings.airflow_dir.iterdir()}
    assert files == {"passwords.json": 0o600, "secrets.json": 0o600}
    assert settings.airflow_dir.stat().st_mode & 0o777 == 0o700


def test_secrets_are_made_once_and_differ_between_state_folders(
    settings: Settings, tmp_path: Path
) -> None:
    other = Settings(home=tmp_path / "other")
    make_folder(other)
    names = ["AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"]
    names.append("AIRFLOW__CORE__FERNET_KEY")
    first, again, elsewhere = (variables(each) for each in (settings, settings, other))
    assert [first[name] for name in names] == [again[name] for name in names]
    assert not {first[name] for name in names} & {elsewhere[name] for name in names}


@pytest.mark.parametrize(
    ("url", "port", "is_plain"),
    [
        ("smtp://mail.example", 25, {"disable_ssl": True, "disable_tls": True}),
        ("smtp://me:p%40ss@mail.example:587", 587, {"disable_ssl": True, "disable_tls": False}),
        ("smtps://me:p%40ss@mail.example", 465, {"disable_ssl": False, "disable_tls": True}),
    ],
)
def test_mail_goes_to_the_server_of_the_settings_and_a_password_never_in_the_clear(
    settings: Settings, url: str, port: int, is_plain: dict[str, bool]
) -> None:
    chosen = Settings(home=settings.home, alert_smtp=url)
    found = json.loads(variables(chosen)["AIRFLOW_CONN_SMTP_DEFAULT"])
    assert (found["host"], found["port"]) == ("mail.example", port)
    assert (found["login"], found["password"]) == (("me", "p@ss") if "me:" in url else ("", ""))
    assert found["extra"] == is_plain


def test_an_address_that_is_no_mail_server_is_refused(settings: Settings) -> None:
    with pytest.raises(LakeError, match=r"LAKE_ALERT_SMTP.* smtp://mail.example:25"):
        Settings(home=settings.home, alert_smtp="mail.example:25")


def test_without_uv_the_command_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "VENV", tmp_path / "none")
    monkeypatch.setattr(environment, "_OWN_UV", tmp_path / "none" / "uv")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LakeError, match=r"installed by uv.* \./lake airflow"):
        environment.require_airflow(print)
