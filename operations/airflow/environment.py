"""Airflow's own Python environment, installed when first needed, and its settings as variables.

In: the group `airflow` of `uv.lock`, and settings. Out: the Python that has Airflow, and the
environment in which its programs run: loopback, SQLite, no examples, no usage statistics.
"""

import base64
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lakehouse.errors import LakeError
from lakehouse.files import create_private
from lakehouse.processes.programs import LOOPBACK
from lakehouse.settings import PROJECT_ROOT, Settings, clean_environment
from lakehouse.state import prepare

VENV = PROJECT_ROOT / ".venv-airflow"
DAGS = PROJECT_ROOT / "dags"
USER = "admin"
_DATABASE_SECONDS = 60
_NO_PROXY = ("NO_PROXY", "no_proxy")
_STAMP = VENV / ".lake-sync"
_OWN_UV = PROJECT_ROOT / ".uv" / "venv" / "bin" / "uv"


def require_airflow(say: Callable[[str], None]) -> Path:
    """The Python that has Airflow, as locked; installs it at the first call and after a new lock.

    Raises:
        LakeError: There is no uv or no source tree, or the packages can't be had.
    """
    if not (PROJECT_ROOT / "uv.lock").is_file() or not DAGS.is_dir():
        raise LakeError("The DAGs are part of the source tree: run ./lake airflow in a clone.")
    python, wanted = VENV / "bin" / "python", _wanted()
    if python.exists() and _STAMP.is_file() and _STAMP.read_text(encoding="ascii") == wanted:
        return python
    uv = shutil.which(_OWN_UV) or shutil.which("uv")
    if uv is None:
        raise LakeError(
            "Airflow is installed by uv, which is not on PATH. Run it as ./lake airflow, which "
            "brings one, or install uv."
        )
    say("Installing Airflow into .venv-airflow (once; up to a minute) ...")
    _STAMP.unlink(missing_ok=True)
    done = subprocess.run(
        [
            *(uv, "sync", "--quiet", "--locked", "--only-group", "airflow"),
            *("--project", str(PROJECT_ROOT), "--python", sys.executable),
        ],
        env={
            **clean_environment(),
            "UV_PROJECT_ENVIRONMENT": str(VENV),
            "UV_PYTHON_DOWNLOADS": "never",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["uv said nothing"]
        raise LakeError(
            f"Airflow's packages could not be installed: {said[0].strip().rstrip('.')}. Check the "
            "connection to the package index, then run this again."
        )
    _STAMP.write_text(wanted, encoding="ascii")
    return python


def address(settings: Settings) -> str:
    """Where a browser finds Airflow."""
    return f"http://{LOOPBACK}:{settings.airflow_port}"


def server(settings: Settings) -> str:
    """Where Airflow's other parts reach its API server."""
    return f"http://{settings.airflow_host}:{settings.airflow_port}"


def variables(settings: Settings) -> dict[str, str]:
    """The environment of every program of Airflow: ours, but for another Airflow's."""
    home = settings.airflow_dir
    base, inherited = address(settings), settings.environment()
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{server(settings)}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _database(settings),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__API__BASE_URL": base,
        "AIRFLOW__API__HOST": settings.airflow_host,
        "AIRFLOW__API__PORT": str(settings.airflow_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
        **{
            name: ",".join(filter(None, (inherited.get(name), LOOPBACK, settings.airflow_host)))
            for name in _NO_PROXY
        },
        "PYTHONPATH": str(PROJECT_ROOT),
    }
    return {**inherited, **own, **_secrets(settings), **_mail(settings)}


def make_folder(settings: Settings) -> None:
    """The state folder, and Airflow's in it, which only its owner may enter."""
    prepare(settings)
    settings.airflow_dir.mkdir(mode=0o700, exist_ok=True)
    settings.logs_dir.mkdir(exist_ok=True)


def _secrets(settings: Settings) -> dict[str, str]:
    """What Airflow's programs sign and encrypt with, made once for each state folder."""
    path = settings.airflow_dir / "secrets.json"
    if not path.exists():
        made = {
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode("ascii"),
        }
        create_private(path, json.dumps(made))
    found: dict[str, str] = json.loads(path.read_text(encoding="ascii"))
    return found


def new_password(settings: Settings) -> str | None:
    """Give Airflow's user a password, kept in a file that only its owner reads.

    Returns: it, the one time that it is made; None when there is one already.
    """
    password = secrets.token_urlsafe(12)
    is_made = create_private(_passwords(settings), json.dumps({USER: password}))
    return password if is_made else None


def password_of(settings: Settings) -> str:
    """The password of Airflow's user. Raises: LakeError when there is none that can be read."""
    try:
        return str(json.loads(_passwords(settings).read_text(encoding="ascii"))[USER])
    except (OSError, ValueError, KeyError):
        raise LakeError(
            f"{_passwords(settings)} holds no password: stop Airflow, remove the file, and start "
            "it again."
        ) from None


def _passwords(settings: Settings) -> Path:
    return settings.airflow_dir / "passwords.json"


def _database(settings: Settings) -> str:
    """The address of Airflow's database, with its password where it has one."""
    if settings.airflow_database_file is None:
        # Its programs write one after another; beside heavy tasks a turn may take its time to come.
        return f"sqlite:///{settings.airflow_dir / 'airflow.db'}?timeout={_DATABASE_SECONDS}"
    try:
        return settings.airflow_database_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise LakeError(
            f"LAKE_AIRFLOW_DATABASE_FILE={settings.airflow_database_file} can't be read "
            f"({error.strerror}). It holds the SQLAlchemy URL of Airflow's database."
        ) from error


def _mail(settings: Settings) -> dict[str, str]:
    """Airflow's connection to the mail server; a password never goes over the wire in the clear."""
    if settings.alert_smtp is None:
        return {}
    url = urlsplit(settings.alert_smtp)
    connection = {
        "conn_type": "smtp",
        "host": url.hostname,
        "port": url.port or (465 if url.scheme == "smtps" else 25),
        "login": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "extra": {
            "disable_ssl": url.scheme == "smtp",
            "disable_tls": url.scheme == "smtps" or url.username is None,
        },
    }
    return {"AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(connection)}


def _wanted() -> str:
    """What the environment is made from; the first part is its place, for it can't be moved."""
    found = hashlib.sha256(str(PROJECT_ROOT).encode())
    for name in ("pyproject.toml", "uv.lock"):
        found.update((PROJECT_ROOT / name).read_bytes())
    return found.hexdigest()
