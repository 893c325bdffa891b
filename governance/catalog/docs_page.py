"""The docs of the data as one page that needs no network: what dbt generates, and some more.

In: the dbt project, the contracts, and the gold in service where there is one. Out: dbt's own page
in one HTML file, with the KPIs in front, types of columns and what each is made of, and the rows of
the marts. Run standalone: `lake docs`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from governance.catalog.dictionary import grid
from governance.lineage.dbt_manifest import CompiledProject, dbt_output, read_manifest, shown_name
from governance.lineage.lineage import column_parents, shown_origin
from lakehouse.contracts.kpis import read_kpis
from lakehouse.contracts.tables import TABLES
from lakehouse.duck import open_gold
from lakehouse.files import replace_text
from lakehouse.pointer import NothingPublished
from lakehouse.settings import Settings

PAGE = "docs.html"
_HEAD = (
    '<head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:;'
    " font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)
"""The browser itself refuses whatever would leave the page."""


def write_docs(path: Path, *, settings: Settings) -> bool:
    """Write the page; a reader sees the old page or the new one, never half of it.

    Returns: whether there is gold in service, so that rows were counted.

    Raises:
        LakeError: dbt can't compile the project, or the gold in service is damaged.
        OSError: The file can't be written.
    """
    rows = _rows(settings)
    with dbt_output("docs", "generate", "--static", "--empty-catalog") as folder:
        page, manifest, catalog = (
            (folder / name).read_text(encoding="utf-8")
            for name in ("static_index.html", "manifest.json", "catalog.json")
        )
    described = json.loads(manifest)
    known = describe_columns(described, read_manifest(described), rows or {})
    for generated, content in ((manifest, described), (catalog, known)):
        page = page.replace(generated, json.dumps(content).replace("</", "<\\/"))
    replace_text(path, page.replace("<head>", _HEAD, 1))
    return rows is not None


def _rows(settings: Settings) -> dict[str, int] | None:
    """Rows of each mart of the gold in service; None where none was published yet."""
    try:
        with open_gold(settings) as gold:
            tables = gold.execute(
                "select 'gold.' || table_name from duckdb_tables() where schema_name = 'gold'"
            ).fetchall()
            return {
                name: gold.execute(f"select count(*) from {name}").fetchall()[0][0]
                for (name,) in tables
            }
    except NothingPublished:
        return None


def describe_columns(
    manifest: dict[str, Any], project: CompiledProject, rows: Mapping[str, int]
) -> dict[str, Any]:
    """Complete a manifest: KPIs in front, and of what each column is made.

    Returns: a catalog of dbt's form, with types of columns and rows of tables.
    """
    manifest["docs"]["doc.dbt.__overview__"]["block_contents"] = "\n".join(_opening(project))
    silver = {(t.name, each.name): each.description for t in TABLES for each in t.columns}
    catalog: dict[str, Any] = {"nodes": {}, "sources": {}}
    for kind, node in [
        *(("nodes", each) for each in manifest["nodes"].values()),
        *(("sources", each) for each in manifest["sources"].values()),
    ]:
        if node["resource_type"] not in ("model", "source"):
            continue
        name = shown_name(f"{node['schema']}.{node['name']}")
        for column in project.columns.get(name, node["columns"]):
            entry = node["columns"].setdefault(column, {"name": column, "description": ""})
            meaning = entry["description"] or silver.get((name, column), "")
            made_of = "; ".join(map(shown_origin, column_parents(name, column, project)))
            entry["description"] = f"{meaning}\n\nMade of {made_of}".strip()
        catalog[kind][node["unique_id"]] = _entry(node, rows.get(name))
    return catalog


def _opening(project: CompiledProject) -> list[str]:
    """Lines of the first page: what each KPI means and is made of."""
    rows = (
        (
            f"`{each.name}`",
            each.definition,
            f"{each.measure} / {each.per}" if each.per else each.measure,
            "; ".join(map(shown_origin, project.kpis[each.name])),
        )
        for each in read_kpis()
    )
    head = ("KPI", "definition", "calculation", "made of")
    return ["# The data and where it comes from", "", "## KPIs", "", *grid(head, rows)]


def _entry(node: Mapping[str, Any], rows: int | None) -> dict[str, Any]:
    count = {"id": "rows", "label": "Rows", "value": rows, "include": rows is not None}
    return {
        "metadata": {"type": node.get("config", {}).get("materialized", "source"), "owner": None},
        "columns": {
            name: {"name": name, "type": each.get("data_type") or "", "index": place}
            for place, (name, each) in enumerate(node["columns"].items(), start=1)
        },
        "stats": {"rows": {**count, "description": "Rows of the gold in service"}},
        "unique_id": node["unique_id"],
    }
