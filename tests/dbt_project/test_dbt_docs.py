"""The docs page of the project as dbt compiled it: nothing of it is left out."""

from html import escape
from typing import TYPE_CHECKING

from governance.catalog.docs_entries import entries
from governance.catalog.docs_page import render
from governance.lineage.dbt_manifest import read_manifest
from lakehouse.contracts.gold import GOLD_TABLES

if TYPE_CHECKING:
    from conftest import DbtRun


def test_every_model_test_and_description_of_the_project_is_on_the_page(
    dbt_run: "DbtRun",
) -> None:
    project = read_manifest(dbt_run.manifest)
    models = [n for n in dbt_run.manifest["nodes"].values() if n["resource_type"] == "model"]
    found = {each.name.removeprefix("gold."): each for each in entries(project, None)}
    assert set(GOLD_TABLES) <= {each.name for each in found.values()}
    text = render(project, None)
    for model in models:
        entry = found[model["name"]]
        assert escape(model["description"].strip()) in text
        assert escape(model["compiled_code"].strip()) in text
        described = {name: each["description"] for name, each in model["columns"].items()}
        assert {each.name: each.meaning for each in entry.columns} == described or not described
        assert entry.checks or entry.layer == "staging"
        assert entry.reads
