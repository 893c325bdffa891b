"""What dbt knows beyond the models: who reads gold, how fresh a source should be, comments."""

from typing import TYPE_CHECKING, Any

from dashboards import data
from dashboards.shell import PAGES
from lakehouse.contracts.gold import GOLD_TABLES

if TYPE_CHECKING:
    from conftest import DbtRun


def test_every_page_has_an_exposure_of_the_marts_that_it_reads(dbt_run: "DbtRun") -> None:
    exposures = dbt_run.manifest["exposures"].values()
    read = {
        each["name"]: {f"gold.{name.rpartition('.')[2]}" for name in each["depends_on"]["nodes"]}
        for each in exposures
    }
    assert sorted(read) == sorted(page.__name__.rpartition(".")[2] for page in PAGES)
    queried = {value for value in vars(data).values() if str(value) in GOLD_TABLES}
    assert read["overview"] == queried


def test_every_source_says_how_fresh_it_should_be_by_a_time_of_its_own(dbt_run: "DbtRun") -> None:
    for source in dbt_run.manifest["sources"].values():
        times = {
            name for name, each in source["columns"].items() if each["data_type"] == "timestamptz"
        }
        assert source["loaded_at_field"] in times, source["name"]
        assert source["freshness"]["warn_after"]["count"] in (3, 30), source["name"]
        assert source["freshness"]["error_after"]["count"] is None, source["name"]


def test_descriptions_are_comments_of_the_files_tables_and_columns(dbt_run: "DbtRun") -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    marts: dict[str, dict[str, Any]] = {
        each["name"]: each
        for each in dbt_run.manifest["nodes"].values()
        if each["resource_type"] == "model" and each["schema"] == "gold"
    }
    cursor = DuckDBConnectionManager.env().handle().cursor()  # dbt keeps the file to itself
    tables = cursor.execute(
        "select table_name, comment from duckdb_tables() "
        "where database_name = 'gold_build' and schema_name = 'gold'"
    ).fetchall()
    columns = cursor.execute(
        "select table_name, column_name, comment from duckdb_columns() "
        "where database_name = 'gold_build' and schema_name = 'gold'"
    ).fetchall()
    assert dict(tables) == {name: mart["description"] for name, mart in marts.items()}
    assert {(table, column): comment for table, column, comment in columns} == {
        (name, column): each["description"]
        for name, mart in marts.items()
        for column, each in mart["columns"].items()
    }
