import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lakehouse.contracts.tables import GOLD_SOURCES, Table
from lakehouse.duck import duck_type
from lakehouse.settings import PROJECT_ROOT
from tests.once import once

DBT_PROJECT = PROJECT_ROOT / "dbt_project"


@dataclass(frozen=True)
class DbtRun:
    """The parsed project, and every node of one build with its status and message.

    `arguments` and `variables` are those of the build, for another command on the same project.
    Nothing holds its `gold_file` open.
    """

    manifest: dict[str, Any]
    results: dict[str, Sequence[str]]
    arguments: Sequence[str]
    variables: dict[str, str]


@dataclass(frozen=True)
class LiveGold:
    """The SQL that dbt compiled from the models, as views over silver tables to be filled."""

    connection: duckdb.DuckDBPyConnection

    def fill(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace the rows of a silver table; columns that a row does not name are null."""
        name = f"memory.{table.name}"
        self.connection.execute(f"delete from {name}")
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if rows:
            marks = ", ".join("?" for _ in columns)
            self.connection.executemany(
                f"insert into {name} ({', '.join(columns)}) values ({marks})",
                [[row.get(column) for column in columns] for row in rows],
            )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the marts."""
        return self.connection.execute(sql).fetchall()


def typed(table: Table) -> list[str]:
    """Columns of a table's contract with DuckDB's types."""
    return [f"{each.name} {duck_type(each)}" for each in table.columns]


def empty(table: Table) -> str:
    """A relation with the columns of a table's contract and no row."""
    columns = (each.split(" ", 1) for each in typed(table))
    nulls = (f"cast(null as {kind}) as {name}" for name, kind in columns)
    return f"(select {', '.join(nulls)} where false)"


@pytest.fixture(scope="session")
def dbt_run(tmp_path_factory: pytest.TempPathFactory) -> DbtRun:
    """The whole project with its unit tests, built once over empty silver tables."""
    return DbtRun(**once(tmp_path_factory, "dbt", lambda: built(tmp_path_factory.mktemp("dbt"))))


def built(home: Path) -> dict[str, Any]:
    """What a build in this folder gave, as `DbtRun` holds it."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    arguments = [
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(home / "target"), "--log-path", str(home / "logs")),
    ]
    variables = {
        "gold_file": str(home / "gold-tests.duckdb"),
        "scratch_dir": str(home),
        **{table.flat_name: empty(table) for table in GOLD_SOURCES},
    }
    parsed = dbtRunner().invoke(["--quiet", "parse", *arguments])
    assert parsed.success, parsed.exception
    done = dbtRunner(manifest=parsed.result).invoke(
        [
            *("--quiet", "build", *arguments),
            *("--vars", json.dumps(variables), "--exclude-resource-types", "exposure"),
        ]
    )
    assert done.exception is None
    DuckDBConnectionManager.env().close()
    DuckDBConnectionManager.close_all_connections()
    return {
        "manifest": json.loads((home / "target" / "manifest.json").read_text()),
        "results": {
            each.node.name: (str(each.status), each.message or "") for each in done.result.results
        },
        "arguments": arguments,
        "variables": variables,
    }


@pytest.fixture(scope="session")
def live_gold(dbt_run: DbtRun) -> Iterator[LiveGold]:
    """Every model as a view over empty silver tables; one for all tests, so fill what you read."""
    models = {
        name: node
        for name, node in dbt_run.manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    order = TopologicalSorter({name: node["depends_on"]["nodes"] for name, node in models.items()})
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("attach ':memory:' as gold_build")
        connection.execute("create schema gold_build.gold; create schema gold_build.intermediate")
        for schema in ("silver", "staging", "intermediate"):
            connection.execute(f"create schema memory.{schema}")
        for table in GOLD_SOURCES:
            connection.execute(f"create table memory.{table.name} ({', '.join(typed(table))})")
        for name in order.static_order():
            if name in models:
                node = models[name]
                connection.execute(
                    f"create view {node['relation_name']} as {node['compiled_code']}"
                )
        connection.execute("use gold_build")
        yield LiveGold(connection)
