"""Lineage as a graph: topics, bronze, silver, models, marts and tiles, and what feeds what.

In: the contracts, the dbt project, and for a column or KPI the compiled SQL. Out: nodes in layers,
with their edges; all of them, or those around one name. Run standalone: `lake lineage --picture
FILE`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.lineage.dbt_manifest import compiled_project
from governance.lineage.lineage import (
    column_parents,
    exposure_called,
    in_bronze,
    kpis,
    parents_of,
    shown_model,
    table_and_column,
    topics_of,
    unknown_name,
)
from governance.lineage.readers import model_texts
from lakehouse.contracts.exposures import read_exposures
from lakehouse.contracts.gold import GOLD_TABLES
from lakehouse.contracts.kpis import TABLE as KPI_TABLE
from lakehouse.contracts.tables import BRONZE_EVENTS, TABLES
from lakehouse.contracts.topics import SOURCE_TOPICS
from lakehouse.settings import Settings

TOPIC, BRONZE, SILVER, STAGING, INTERMEDIATE, GOLD, KPI, TILE = range(8)
LAYER_NAMES = ("topics", "bronze", "silver", "staging", "intermediate", "gold", "KPI", "tiles")
_SILVER = tuple(table.name for table in TABLES if table.name != BRONZE_EVENTS.name)


@dataclass(frozen=True)
class Node:
    """A box: its kind, an index of `LAYER_NAMES`, its label in lines, and what it stands for."""

    name: str
    kind: int
    label: tuple[str, ...]
    table: str = ""


@dataclass(frozen=True)
class Graph:
    """Nodes by layer, the leftmost first, and edges from earlier to later layers."""

    layers: tuple[tuple[Node, ...], ...]
    edges: tuple[tuple[str, str], ...]


def whole_graph() -> Graph:
    """Everything: from each topic to each tile."""
    return _layered(*_everything())


def graph_around(name: str, *, settings: Settings) -> Graph:
    """What a table, column, KPI, page or report comes from, and for a table what it goes into.

    Raises:
        LakeError: Nothing has this name, or dbt can't compile the project.
    """
    table, column = table_and_column(name)
    if column:
        return _columns([(table, column)], settings=settings)
    if name in kpis():
        origins = compiled_project(settings).kpis[name]
        return _columns(origins, settings=settings, into=Node(name, KPI, (name,), KPI_TABLE))
    if table == BRONZE_EVENTS.name:
        return whole_graph()
    nodes, edges = _everything()
    upwards = [(end, start) for start, end in edges]
    if table:
        return _part(nodes, edges, _reached({table}, edges) | _reached({table}, upwards))
    if exposure := exposure_called(name):
        tiles = {f"{exposure.label}: {tile}" for tile in exposure.tiles}
        return _part(nodes, edges, _reached(tiles, upwards))
    raise unknown_name(name)


def _everything() -> tuple[dict[str, Node], list[tuple[str, str]]]:
    nodes: list[Node] = []
    edges: list[tuple[str, str]] = []
    for topic in SOURCE_TOPICS:
        nodes += [
            Node(topic.name, TOPIC, (topic.name,), topic.name),
            Node(in_bronze(topic.name), BRONZE, (), BRONZE_EVENTS.name),
        ]
        edges += [(topic.name, in_bronze(topic.name)), (topic.name, BRONZE_EVENTS.name)]
    nodes.append(Node(BRONZE_EVENTS.name, BRONZE, (), BRONZE_EVENTS.name))
    for table in _SILVER:
        nodes.append(Node(table, SILVER, (table.partition(".")[2],), table))
        topics = topics_of(table)
        is_any = len(topics) == len(SOURCE_TOPICS)
        edges += [(BRONZE_EVENTS.name if is_any else in_bronze(each), table) for each in topics]
    for model in model_texts():
        name = shown_model(model)
        nodes.append(_model(name))
        edges += [(parent, name) for parent in parents_of(name)]
    for exposure in read_exposures():
        for tile, reads in exposure.tiles.items():
            name = f"{exposure.label}: {tile}"
            nodes.append(Node(name, TILE, (tile, exposure.label)))
            edges += [(table, name) for table in reads]
    return {each.name: each for each in nodes}, list(dict.fromkeys(edges))


def _model(name: str, *more: str) -> Node:
    if name in GOLD_TABLES:
        return Node(".".join((name, *more)), GOLD, (name.partition(".")[2], *more), name)
    kind = STAGING if name.startswith("stg_") else INTERMEDIATE
    first, mark, rest = name.partition("__")
    label = (f"{first}{mark}", rest) if mark else (name,)
    return Node(".".join((name, *more)), kind, (*label, *more), name)


def _columns(
    origins: Iterable[tuple[str, str]], *, settings: Settings, into: Node | None = None
) -> Graph:
    """The columns that some columns are made of, down to the fields of messages."""
    chains = _chains(origins, settings)
    nodes = {own.name: own for own in (_column_node(*each) for each in chains)}
    edges = [
        (_column_node(*parent).name, _column_node(*own).name)
        for own, parents in chains.items()
        for parent in parents
    ]
    if into:
        nodes[into.name] = into
        edges += [(_column_node(*each).name, into.name) for each in origins]
    return _layered(nodes, list(dict.fromkeys(edges)))


def _chains(
    origins: Iterable[tuple[str, str]], settings: Settings
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Each column on the way, with those that it is made of."""
    project = compiled_project(settings)
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    pending = sorted(origins)
    while pending:
        table, column = pending.pop(0)
        if (table, column) not in found:
            is_end = not column  # rows of a table, or records in bronze
            found[table, column] = [] if is_end else column_parents(table, column, project)
            pending += found[table, column]
    return found


