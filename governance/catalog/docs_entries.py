"""What the docs page tells of each table: columns, types, rows, tests, SQL, and what feeds what.

In: the contracts, the compiled dbt project, and the gold in service where there is one. Out: one
`Entry` for each topic, table, view and mart. Run standalone: `lake docs`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from governance.lineage.columns import describe
from governance.lineage.dbt_manifest import CompiledModel, CompiledProject
from governance.lineage.lineage import column_parents, parents_of, topics_of
from lakehouse.contracts.exposures import read_exposures
from lakehouse.contracts.marts import Mart, read_marts
from lakehouse.contracts.tables import TABLES, Table
from lakehouse.contracts.topics import SOURCE_TOPICS, Topic
from lakehouse.duck import open_gold
from lakehouse.pointer import CURRENT, current_gold
from lakehouse.settings import Settings

LAYERS = ("gold", "intermediate", "staging", "silver", "bronze", "topics")


@dataclass(frozen=True)
class Column:
    """A column or field. `made_of` names columns (or rows of a table) and fields of messages."""

    name: str
    type: str
    is_nullable: bool
    unit: str
    meaning: str
    made_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A topic, table, view or mart. `rows` is null where nobody counted them."""

    name: str
    layer: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    reads: tuple[str, ...]
    read_by: tuple[str, ...]
    checks: tuple[str, ...] = ()
    sql: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Catalog:
    """The gold in service: its file, rows by table, and DuckDB's types by (table, column)."""

    file: str
    rows: Mapping[str, int]
    types: Mapping[tuple[str, str], str]


def read_catalog(settings: Settings) -> Catalog | None:
    """What the gold in service holds; None where none was published yet.

    Raises:
        LakeError: The pointer or the file it names is damaged.
    """
    if not (settings.gold_dir / CURRENT).exists():
        return None
    with open_gold(settings) as gold:
        found = gold.execute(
            "select schema_name || '.' || table_name, column_name, lower(data_type) "
            "from duckdb_columns() where schema_name = 'gold' order by all"
        ).fetchall()
        rows = {
            table: gold.execute(f"select count(*) from {table}").fetchall()[0][0]
            for table in dict.fromkeys(table for table, _, _ in found)
        }
    types = {(table, column): kind for table, column, kind in found}
    return Catalog(current_gold(settings).name, rows, types)


def entries(project: CompiledProject, catalog: Catalog | None) -> tuple[Entry, ...]:
    """Every entry, by layer from gold down to the topics."""
    readers = _readers(project)
    marts = {mart.name: mart for mart in read_marts()}
    found = [
        _of_model(model, marts.get(model.name), catalog, readers)
        for model in sorted(project.models.values(), key=lambda each: each.name)
    ]
    found += [_of_table(table, project, readers) for table in TABLES]
    found += [_of_topic(topic, readers) for topic in SOURCE_TOPICS]
    return tuple(sorted(found, key=lambda each: LAYERS.index(each.layer)))


def _readers(project: CompiledProject) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for model in project.models.values():
        for parent in model.reads:
            found.setdefault(parent, []).append(model.name)
    for exposure in read_exposures():
        for tile, reads in exposure.tiles.items():
            for shown in reads:
                found.setdefault(shown, []).append(f"{exposure.label} ({tile})")
    for table in TABLES:
        for parent in parents_of(table.name):
            found.setdefault(parent.rpartition(" ")[2], []).append(table.name)
    return {name: tuple(sorted(names)) for name, names in found.items()}


def _of_model(
    model: CompiledModel,
    mart: Mart | None,
    catalog: Catalog | None,
    readers: Mapping[str, tuple[str, ...]],
) -> Entry:
    contracts = {each.name: each for each in mart.columns} if mart else {}
    columns = []
    for name, origins in model.columns.items():
        contract = contracts.get(name)
        kind = contract.type if contract else ""
        if catalog:
            kind = catalog.types.get((model.name, name), kind)
        columns.append(
            Column(
                name,
                kind,
                contract.nullable if contract else False,
                contract.unit if contract else "",
                contract.description if contract else "",
                tuple(map(describe, origins)),
            )
        )
    return Entry(
        model.name,
        "gold" if model.layer == "marts" else model.layer,
        model.description,
        mart.key if mart else (),
        tuple(columns),
        model.reads,
        readers.get(model.name, ()),
        model.checks,
        model.sql,
        catalog.rows.get(model.name) if catalog else None,
    )


def _of_table(
    table: Table, project: CompiledProject, readers: Mapping[str, tuple[str, ...]]
) -> Entry:
    layer = table.name.partition(".")[0]
    columns = tuple(
        Column(
            each.name,
            each.type,
            each.nullable,
            each.unit,
            f"{each.description}{' (personal)' if each.personal else ''}".strip(),
            tuple(_fields(column_parents(table.name, each.name, project)))
            if layer == "silver"
            else (),
        )
        for each in table.columns
    )
    reads = topics_of(table.name)
    described = f"One row per {table.grain}."
    readers_of = readers.get(table.name, ())
    return Entry(table.name, layer, described, table.key, columns, tuple(reads), readers_of)


def _of_topic(topic: Topic, readers: Mapping[str, tuple[str, ...]]) -> Entry:
    columns = tuple(
        Column(
            each.name,
            each.kind,
            each.nullable,
            each.unit,
            "; ".join(filter(None, (each.description, _values(each.values)))),
        )
        for each in topic.fields_of(topic.schema_version)
    )
    described = f"{topic.description} Schema version {topic.schema_version}."
    read_by = readers.get(topic.name, ())
    return Entry(topic.name, "topics", described, (topic.key,), columns, (), read_by)


def _values(values: tuple[str, ...]) -> str:
    return f"one of {', '.join(values)}" if values else ""


def _fields(parents: list[tuple[str, str]]) -> Iterator[str]:
    for records, _ in parents:
        yield records.partition(" of topic ")[2]
