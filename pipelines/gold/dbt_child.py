"""The child process that runs dbt: parses at once, builds on request, dies with its parent.

In: the variables of each build. Out: what came of it; what dbt prints goes to the log.
`pipelines.gold.build` starts it.
"""

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lakehouse.errors import LakeError
from lakehouse.processes.worker import Answer, Tell, serve
from lakehouse.settings import PROJECT_ROOT, Settings

SAMPLE_ROWS = 3
SAMPLE_WIDTH = 300


def parsed_project(_: Tell) -> Answer:
    """Parse the project. Returns: the function that builds it with a request's variables.

    Raises: LakeError when the project does not parse.
    """
    settings = Settings()
    project = str(PROJECT_ROOT / "dbt_project")
    arguments = [
        *("--project-dir", project, "--profiles-dir", project),
        *("--target-path", str(settings.home / "dbt"), "--log-path", str(settings.logs_dir)),
    ]
    manifest, failure = parse(arguments)
    if failure is not None:
        raise LakeError(f"The dbt project does not parse: {failure}.")
    return lambda variables: build(arguments, manifest=manifest, variables=variables)


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
        models, checks, seconds of CPU, and how many days an
        incremental build made.
    """
    cpu = time.process_time()
    outcome = run(arguments, manifest=manifest, variables=variables)
    results = outcome.result.results if outcome.result is not None else []
    of_type: dict[str, list[Any]] = {"model": [], "test": [], "operation": []}
    for each in results:
        of_type[each.node.resource_type].append(each)
    checks = [_check(each, manifest=manifest) for each in of_type["test"]]
    missing = not_run(manifest, results) if outcome.success else None
    success = outcome.success and missing is None
    days = _changed_days() if success else 0
    close(is_wanted=success)
    failures = [each.message for each in of_type["operation"] if str(each.status) == "error"]
    failures += [str(outcome.exception)] if outcome.exception else []
    failures += [missing] if missing else []
    return {
        "success": success,
        "message": _message(failures[0]) if failures else None,
        "models": [_model(each) for each in of_type["model"]],
        "checks": checks,
        "cpu_seconds": time.process_time() - cpu,
        "days": days,
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
        # dbt writes each of its thousands of events as text, a tenth of a small build's CPU.
        *("--log-level", "none", "--log-level-file", "none"),
        *("--no-use-colors", "--no-send-anonymous-usage-stats", "--no-write-json"),
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


def not_run(manifest: Any, results: Sequence[Any]) -> str | None:
    """Models and tests that the project declares and this build left out; null for none.

    dbt takes selections from its environment too, and calls a build of no test a success.
    """
    declared = {
        name for name, node in manifest.nodes.items() if node.resource_type in ("model", "test")
    }
    missing = sorted(declared - {each.node.unique_id for each in results})
    if not missing:
        return None
    return (
        f"{len(missing)} of {len(declared)} models and tests did not run, as "
        f"{missing[0].split('.')[2]}; look for DBT_ variables in the environment"
    )


def _changed_days() -> int:
    """Days that an incremental build made; none in a full one."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    cursor = DuckDBConnectionManager.env().handle().cursor()
    query = "select count(*) from memory.intermediate.int_days_changed"
    days: int = cursor.execute(query).fetchall()[0][0]
    return days


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
    texts = [
        line for line in lines if not line.startswith(("Runtime Error in", "Compilation Error in"))
    ]
    return " ".join((texts or lines)[:3]).replace("__dbt_tmp", "")


if __name__ == "__main__":
    serve(parsed_project)