def _column_node(table: str, column: str) -> Node:
    if table.startswith(BRONZE_EVENTS.name):
        topic, _, fields = table.partition(" of topic ")[2].partition(": ")
        return Node(table, TOPIC, (topic, *(fields.split(", ") if fields else ())), topic)
    if table in _SILVER:
        label = (table.partition(".")[2], column or "(rows)")
        return Node(f"{table}.{column}", SILVER, label, table)
    return _model(table, column or "(rows)")


def _reached(names: set[str], edges: Iterable[tuple[str, str]]) -> set[str]:
    """The names and all that edges lead to from them."""
    after: dict[str, list[str]] = {}
    for start, end in edges:
        after.setdefault(start, []).append(end)
    found, pending = set(names), list(names)
    while pending:
        fresh = set(after.get(pending.pop(), ())) - found
        found |= fresh
        pending += sorted(fresh)
    return found


def _part(nodes: Mapping[str, Node], edges: Iterable[tuple[str, str]], names: set[str]) -> Graph:
    kept = {name: node for name, node in nodes.items() if name in names}
    return _layered(kept, [each for each in edges if set(each) <= names])


def _layered(nodes: Mapping[str, Node], edges: list[tuple[str, str]]) -> Graph:
    """Layers by kind; marts as far right as their own parents ask for; tiles of silver near it."""
    above: dict[str, list[str]] = {}
    for start, end in edges:
        above.setdefault(end, []).append(start)
    level: dict[str, int] = {}
    ordered = _by_kind(nodes.values(), above)
    for node in (each for each in ordered if each.kind < GOLD):
        level[node.name] = max(_deepest(node, above, level) + 1, node.kind)
    marts = max(GOLD, max(level.values(), default=-1) + 1)
    for node in (each for each in ordered if each.kind >= GOLD):
        deepest = _deepest(node, above, level)
        if node.kind == TILE and deepest >= marts:
            continue
        level[node.name] = max(deepest + 1, marts if node.kind == GOLD else 0)
    last = max(level.values(), default=0) + 1
    level |= {name: last for name in nodes if name not in level}
    used = sorted(set(level.values()))
    layers = tuple(
        tuple(node for name, node in nodes.items() if level[name] == each) for each in used
    )
    return Graph(layers, tuple(edges))


def _deepest(node: Node, above: Mapping[str, list[str]], level: Mapping[str, int]) -> int:
    return max((level[each] for each in above.get(node.name, ())), default=-1)


def _by_kind(nodes: Iterable[Node], above: Mapping[str, list[str]]) -> list[Node]:
    """Nodes, each after those that feed it."""
    from graphlib import TopologicalSorter

    by_name = {each.name: each for each in nodes}
    order = TopologicalSorter({name: above.get(name, []) for name in by_name}).static_order()
    return [by_name[name] for name in order]
