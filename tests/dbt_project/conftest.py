import json
from dataclasses import dataclass
from typing import Any

import pytest

from lakehouse.contracts.tables import Table
from lakehouse.settings import PROJECT_ROOT
from pipelines.gold import GOLD_SOURCES

DBT_PROJECT = PROJECT_ROOT / "dbt_project"


@dataclass(frozen=True)
class DbtRun:
    """The parsed project, and every node of one build with its status and message."""

    manifest: dict[str, Any]
    results: dict[str, tuple[str, str]]


def empty(table: Table) -> str:
    """A relation with the columns of a table's contract and no row."""
    types = {"string": "varchar", "timestamp": "timestamptz"}
    columns = (
        f"cast(null as {types.get(each.type, each.type)}) as {each.name}" for each in table.columns
    )
    return f"(select {', '.join(columns)} where false)"


@pytest.fixture(scope="session")
def dbt_run(tmp_path_factory: pytest.TempPathFactory) -> DbtRun:
    """The whole project with its unit tests, built once over empty silver tables."""
    from dbt.cli.main import dbtRunner

    home = tmp_path_factory.mktemp("dbt")
    arguments = [
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(home / "target"), "--log-path", str(home / "logs")),
    ]
    variables = {
        "gold_file": str(home / "gold-tests.duckdb"),
        "scratch_dir": str(home),
        **{table.name.replace(".", "_"): empty(table) for table in GOLD_SOURCES},
    }
    parsed = dbtRunner().invoke(["--quiet", "parse", *arguments])
    assert parsed.success, parsed.exception
    built = dbtRunner(manifest=parsed.result).invoke(
        ["--quiet", "build", *arguments, "--vars", json.dumps(variables)]
    )
    assert built.exception is None
    return DbtRun(
        manifest=json.loads((home / "target" / "manifest.json").read_text()),
        results={
            each.node.name: (str(each.status), each.message or "") for each in built.result.results
        },
    )
