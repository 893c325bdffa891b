"""Where a figure comes from and who shows it: topic, bronze, silver, model, mart, tile, as text.

In: TABLE, TABLE.COLUMN, a KPI, a page or a report. Out: lines of a tree, looked up in the
contracts, the dbt project and the code as they are now. Columns and KPIs are followed through the
SQL that dbt compiles, down to the fields of the messages. Run standalone: `lake lineage
gold.TABLE.COLUMN`.
"""

from collections.abc import Iterator

from governance.lineage.columns import Origin, describe
from governance.lineage.dbt_manifest import CompiledProject, compiled_project
from governance.lineage.field_origins import BRONZE_COLUMNS, fields_behind
from governance.lineage.readers import REF, SOURCE, consumers_of, model_texts
from lakehouse.contracts.exposures import Exposure, read_exposures
from lakehouse.contracts.gold import GOLD_TABLES
from lakehouse.contracts.kpis import TABLE as KPI_TABLE
from lakehouse.contracts.kpis import read_kpis
from lakehouse.contracts.marts import read_marts
from lakehouse.contracts.tables import BRONZE_EVENTS, TABLES
from lakehouse.errors import LakeError
from lakehouse.settings import Settings

_SILVER = {table.name: table for table in TABLES}


def lineage_of(name: str, *, settings: Settings) -> list[str]:
    """Lines of the tree of a table, a column, a KPI, a page or a report.

    Columns and KPIs need the compiled project, which takes some seconds where it is not kept.

    Raises:
        LakeError: Nothing has this name, or dbt can't compile the project.
    """
    table, column = table_and_column(name)
    if column:
        project = compiled_project(settings)
        above = _columns_above(((table, column),), project, depth=1, skip=True)
        return [name, "comes from", *above, *_read_by(table, column, project)]
    if table:
        return [name, "comes from", *_above(table), *_read_by(table)]
    if name in kpis():
        project = compiled_project(settings)
        above = _columns_above(project.kpis[name], project, depth=2)
        head = [f"KPI {name}", "comes from", f"  {KPI_TABLE}"]
        return [*head, *above, *_read_by(KPI_TABLE)]
    if exposure := exposure_called(name):
        return _shown_by(exposure)
    raise unknown_name(name)


def unknown_name(name: str) -> LakeError:
    """The error for a name that stands for nothing; it says which there are."""
    return LakeError(
        f"Nothing is called '{name}'. Name a table or a column (schema.table.column), one of the "
        f"KPIs {', '.join(sorted(kpis()))}, or one of the pages "
        f"{', '.join(each.name for each in read_exposures())}."
    )


def kpis() -> frozenset[str]:
    """Names of the daily KPIs, as the dbt project declares them."""
    return frozenset(each.name for each in read_kpis())


def exposure_called(name: str) -> Exposure | None:
    """The page or report of this name or path, `/data-health` for example."""
    plain = name.strip("/").replace("-", "_")
    return next((each for each in read_exposures() if each.name == plain), None)


def table_and_column(name: str) -> tuple[str, str]:
    """The table and the column that a name stands for; empty texts for neither.

    Raises:
        LakeError: There is such a table, but it has no such column.
    """
    for table in (*GOLD_TABLES, *_SILVER):
        if name == table:
            return table, ""
        if name.startswith(f"{table}."):
            column = name.removeprefix(f"{table}.")
            if column not in _columns(table):
                raise LakeError(
                    f"{table} has no column '{column}'. Columns: {', '.join(_columns(table))}."
                )
            return table, column
    return "", ""


def parents_of(name: str) -> list[str]:
    """What a table or model is made of; a table of silver of its topics' records in bronze."""
    if name == BRONZE_EVENTS.name:
        return []
    if name in _SILVER:
        return [in_bronze(topic) for topic in topics_of(name)]
    text = model_texts().get(name.removeprefix("gold."), "")
    models = dict.fromkeys(REF.findall(text))
    return [
        *map(shown_model, models),
        *(f"{schema}.{each}" for schema, each in dict.fromkeys(SOURCE.findall(text))),
    ]


def shown_model(model: str) -> str:
    """A model as people name it: a mart with its schema."""
    return f"gold.{model}" if f"gold.{model}" in GOLD_TABLES else model


def topics_of(table: str) -> list[str]:
    """Topics whose records a table of silver holds: all where it takes what any record gives."""
    from pipelines.silver.routing import ROUTES

    filling = [each.topic.name for each in ROUTES if _SILVER[table] in each.tables]
    return sorted(filling or [each.topic.name for each in ROUTES])


