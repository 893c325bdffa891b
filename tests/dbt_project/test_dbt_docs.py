"""The docs page of the project as dbt compiled it: every column and KPI says what it is made of."""

from copy import deepcopy
from typing import TYPE_CHECKING

from governance.catalog.docs_page import describe_columns
from governance.lineage.dbt_manifest import read_manifest
from lakehouse.contracts.gold import FCT_DAILY_SALES, GOLD_TABLES
from lakehouse.contracts.kpis import read_kpis
from lakehouse.contracts.tables import ORDER_LINES

if TYPE_CHECKING:
    from conftest import DbtRun


def test_every_column_has_its_origins_and_each_mart_its_types_and_rows(dbt_run: "DbtRun") -> None:
    manifest = deepcopy(dbt_run.manifest)
    project = read_manifest(manifest)
    catalog = describe_columns(manifest, project, {FCT_DAILY_SALES: 1234})
    models = {k: v for k, v in manifest["nodes"].items() if v["resource_type"] == "model"}
    assert catalog["nodes"].keys() == models.keys()
    assert catalog["sources"].keys() == manifest["sources"].keys()
    for key, node in {**models, **manifest["sources"]}.items():
        told = dbt_run.manifest["nodes"].get(key, {}).get("columns", {})
        for name, column in node["columns"].items():
            meaning, _, made_of = column["description"].rpartition("Made of ")
            assert made_of, (key, name)
            assert (
                meaning.strip() == told.get(name, {"description": meaning.strip()})["description"]
            )
    marts = [
        each
        for each in catalog["nodes"].values()
        if f"gold.{each['unique_id'].rpartition('.')[2]}" in GOLD_TABLES
    ]
    assert len(marts) == len(GOLD_TABLES)
    assert all(column["type"] for mart in marts for column in mart["columns"].values())
    counted = [each["stats"]["rows"]["value"] for each in marts if each["stats"]["rows"]["include"]]
    assert counted == [1234]
    amount = manifest["sources"]["source.cartlake.silver.order_lines"]["columns"]["line_amount"]
    meaning = next(each for each in ORDER_LINES.columns if each.name == "line_amount").description
    erp = "bronze.events of topic erp.invoice_lines.v1: Quantity, UnitPrice"
    web = "bronze.events of topic web.orders.v1: lines[].quantity, lines[].unit_price"
    assert amount["description"] == f"{meaning}\n\nMade of {erp}; {web}".strip()
    opening = manifest["docs"]["doc.dbt.__overview__"]["block_contents"]
    assert [each.definition for each in read_kpis() if each.definition not in opening] == []
