"""What is asked of the Airflow of this state folder over HTTP: its health, runs of DAGs.

In: settings. Out: its answers as dictionaries. It is on this very machine: no proxy is asked.
"""

import json
import urllib.error
import urllib.request
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.http import DIRECT, FAILURES, answer_of
from lakehouse.settings import Settings
from operations.airflow.environment import USER, password_of, server

_PARTS = ("metadatabase", "scheduler", "dag_processor")
_ANSWER_SECONDS = 30


def unwell(settings: Settings) -> list[str]:
    """Parts of Airflow that do not work; all of them while it does not answer."""
    found = _health(settings)
    return [part for part in _PARTS if (found.get(part) or {}).get("status") != "healthy"]


def answers(settings: Settings) -> bool:
    """Whether the API server is up, whatever it says of the other parts."""
    return bool(_health(settings))


def _health(settings: Settings) -> dict[str, Any]:
    """What Airflow says of its parts; empty while it does not answer."""
    return answer_of(f"{server(settings)}/api/v2/monitor/health")


def log_in(settings: Settings) -> str:
    """A token for further requests. Raises: LakeError when Airflow refuses or does not answer."""
    login = {"username": USER, "password": password_of(settings)}
    return str(request(settings, "/auth/token", body=login)["access_token"])


def request(
    settings: Settings, path: str, *, body: object = None, token: str | None = None
) -> dict[str, Any]:
    """What Airflow answers. Raises: LakeError when it refuses or does not answer."""
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{server(settings)}{path}", data=data, headers=headers
    )
    try:
        with DIRECT.open(asked, timeout=_ANSWER_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        said = error.read().decode("utf-8", errors="replace")[:200]
        raise LakeError(f"Airflow refused {path} ({error.code}): {said}") from None
    except FAILURES:
        raise LakeError(
            f"Airflow at {server(settings)} does not answer. Start it again: `lake airflow stop`, "
            "then `lake airflow start`."
        ) from None
    return found
