"""What dbt knows beyond the models: who reads gold, how fresh a source should be, comments."""

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from dashboards.pages.sales import cards
from dashboards.queries import executive, sales
from dashboards.registry import PAGES, module_of
from lakehouse.contracts.exposures import read_exposures
from lakehouse.contracts.gold import DIM_DATES, DIM_PRODUCTS, GOLD_TABLES
from lakehouse.contracts.tables import TABLES
from lakehouse.semantics.declared import read_layer
from lakehouse.settings import PROJECT_ROOT
from pipelines.publishing import restatements
from quality.audit import mart_sums
from quality.gate.suites import RULES

if TYPE_CHECKING:
    from conftest import DbtRun


METRICS = {
    "executive": {
        "Key figures": executive.KPIS,
        **dict.fromkeys(
            ("Net revenue over time", "Countries", "Products", "Sources"), (executive.EXPLAINED,)
        ),
    },
    "sales": {
        "Key figures": tuple(cards.KPIS),
        "Revenue over time": sales.MONEY,
        "Top products": sales.MONEY,
        "Countries": ("order_count", *sales.MONEY),
    },
}
"""Metrics that each tile asks the semantic layer for; the filters ask for the calendar, too."""
OTHERS = {"Key figures": {DIM_DATES}, "Products": {DIM_PRODUCTS}, "Top products": {DIM_PRODUCTS}}


def tables_of(metrics: Sequence[str]) -> set[str]:
    """Tables of the semantic models that metrics are measured in, and of those in their filters."""
    layer = read_layer()
    leaves = {leaf for name in metrics for leaf in layer.leaves(name)}
    found = {layer.measured_by(leaf.name).table for leaf in leaves}
    for leaf in leaves:
        for other, entity in layer.joins(layer.measured_by(leaf.name)):
            if any(f"{entity}__{each}'" in leaf.filter for each in other.dimensions):
                found.add(other.table)
    return found


OF_TOPICS = {"live"}
"""Pages that read a topic and no table."""


def test_every_page_and_report_has_an_exposure_of_what_its_tiles_read(dbt_run: "DbtRun") -> None:
    exposures = {each["name"]: each for each in dbt_run.manifest["exposures"].values()}
    pages = {name: module_of(name).PAGE for name in PAGES if name not in OF_TOPICS}
    assert sorted(exposures) == sorted([*pages, "quality_report"])
    dbt_sources = {f"silver.{each['name']}" for each in dbt_run.manifest["sources"].values()}
    for each in read_exposures():
        names = exposures[each.name]["depends_on"]["nodes"]
        read = {".".join(("silver" if "source" in n else "gold", n.split(".")[-1])) for n in names}
        assert read == set(each.tables()) & {*GOLD_TABLES, *dbt_sources}, each.name
        assert set(each.tables()) <= {*GOLD_TABLES, *(table.name for table in TABLES)}
        if each.name in pages:
            assert each.label == pages[each.name].title


@pytest.mark.parametrize("name", METRICS)
def test_the_tiles_of_a_page_read_what_its_metrics_are_measured_in(name: str) -> None:
    page = next(each for each in read_exposures() if each.name == name)
    found = {
        tile: sorted(tables_of(metrics) | OTHERS.get(tile, set()))
        for tile, metrics in METRICS[name].items()
    }
    assert {tile: list(reads) for tile, reads in page.tiles.items()} == found


def test_data_health_reads_what_reconciles_and_restates_gold_and_the_gate_what_it_judges() -> None:
    exposures = {each.name: each.tiles for each in read_exposures()}
    constants = {
        module: {value for value in vars(module).values() if str(value) in GOLD_TABLES}
        for module in (mart_sums, restatements)
    }
    health = exposures["data_health"]
    assert set(health["Reconciliation"]) == constants[mart_sums]
    assert set(health["Restated days"]) == constants[restatements]
    assert set(exposures["quality_report"]["Verdicts of the gate"]) == {r.table for r in RULES}


def test_every_tile_but_those_named_by_data_is_a_card_of_its_page() -> None:
    named_by_data = {"Key figures", "Versions and decisions", "Results"}
    folder = PROJECT_ROOT / "dashboards" / "pages"
    titles = {
        node.value
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    tiles = {
        tile for each in read_exposures() if each.name != "quality_report" for tile in each.tiles
    }
    assert tiles - titles == named_by_data


def test_every_source_says_how_fresh_it_should_be_by_a_time_of_its_own(dbt_run: "DbtRun") -> None:
    for source in dbt_run.manifest["sources"].values():
        times = {
            name for name, each in source["columns"].items() if each["data_type"] == "timestamptz"
        }
        assert source["loaded_at_field"] in times, source["name"]
        assert source["freshness"]["warn_after"]["count"] in (3, 30), source["name"]
        assert source["freshness"]["error_after"]["count"] is None, source["name"]


def test_descriptions_are_comments_of_the_files_tables_and_columns(dbt_run: "DbtRun") -> None:
    marts: dict[str, dict[str, Any]] = {
        each["name"]: each
        for each in dbt_run.manifest["nodes"].values()
        if each["resource_type"] == "model" and each["schema"] == "gold"
    }
    with duckdb.connect(dbt_run.variables["gold_file"], read_only=True) as connection:
        tables = connection.execute(
            "select table_name, comment from duckdb_tables() where schema_name = 'gold'"
        ).fetchall()
        columns = connection.execute(
            "select table_name, column_name, comment from duckdb_columns() "
            "where schema_name = 'gold'"
        ).fetchall()
    assert dict(tables) == {name: mart["description"] for name, mart in marts.items()}
    assert {(table, column): comment for table, column, comment in columns} == {
        (name, column): each["description"]
        for name, mart in marts.items()
        for column, each in mart["columns"].items()
    }
