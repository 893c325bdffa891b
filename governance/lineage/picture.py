"""The lineage as a picture: Markdown with a Mermaid flowchart, which GitHub and editors render.

In: the contracts, the dbt project, and for a column or KPI the compiled SQL. Out: everything from
the topics to the tiles, or what is around one name. Run standalone: `lake lineage --picture FILE`.
"""

from collections.abc import Iterable
from itertools import chain

from governance.lineage.columns import Origin
from governance.lineage.dbt_manifest import CompiledProject, compiled_project
from governance.lineage.lineage import (
    column_parents,
    exposure_called,
    in_bronze,
    kpis,
    parents_of,
    shown_model,
    shown_origin,
    table_and_column,
    topics_of,
    unknown_name,
)
from governance.lineage.readers import model_texts
from lakehouse.contracts.exposures import Exposure, read_exposures
from lakehouse.contracts.tables import BRONZE_EVENTS, TABLES
from lakehouse.contracts.topics import SOURCE_TOPICS
from lakehouse.settings import Settings

Edges = list[tuple[str, str]]
"""(from, to) by name, the flow of the data."""

_LAYERS = ("topics", "bronze", "silver", "staging", "intermediate", "gold", "KPI", "tiles")


def picture_of(name: str, *, settings: Settings) -> str:
    """The page with the picture around a name, or of everything where it is empty.

    Raises:
        LakeError: Nothing has this name, or dbt can't compile the project.
    """
    edges = edges_around(name, settings=settings)
    names = {each: f"n{place}" for place, each in enumerate(dict.fromkeys(chain(*edges)))}
    title = f"Lineage of {name}" if name else "From the topics to the tiles of the screens"
    command = " ".join(filter(None, ("./lake lineage", name, "--picture FILE")))
    lines = [f"# {title}", "", f"`{command}` makes this page.", "", "```mermaid", "flowchart LR"]
    for layer in _LAYERS:
        if inside := [each for each in names if _layer(each) == layer]:
            lines.append(f"  subgraph {layer}")
            lines += [f'    {names[each]}["{each}"]' for each in inside]
            lines.append("  end")
    lines += [f"  {names[start]} --> {names[end]}" for start, end in edges]
    return "\n".join([*lines, "```", ""])


def edges_around(name: str, *, settings: Settings) -> Edges:
    """Edges of what a name comes from, and for a table of what it goes into; all without a name.

    Raises:
        LakeError: Nothing has this name, or dbt can't compile the project.
    """
    table, column = table_and_column(name)
    if column:
        return _columns([(table, column)], compiled_project(settings))
    if name in kpis():
        project = compiled_project(settings)
        origins = project.kpis[name]
        return _columns(origins, project) + [(shown_origin(each), name) for each in origins]
    everything = _everything()
    if not name or table == BRONZE_EVENTS.name:
        return everything
    upwards = [(end, start) for start, end in everything]
    if table:
        kept = _reached({table}, everything) | _reached({table}, upwards)
    elif exposure := exposure_called(name):
        kept = _reached({_tile(exposure, each) for each in exposure.tiles}, upwards)
    else:
        raise unknown_name(name)
    return [each for each in everything if set(each) <= kept]


def _everything() -> Edges:
    edges = [(each.name, in_bronze(each.name)) for each in SOURCE_TOPICS]
    for table in (each.name for each in TABLES if each != BRONZE_EVENTS):
        edges += [(in_bronze(topic), table) for topic in topics_of(table)]
    for model in map(shown_model, model_texts()):
        edges += [(parent, model) for parent in parents_of(model)]
    for exposure in read_exposures():
        for tile, reads in exposure.tiles.items():
            edges += [(table, _tile(exposure, tile)) for table in reads]
    return list(dict.fromkeys(edges))


def _columns(origins: Iterable[Origin], project: CompiledProject) -> Edges:
    """The columns that some columns are made of, down to the fields of messages."""
    edges: Edges = []
    pending, seen = sorted(origins), set[Origin]()
    while pending:
        own = pending.pop(0)
        parents = column_parents(*own, project) if own[1] and own not in seen else []
        seen.add(own)
        edges += [(shown_origin(each), shown_origin(own)) for each in parents]
        pending += parents
    return list(dict.fromkeys(edges))


def _tile(exposure: Exposure, tile: str) -> str:
    return f"{exposure.label}: {tile}"


def _reached(names: set[str], edges: Edges) -> set[str]:
    """The names and all that edges lead to from them."""
    found = set(names)
    while fresh := {end for start, end in edges if start in found} - found:
        found |= fresh
    return found


def _layer(name: str) -> str:
    plain = name.removeprefix("rows of ")
    schema = plain.partition(".")[0]
    if schema in ("bronze", "silver", "gold"):
        return schema
    if plain in kpis():
        return "KPI"
    if ": " in plain:
        return "tiles"
    if plain in {each.name for each in SOURCE_TOPICS}:
        return "topics"
    return "staging" if plain.startswith("stg_") else "intermediate"
