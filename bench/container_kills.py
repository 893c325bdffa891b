"""How long each service of `docker compose up` is away after its program was killed.

In: a project of containers that runs. Out: per service the seconds from SIGKILL of all its
processes until it runs again and is healthy, one after the other; then the full audit, inside.

Run standalone, beside the services: `.venv/bin/python bench/container_kills.py [SERVICE ...]`; the
variables of compose (`COMPOSE_PROFILES`, ports) are those of the `up`.
"""

import argparse
import json
import subprocess
import time

from lakehouse.settings import PROJECT_ROOT
from operations.bench.subject import machine

WITHIN_SECONDS = 600.0
KILL_ALL = "kill -9 -1"  # all but the container's own init, and this shell
ONCE = {"secrets", "airflow-prepare"}


def compose(*words: str, must: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run `docker compose`. Raises: CalledProcessError, where it must succeed."""
    return subprocess.run(
        ["docker", "compose", *words],
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=must,
    )


def health() -> dict[str, str]:
    """Health, or state, of each service that runs."""
    rows = [json.loads(line) for line in compose("ps", "--format", "json").stdout.splitlines()]
    return {row["Service"]: row["Health"] or row["State"] for row in rows}


def started(service: str) -> str:
    """When the service's container last started, as the engine writes it; empty without one."""
    ids = compose("ps", "--quiet", service).stdout.split()
    asked = ["docker", "inspect", "--format", "{{.State.StartedAt}}", *ids]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout if ids else ""


def seconds_away(service: str) -> float | None:
    """Kill it; returns the seconds until it is well again, None if that takes too long."""
    before, killed = started(service), time.monotonic()
    compose("exec", "--no-TTY", service, "sh", "-c", KILL_ALL, must=False)
    while time.monotonic() - killed < WITHIN_SECONDS:
        if started(service) != before and health().get(service) in ("healthy", "running"):
            return time.monotonic() - killed
        time.sleep(0.5)
    return None


def main() -> None:
    """Print the table, with machine and date."""
    parser = argparse.ArgumentParser()
    parser.add_argument("services", nargs="*", help="default: all that run")
    asked = parser.parse_args().services or sorted(set(health()) - ONCE)
    for service in asked:
        seconds = seconds_away(service)
        print(f"{service:<24} {'not well' if seconds is None else f'{seconds:.0f} s'}", flush=True)
    print("unwell:", [name for name, state in health().items() if state != "healthy"] or "none")
    audit = compose("exec", "--no-TTY", "daily", "lake", "audit", "--full", must=False)
    print(f"lake audit --full: {'holds' if audit.returncode == 0 else audit.stdout}")
    print(", ".join(f"{name} {value}" for name, value in machine().items()))


if __name__ == "__main__":
    main()
