"""The models as dbt compiles them, and what each of their columns is made of.

In: the dbt project. Out: each model's SQL, description, tests and the origins of its columns, and
those of each KPI, kept until the project changes. dbt runs in a child process, without a database
file. Run standalone: `lake docs` and `lake lineage TABLE.COLUMN` use it.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from governance.lineage.columns import ColumnLineage, ModelSql, Origin
from lakehouse.contracts.kpis import TABLE, read_kpis
from lakehouse.contracts.tables import TABLES
from lakehouse.errors import LakeError
from lakehouse.files import replace_text
from lakehouse.processes.programs import run_to_end
from lakehouse.settings import PROJECT_ROOT, Settings, clean_environment
from lakehouse.state import claim

DBT_PROJECT = PROJECT_ROOT / "dbt_project"
MEASURES = "measured"
"""CTE of the daily KPIs whose columns are the measures that the declared KPIs name."""

_MADE_OF = (
    DBT_PROJECT,
    PROJECT_ROOT / "uv.lock",
    PROJECT_ROOT / "lakehouse" / "contracts" / "tables.py",
    *(Path(__file__).with_name(f"{name}.py") for name in ("dbt_manifest", "columns")),
)


@dataclass(frozen=True)
class CompiledModel:
    """A model: `name` is schema.name for a mart and the bare name before, `reads` likewise.

    `columns` holds the origins of each column; `checks` the dbt tests and unit tests by name.
    """

    name: str
    layer: str
    description: str
    sql: str
    reads: tuple[str, ...]
    checks: tuple[str, ...]
    columns: Mapping[str, tuple[Origin, ...]]


@dataclass(frozen=True)
class CompiledProject:
    """Models by name, each after those that it reads, and the origins of each KPI's value."""

    models: Mapping[str, CompiledModel]
    kpis: Mapping[str, tuple[Origin, ...]]


def compiled_project(settings: Settings) -> CompiledProject:
    """The compiled project, from `LAKE_HOME/dbt/` where it was compiled before.

    Raises:
        LakeError: dbt can't compile the project, or its SQL can't be read.
    """
    claim(settings)
    folder = settings.home / "dbt"
    kept = folder / f"compiled-{_fingerprint()}.json"
    if kept.is_file():
        return _from_json(json.loads(kept.read_text(encoding="utf-8")))
    project = read_manifest(_manifest())
    for outdated in folder.glob("compiled-*.json"):
        outdated.unlink(missing_ok=True)
    replace_text(kept, json.dumps(asdict(project), sort_keys=False))
    return project


def read_manifest(manifest: Mapping[str, Any]) -> CompiledProject:
    """What a manifest with compiled models says, and what follows from their SQL.

    Raises:
        LakeError: The SQL of a model can't be read.
    """
    from sqlglot.errors import SqlglotError

    nodes = {k: v for k, v in manifest["nodes"].items() if v["resource_type"] == "model"}
    relations = {k: f"{v['schema']}.{v['name']}" for k, v in (manifest["sources"] | nodes).items()}
    lineage = ColumnLineage(
        {table.name: table.column_names() for table in TABLES},
        database=next(iter(manifest["sources"].values()))["database"],
    )
    checks = _checks(manifest)
    models: dict[str, CompiledModel] = {}
    kpis: dict[str, tuple[Origin, ...]] = {}
    order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in nodes.items()})
    for key in order.static_order():
        if key not in nodes:
            continue
        node = nodes[key]
        reads = tuple(relations[each] for each in node["depends_on"]["nodes"])
        sql = ModelSql(relations[key], node["database"], node["compiled_code"], reads)
        try:
            columns = lineage.of_model(sql)
            if relations[key] == TABLE:
                for kpi in read_kpis():
                    wanted = dict.fromkeys([kpi.measure, kpi.per or kpi.measure])
                    kpis[kpi.name] = _shown(lineage.of_cte(sql, MEASURES, wanted))
        except SqlglotError as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise LakeError(f"The SQL of model {node['name']} can't be read: {reason}.") from error
        name = shown_name(relations[key])
        models[name] = CompiledModel(
            name,
            node["fqn"][1],
            node["description"].strip(),
            node["compiled_code"].strip(),
            tuple(map(shown_name, reads)),
            checks.get(key, ()),
            {column: _shown(origins) for column, origins in columns.items()},
        )
    return CompiledProject(models, kpis)


def shown_name(relation: str) -> str:
    """A relation as people name it: tables of gold and silver with their schema, views without."""
    schema, _, name = relation.partition(".")
    return relation if schema in ("gold", "silver") else name


def _shown(origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
    return tuple((shown_name(relation), column) for relation, column in origins)


def _checks(manifest: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node["attached_node"]:
            metadata = node["test_metadata"]
            where = metadata["kwargs"].get("column_name") or ""
            check = f"{metadata['name']} {where}".strip()
            found.setdefault(node["attached_node"], []).append(check)
    for unit in manifest["unit_tests"].values():
        check = f"unit test {unit['name']}"
        found.setdefault(f"model.{unit['package_name']}.{unit['model']}", []).append(check)
    return {key: tuple(sorted(set(names))) for key, names in found.items()}


def _manifest() -> dict[str, Any]:
    """dbt's manifest with the compiled SQL of each model; nothing of the project is written."""
    with tempfile.TemporaryDirectory(prefix="cartlake-dbt-") as folder:
        sources = {table.flat_name: table.name for table in TABLES}
        output = Path(folder) / "output"
        code = run_to_end(
            [
                *(sys.executable, "-W", "ignore", "-m", "dbt.cli.main"),
                *("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats", "compile"),
                *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
                *("--target-path", folder, "--log-path", folder),
                *("--no-populate-cache", "--vars", json.dumps(sources)),
            ],
            folder=Path(folder),
            output=output,
            environment=clean_environment(),
        )
        if code:
            said = [line.strip() for line in output.read_text(encoding="utf-8").splitlines()]
            said = [line for line in said if line and not line.startswith("Encountered an error")]
            reason = " ".join(said[:3]).rstrip(".") or f"it ended with {code}"
            raise LakeError(f"dbt can't compile {DBT_PROJECT}: {reason}.")
        text = (Path(folder) / "manifest.json").read_text(encoding="utf-8")
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for root in _MADE_OF:
        paths = [root] if root.is_file() else sorted(root.rglob("*.*"))
        for path in paths:
            if path.suffix in (".sql", ".yml", ".py", ".lock") and "target" not in path.parts:
                digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _from_json(kept: Mapping[str, Any]) -> CompiledProject:
    def origins(found: list[list[str]]) -> tuple[Origin, ...]:
        return tuple((relation, column) for relation, column in found)

    models = {}
    for name, each in kept["models"].items():
        columns = {column: origins(found) for column, found in each["columns"].items()}
        fixed = {"reads": tuple(each["reads"]), "checks": tuple(each["checks"])}
        models[name] = CompiledModel(**{**each, **fixed, "columns": columns})
    return CompiledProject(models, {name: origins(each) for name, each in kept["kpis"].items()})
