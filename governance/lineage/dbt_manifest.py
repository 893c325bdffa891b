"""The models as dbt compiles them, and what each of their columns is made of.

In: the dbt project. Out: the origins of each model's columns, and those of each KPI, kept until the
project changes; or whatever else a command of dbt writes. dbt runs in a child process, without a
database file. Run standalone: `lake docs` and `lake lineage TABLE.COLUMN` use it.
"""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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
class CompiledProject:
    """Origins of each column by model, each model after those that it reads, and of each KPI.

    A mart is named with its schema, a model before it without.
    """

    columns: dict[str, dict[str, tuple[Origin, ...]]]
    kpis: dict[str, tuple[Origin, ...]]


def compiled_project(settings: Settings) -> CompiledProject:
    """The compiled project, from `LAKE_HOME/dbt/` where it was compiled before.

    Raises:
        LakeError: dbt can't compile the project, or its SQL can't be read.
    """
    import msgspec

    claim(settings)
    folder = settings.home / "dbt"
    kept = folder / f"compiled-{_fingerprint()}.json"
    if kept.is_file():
        return msgspec.json.decode(kept.read_bytes(), type=CompiledProject)
    with dbt_output("compile") as output:
        project = read_manifest(json.loads((output / "manifest.json").read_bytes()))
    for outdated in folder.glob("compiled-*.json"):
        outdated.unlink(missing_ok=True)
    replace_text(kept, msgspec.json.encode(project).decode())
    return project


def read_manifest(manifest: Mapping[str, Any]) -> CompiledProject:
    """What follows from the SQL of a manifest with compiled models.

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
    models: dict[str, dict[str, tuple[Origin, ...]]] = {}
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
        models[shown_name(relations[key])] = {
            column: _shown(origins) for column, origins in columns.items()
        }
    return CompiledProject(models, kpis)


def shown_name(relation: str) -> str:
    """A relation as people name it: tables of gold and silver with their schema, views without."""
    schema, _, name = relation.partition(".")
    return relation if schema in ("gold", "silver") else name


def _shown(origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
    return tuple((shown_name(relation), column) for relation, column in origins)


@contextmanager
def dbt_output(*command: str) -> Iterator[Path]:
    """Run a command of dbt; the folder holds what it writes, nothing of the project is written.

    Raises:
        LakeError: dbt can't run it.
    """
    with tempfile.TemporaryDirectory(prefix="cartlake-dbt-") as folder:
        sources = {table.flat_name: table.name for table in TABLES}
        output = Path(folder) / "output"
        code = run_to_end(
            [
                *(sys.executable, "-W", "ignore", "-m", "dbt.cli.main"),
                *("--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats", *command),
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
        yield Path(folder)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for root in _MADE_OF:
        paths = [root] if root.is_file() else sorted(root.rglob("*.*"))
        for path in paths:
            if path.suffix in (".sql", ".yml", ".py", ".lock") and "target" not in path.parts:
                digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
