"""Health of a service, by its work and not by its process: `health.py WHAT`; exit code 0 or 1.

In: the service's own variables. Out: one line that says what is wrong. Standard library only, for
it runs every few seconds in every container.
"""

import json
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = Path(os.environ.get("LAKE_HOME", "/lake"))
SHOP_SECONDS = 120
UNITS = {"s": 1, "m": 60, "h": 3600}


def page(url: str) -> Any:
    """JSON that a server answers with."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=5) as answer:
        return json.load(answer)


def dashboard() -> str:
    """The screens read the gold in service; before the first publish there is none."""
    status = page(f"http://127.0.0.1:{os.environ['LAKE_DASHBOARD_PORT']}/healthz")["status"]
    return "" if status in ("ok", "empty") else f"the screens say {status}"


def daily() -> str:
    """A run has passed, and not too long ago."""
    path, every = HOME / "reports" / "latest.json", os.environ["PUBLISH_EVERY"]
    verdict = json.loads(path.read_bytes())["verdict"]
    age = time.time() - path.stat().st_mtime
    if age > 3600 + 2 * float(every[:-1]) * UNITS[every[-1]]:
        return f"no run has ended for {age / 3600:.1f} hours"
    return "" if verdict == "passed" else f"the last run {verdict}"


def shop() -> str:
    """Kafka has acknowledged records of the shop a moment ago: the ledger grows."""
    age = time.time() - (HOME / "ledger" / "produced.jsonl").stat().st_mtime
    return "" if age < SHOP_SECONDS else f"nothing was acknowledged for {age:.0f} seconds"


def airflow(part: str) -> str:
    """The API server answers and says that this part works."""
    host, port = os.environ["LAKE_AIRFLOW_HOST"], os.environ["LAKE_AIRFLOW_PORT"]
    status = page(f"http://{host}:{port}/api/v2/monitor/health")[part]["status"]
    return "" if status == "healthy" else f"{part} is {status}"


def cluster(program: str) -> str:
    """The master answers, and has this host among the workers that it can use."""
    host = socket.gethostname() if program == "master" else "spark-master"
    workers = page(f"http://{host}:{os.environ['LAKE_CLUSTER_PAGE_PORT']}/json/")["workers"]
    alive = [each["host"] for each in workers if each["state"] == "ALIVE"]
    if program == "worker" and socket.gethostname() not in alive:
        return "the master does not know this worker"
    return ""


def models() -> str:
    """MLflow reads its store."""
    page("http://127.0.0.1:5000/api/2.0/mlflow/experiments/search?max_results=1")["experiments"]
    return ""


CHECKS: dict[str, Callable[..., str]] = {
    each.__name__: each for each in (dashboard, daily, shop, airflow, cluster, models)
}


def main(arguments: list[str]) -> int:
    """Check one service. Returns: the exit code."""
    try:
        wrong = CHECKS[arguments[0]](*arguments[1:])
    except (OSError, ValueError, LookupError) as error:
        wrong = f"{type(error).__name__}: {error}"
    if wrong:
        print(wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
