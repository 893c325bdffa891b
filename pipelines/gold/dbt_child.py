"""The child process that runs dbt: parses at once, builds when told to, dies with its parent.

In: one JSON object a line on stdin, first the folders, then the variables of each build. Out: one
JSON object a line on stdout; what dbt prints goes to stderr. `pipelines.gold.build` starts it.
"""

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

SAMPLE_ROWS = 3
SAMPLE_WIDTH = 300


def main() -> None:
    """Serve builds until stdin closes, which tells that the parent ended, however it did."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    requests: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_receive, args=(sys.stdin, requests), daemon=True).start()
    folders = requests.get()
    arguments = [
        *("--project-dir", folders["project"], "--profiles-dir", folders["project"]),
        *("--target-path", folders["target"], "--log-path", folders["logs"]),
    ]
    manifest, failure = parse(arguments)
    _send(channel, {"parsed": failure is None, "message": failure})
    while failure is None:
        _send(channel, build(arguments, manifest=manifest, variables=requests.get()))


def parse(arguments: list[str]) -> tuple[Any, str | None]:
    """Parse the project. Returns: the manifest and null, or null and what is wrong."""
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke([*_quiet("parse"), *arguments])
    if outcome.success:
        return outcome.result, None
    return None, _message(str(outcome.exception or "dbt could not parse the project"))


def build(arguments: list[str], *, manifest: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Build and test every model in the private file that the variables name, then let go of it.

    Returns:
        What `pipelines.gold.build` expects: success, message (of what is no model and no test),
        models, checks, seconds of CPU, and counts of what a build that goes on built anew.
    """
    cpu = time.process_time()
    outcome = run(arguments, manifest=manifest, variables=variables)
    results = outcome.result.results if outcome.result is not None else []
    of_type: dict[str, list[Any]] = {"model": [], "test": [], "operation": []}
    for each in results:
        of_type[each.node.resource_type].append(each)
    checks = [_check(each, manifest=manifest) for each in of_type["test"]]
    touched = _touched() if outcome.success and variables.get("last_gold") else {}
    close(is_wanted=outcome.success)
    failures = [each.message for each in of_type["operation"] if str(each.status) == "error"]
    failures += [str(outcome.exception)] if outcome.exception else []
    return {
        "success": outcome.success,
        "message": _message(failures[0]) if failures else None,
        "models": [_model(each) for each in of_type["model"]],
        "checks": checks,
        "cpu_seconds": time.process_time() - cpu,
        "touched": touched,
    }


def run(
    arguments: list[str],
    *,
    manifest: Any,
    variables: Mapping[str, Any],
    callbacks: Sequence[Callable[[Any], None]] = (),
) -> Any:
    """Build and test every model, telling `callbacks` dbt's events as they happen.

    Returns: dbt's own outcome; its file stays open.
    """
    from dbt.cli.main import dbtRunner

    return dbtRunner(manifest=manifest, callbacks=list(callbacks)).invoke(
        [
            *_quiet("build"),
            *arguments,
            *("--vars", json.dumps(dict(variables))),
            *("--exclude-resource-types", "unit_test exposure"),
        ]
    )


def _quiet(command: str) -> list[str]:
    return [
        *("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats"),
        *("--log-level-file", "info", "--no-write-json"),
        command,
    ]


def _model(result: Any) -> dict[str, Any]:
    return {
        "name": result.node.name,
        "layer": result.node.schema,
        "status": str(result.status),
        "seconds": result.execution_time,
        "message": _message(result.message or ""),
    }


def _check(result: Any, *, manifest: Any) -> dict[str, Any]:
    tested = result.node.attached_node
    is_personal = manifest.nodes[tested].config.meta.get("personal", False)
    is_failed = str(result.status) == "fail"
    return {
        "name": result.node.name,
        "model": tested.rpartition(".")[2],
        "status": str(result.status),
        "seconds": result.execution_time,
        "failing_rows": result.failures or 0,
        "message": _message(result.message or ""),
        "sample": _sample(result.node.compiled_code) if is_failed and not is_personal else [],
    }


def _sample(failing_rows: str) -> list[str]:
    """Up to three rows of a failed test's query, as text."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    cursor = DuckDBConnectionManager.env().handle().cursor()
    cursor.execute(f"select * from ({failing_rows}) limit {SAMPLE_ROWS}")
    names = [column[0] for column in cursor.description]
    return [
        ", ".join(f"{name}={value}" for name, value in zip(names, row, strict=True))[:SAMPLE_WIDTH]
        for row in cursor.fetchall()
    ]


def _touched() -> dict[str, int]:
    """What was built anew: days of order lines, and sessions."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    cursor = DuckDBConnectionManager.env().handle().cursor()
    return {
        name: cursor.execute(f"select count(*) from memory.touched.{table}").fetchall()[0][0]
        for name, table in (("days", "order_days"), ("sessions", "sessions"))
    }


def close(*, is_wanted: bool) -> None:
    """Let go of the file, which dbt would keep open for the next build; write it out if wanted."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    with contextlib.nullcontext() if is_wanted else contextlib.suppress(Exception):
        cursor = DuckDBConnectionManager.env().handle().cursor()
        if is_wanted:
            cursor.execute("force checkpoint gold_build")
        cursor.execute("detach gold_build")
        cursor.close()
        DuckDBConnectionManager.env().close()
    DuckDBConnectionManager.close_all_connections()


def _message(text: str) -> str:
    """dbt's message in one line, without the part that only repeats where it happened."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("LINE ", "^"))]
    told = [
        line for line in lines if not line.startswith(("Runtime Error in", "Compilation Error in"))
    ]
    return " ".join((told or lines)[:3]).replace("__dbt_tmp", "")


def _receive(source: IO[str], requests: "queue.Queue[dict[str, Any]]") -> None:
    for line in source:
        requests.put(json.loads(line))
    os._exit(0)


def _send(channel: IO[str], answer: Mapping[str, Any]) -> None:
    channel.write(json.dumps(answer) + "\n")
    channel.flush()


if __name__ == "__main__":
    main()
