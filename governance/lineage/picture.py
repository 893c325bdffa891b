"""The lineage as a picture: an SVG in layers, left to right, that asks nobody for anything.

In: a lineage graph. Out: SVG text, the same for the same graph, for light and dark screens.
Run standalone: `lake lineage --picture FILE`.
"""

from collections.abc import Callable, Mapping
from html import escape

from governance.lineage.graph import (
    BRONZE,
    GOLD,
    LAYER_NAMES,
    Graph,
    Node,
    graph_around,
    whole_graph,
)
from governance.lineage.layout import Box, Layout, place
from lakehouse.contracts.tables import BRONZE_EVENTS
from lakehouse.settings import Settings

_LETTER, _LINE, _PADDING, _MARGIN, _HEAD = 7.4, 15, 9, 16, 34
_BAR = 30
_LEAST_BAR = 120
_KINDS = ("topic", "bronze", "silver", "view", "view", "gold", "kpi", "tile")
_STYLE = """
.lineage { --paper: #ffffff; --ink: #1d2430; --quiet: #5b6575; --line: #9aa5b5;
  --topic: #e8ecf2; --bronze: #f3dcc8; --silver: #dfe6ee; --view: #f6f8fa; --gold: #fbe8b0;
  --kpi: #d5efdc; --tile: #d9ebf7; --edge: #7c8796;
  font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
@media (prefers-color-scheme: dark) { .lineage { --paper: #14181f; --ink: #e7ebf2;
  --quiet: #a3adbd; --line: #66758a; --topic: #2a323e; --bronze: #4a3524; --silver: #34404e;
  --view: #1c222c; --gold: #4d3f12; --kpi: #1f4029; --tile: #1d3a4d; --edge: #7f8b9d; } }
.lineage .paper { fill: var(--paper); } .lineage text { fill: var(--ink); }
.lineage .head { fill: var(--quiet); font-weight: 600; }
.lineage path { fill: none; stroke: var(--line); stroke-width: 1.2; }
.lineage rect.box { stroke: var(--edge); } .lineage .small { fill: var(--quiet); }
.lineage .topic { fill: var(--topic); } .lineage .bronze { fill: var(--bronze); }
.lineage .silver { fill: var(--silver); } .lineage .view { fill: var(--view); }
.lineage .gold { fill: var(--gold); } .lineage .kpi { fill: var(--kpi); }
.lineage .tile { fill: var(--tile); } .lineage a:hover rect { stroke-width: 2.5; }
"""


def picture_of(name: str, *, settings: Settings) -> str:
    """The picture around a name, or of everything where it is empty.

    Raises:
        LakeError: Nothing has this name, or dbt can't compile the project.
    """
    if not name:
        return picture(whole_graph(), title="From the topics to the tiles of the screens")
    return picture(graph_around(name, settings=settings), title=f"Lineage of {name}")


def picture(
    graph: Graph, *, title: str, link: Callable[[Node], str | None] = lambda _node: None
) -> str:
    """The SVG as text.

    Args:
        graph: What to draw.
        title: What the picture shows, for those who can't see it.
        link: Address that a box leads to, none where it leads nowhere.
    """
    nodes = {node.name: node for layer in graph.layers for node in layer}
    names = [[node.name for node in layer] for layer in graph.layers]
    layout = place(names, graph.edges, {name: _size(node) for name, node in nodes.items()})
    bar = _bar(layout, nodes)
    top = min(0.0, bar.y if bar else 0.0)
    height = max(layout.height, bar.y + bar.height if bar else 0.0) - top
    width = layout.width + 2 * _MARGIN
    size = f"{width:.0f}", f"{height + _HEAD + _MARGIN:.0f}"
    parts = [
        "<svg xmlns='http://www.w3.org/2000/svg' class='lineage' role='img'",
        f" width='{size[0]}' height='{size[1]}' viewBox='0 0 {size[0]} {size[1]}'>",
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        "<rect class='paper' width='100%' height='100%'/>",
        f"<g transform='translate({_MARGIN} {_HEAD - top:.1f})'>",
        *_heads(graph, layout, top),
        *(f"<path d='{_curve(*each)}'/>" for each in layout.lines),
        *([_bar_of(bar)] if bar else []),
        *(
            _box(node, layout.boxes[name], link(node))
            for name, node in nodes.items()
            if node.kind != BRONZE
        ),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _size(node: Node) -> tuple[float, float]:
    if node.kind == BRONZE:
        return _BAR, _LINE
    longest = max(map(len, node.label), default=0)
    return longest * _LETTER + 2 * _PADDING, len(node.label) * _LINE + _PADDING


def _bar(layout: Layout, nodes: Mapping[str, Node]) -> Box | None:
    """One bar behind all that passes through bronze, long enough for its name."""
    boxes = [layout.boxes[name] for name, node in nodes.items() if node.kind == BRONZE]
    if not boxes:
        return None
    first, last = min(each.y for each in boxes), max(each.y + each.height for each in boxes)
    missing = max(0.0, _LEAST_BAR - (last - first))
    return Box(boxes[0].x, first - missing / 2, boxes[0].width, last - first + missing)


def _bar_of(bar: Box) -> str:
    x, y = bar.x + bar.width / 2, bar.middle
    return (
        f"<rect class='box bronze' rx='4' {_place(bar)}/>"
        f"<text transform='translate({x + 4:.1f} {y:.1f}) rotate(-90)' text-anchor='middle'>"
        f"{BRONZE_EVENTS.name}</text>"
    )


def _heads(graph: Graph, layout: Layout, top: float) -> list[str]:
    shown, heads = set[str](), []
    for layer in graph.layers:
        kind = max(node.kind for node in layer) if layer[0].kind >= GOLD else layer[0].kind
        name = LAYER_NAMES[kind]
        if name not in shown:
            shown.add(name)
            x = layout.boxes[layer[0].name].x
            heads.append(f"<text class='head' x='{x:.1f}' y='{top - 14:.1f}'>{name}</text>")
    return heads


def _curve(x: float, y: float, to_x: float, to_y: float, until: float) -> str:
    half = (x + to_x) / 2
    bend = f"C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    return f"M{x:.1f} {y:.1f} {bend}{f' H{until:.1f}' if until > to_x else ''}"


def _box(node: Node, box: Box, address: str | None) -> str:
    first = box.middle - (len(node.label) - 1) * _LINE / 2 + 4
    lines = "".join(
        f"<text x='{box.x + _PADDING:.1f}' y='{first + row * _LINE:.1f}'>{escape(text)}</text>"
        for row, text in enumerate(node.label)
    )
    drawn = (
        f"<g><title>{escape(node.name)}</title>"
        f"<rect class='box {_KINDS[node.kind]}' rx='4' {_place(box)}/>{lines}</g>"
    )
    return f"<a href='{escape(address)}'>{drawn}</a>" if address else drawn


def _place(box: Box) -> str:
    return f"x='{box.x:.1f}' y='{box.y:.1f}' width='{box.width:.1f}' height='{box.height:.1f}'"