def in_bronze(topic: str, fields: tuple[str, ...] = ()) -> str:
    """Records of a topic in bronze, or these fields of theirs, in words."""
    records = f"{BRONZE_EVENTS.name} of topic {topic}"
    return f"{records}: {', '.join(fields)}" if fields else records


def shown_origin(origin: Origin) -> str:
    """A column, the rows of a table, or records in bronze, in words."""
    return origin[0] if origin[0].startswith(BRONZE_EVENTS.name) else describe(origin)


def _columns(table: str) -> tuple[str, ...]:
    if table in _SILVER:
        return _SILVER[table].column_names()
    mart = next(each for each in read_marts() if each.name == table)
    return tuple(each.name for each in mart.columns)


def _above(name: str, depth: int = 1, seen: set[str] | None = None) -> Iterator[str]:
    """What a table or model is made of, down to the topics; each deeper by two blanks, and once."""
    seen = set() if seen is None else seen
    for parent in parents_of(name):
        is_known = parent in seen and not parent.startswith(BRONZE_EVENTS.name)
        yield f"{'  ' * depth}{parent}{' (see above)' if is_known else ''}"
        if not is_known:
            seen.add(parent)
            yield from _above(parent, depth + 1, seen)


def column_parents(table: str, column: str, project: CompiledProject) -> list[tuple[str, str]]:
    """(table, column) that a column is made of; of silver, (records in bronze, "") with fields."""
    if table in project.columns:
        return list(project.columns[table][column])
    found = fields_behind(table, column) or dict.fromkeys(topics_of(table), ())
    if column in BRONZE_COLUMNS:
        found = dict.fromkeys(found, (BRONZE_COLUMNS[column],))
    return [(in_bronze(topic, fields), "") for topic, fields in sorted(found.items())]


def _columns_above(
    origins: tuple[tuple[str, str], ...],
    project: CompiledProject,
    *,
    depth: int,
    skip: bool = False,
    seen: set[tuple[str, str]] | None = None,
) -> Iterator[str]:
    """Columns that others are made of, down to fields of the messages; each shown once.

    Args:
        origins: Columns to begin with; without a column, the rows of a table.
        project: The compiled project.
        depth: How deep the first lines are.
        skip: Leave these columns themselves out.
        seen: Columns that were shown before.
    """
    seen = set() if seen is None else seen
    for table, column in origins:
        is_end = table.startswith(BRONZE_EVENTS.name)
        is_known = (table, column) in seen and not is_end
        if not skip:
            mark = " (see above)" if is_known else ""
            yield f"{'  ' * depth}{shown_origin((table, column))}{mark}"
        if is_known or is_end:
            continue
        seen.add((table, column))
        deeper = depth if skip else depth + 1
        if column:
            parents = tuple(column_parents(table, column, project))
            yield from _columns_above(parents, project, depth=deeper, seen=seen)
        else:
            yield from _above(table, deeper)


def _shown_by(exposure: Exposure) -> list[str]:
    lines, seen = [f"page {exposure.name}", "comes from"], set[str]()
    lines += [f"  tile {tile}: {', '.join(reads)}" for tile, reads in exposure.tiles.items()]
    for table in exposure.tables():
        lines.append(f"  {table}{' (see above)' if table in seen else ''}")
        lines += [] if table in seen else _above(table, 2, seen)
        seen.add(table)
    return lines


def _read_by(table: str, column: str = "", project: CompiledProject | None = None) -> list[str]:
    readers = {kind: list(names) for kind, names in consumers_of(table, column).items()}
    if project and (made := _made_of(table, column, project)):
        readers = {"columns of gold": made, **readers}
    tiles = [
        f"{each.label} ({tile})"
        for each in read_exposures()
        for tile, reads in each.tiles.items()
        if table in reads and not column
    ]
    readers |= {"tiles": tiles} if tiles else {}
    lines = [f"  {kind}: {', '.join(names)}" for kind, names in readers.items()]
    return ["read by", *(lines or ["  nothing"])]


def _made_of(table: str, column: str, project: CompiledProject) -> list[str]:
    """Columns of gold that a column goes into, at any distance."""
    reached = {(table, column)}
    for model, columns in project.columns.items():
        reached |= {
            (model, name) for name, origins in columns.items() if reached.intersection(origins)
        }
    found = (f"{model}.{name}" for model, name in reached - {(table, column)})
    return sorted(each for each in found if each.startswith("gold."))
