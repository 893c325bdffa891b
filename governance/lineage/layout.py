"""Places for boxes in layers, left to right, so that few lines cross and none runs over a box.

In: names by layer, edges to later layers, sizes. Out: the place of each box and the lines between
them. The same input gives the same places. Method: Sugiyama's, by medians of neighbours; a long
edge keeps a lane of its own in each layer between, and edges from one box share that lane.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 24
GAP_X, GAP_Y, LANE = 46, 12, 6

Point = tuple[str, int]
"""A box in its layer, or the lane of its edges in a later one."""


@dataclass(frozen=True)
class Box:
    """Left, top, width and height in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Layout:
    """Boxes by name; `lines` are pieces from the right of one box or lane to the left of the next.

    A piece is (from x, from y, to x, to y, until x): it runs straight from `to x` to `until x`.
    """

    boxes: Mapping[str, Box]
    lines: tuple[tuple[float, float, float, float, float], ...]
    width: float
    height: float


def place(
    layers: Sequence[Sequence[str]],
    edges: Iterable[tuple[str, str]],
    sizes: Mapping[str, tuple[float, float]],
) -> Layout:
    """Places of all names.

    Args:
        layers: Names of each layer, the leftmost first, in a first order.
        edges: Pairs of names, from an earlier to a later layer.
        sizes: Width and height of each name.
    """
    level = {name: index for index, names in enumerate(layers) for name in names}
    pieces = _pieces(sorted(edges), level)
    points: list[list[Point]] = [[(name, index) for name in n] for index, n in enumerate(layers)]
    for point in sorted({end for _, end in pieces}):
        if point[1] != level[point[0]]:
            points[point[1]].append(point)
    before: dict[Point, list[Point]] = {}
    after: dict[Point, list[Point]] = {}
    for start, end in pieces:
        before.setdefault(end, []).append(start)
        after.setdefault(start, []).append(end)
    ordered = _ordered(points, pieces, before, after)
    heights = {
        point: sizes[point[0]][1] if level[point[0]] == point[1] else LANE
        for column in ordered
        for point in column
    }
    tops = _tops(ordered, heights, before, after)
    places = {point: (tops[point], heights[point]) for point in tops}
    return _drawn(ordered, pieces, places, {name: sizes[name][0] for name in level}, level)


def _pieces(
    edges: Sequence[tuple[str, str]], level: Mapping[str, int]
) -> list[tuple[Point, Point]]:
    found: dict[tuple[Point, Point], None] = {}
    for start, end in edges:
        lanes = [(start, index) for index in range(level[start], level[end])]
        for piece in pairwise([*lanes, (end, level[end])]):
            found[piece] = None
    return list(found)


def _ordered(
    points: list[list[Point]],
    pieces: list[tuple[Point, Point]],
    before: Mapping[Point, list[Point]],
    after: Mapping[Point, list[Point]],
) -> list[list[Point]]:
    best, fewest = points, _crossings(points, pieces)
    current = [list(column) for column in points]
    for sweep in range(SWEEPS):
        neighbours = before if sweep % 2 == 0 else after
        turn = range(1, len(current)) if sweep % 2 == 0 else range(len(current) - 2, -1, -1)
        for index in turn:
            near = current[index - 1] if sweep % 2 == 0 else current[index + 1]
            rank = {point: place for place, point in enumerate(near)}
            own = {point: place for place, point in enumerate(current[index])}
            scale = len(near) / max(len(own), 1)

            def wish(
                point: Point,
                rank: Mapping[Point, int] = rank,
                own: Mapping[Point, int] = own,
                scale: float = scale,
                neighbours: Mapping[Point, list[Point]] = neighbours,
            ) -> tuple[float, int]:
                ranks = [rank[each] for each in neighbours.get(point, ())]
                mean = sum(ranks) / len(ranks) if ranks else own[point] * scale
                return mean, own[point]

            current[index] = sorted(current[index], key=wish)
        crossings = _crossings(current, pieces)
        if crossings < fewest:
            best, fewest = [list(column) for column in current], crossings
    return best


def _crossings(points: list[list[Point]], pieces: list[tuple[Point, Point]]) -> int:
    rank = {point: place for column in points for place, point in enumerate(column)}
    found = 0
    for index in range(len(points) - 1):
        ends = sorted((rank[a], rank[b]) for a, b in pieces if a[1] == index)
        found += sum(
            1
            for place, (left, right) in enumerate(ends)
            for other, other_right in ends[place + 1 :]
            if other > left and other_right < right
        )
    return found


def _tops(
    ordered: list[list[Point]],
    heights: Mapping[Point, float],
    before: Mapping[Point, list[Point]],
    after: Mapping[Point, list[Point]],
) -> dict[Point, float]:
    """Top of each point: as near to the middle of its neighbours as its order allows."""
    tops: dict[Point, float] = {}
    for column in ordered:
        at = 0.0
        for point in column:
            tops[point] = at
            at += heights[point] + GAP_Y
    for sweep in range(SWEEPS):
        columns = ordered if sweep % 2 == 0 else list(reversed(ordered))
        for column in columns:
            wishes = []
            for point in column:
                near = [*before.get(point, ()), *after.get(point, ())]
                middles = [tops[each] + heights[each] / 2 for each in near]
                wish = sum(middles) / len(middles) - heights[point] / 2 if middles else tops[point]
                wishes.append(wish)
            tops |= zip(column, _apart(column, wishes, heights), strict=True)
    least = min(tops.values(), default=0.0)
    return {point: round(top - least, 1) for point, top in tops.items()}


def _apart(
    column: Sequence[Point], wishes: Sequence[float], heights: Mapping[Point, float]
) -> list[float]:
    """Tops nearest to the wishes, in their order and without overlap (pooled neighbours)."""
    offsets, at = [], 0.0
    for point in column:
        offsets.append(at)
        at += heights[point] + GAP_Y
    pools: list[tuple[float, int]] = []
    for wish, offset in zip(wishes, offsets, strict=True):
        mean, count = wish - offset, 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _drawn(
    ordered: list[list[Point]],
    pieces: list[tuple[Point, Point]],
    places: Mapping[Point, tuple[float, float]],
    widths: Mapping[str, float],
    level: Mapping[str, int],
) -> Layout:
    """Boxes of a layer as wide as its widest, and the lines between; `places` are top, height."""
    lefts, rights, at = [], [], 0.0
    for index, column in enumerate(ordered):
        own = [widths[name] for name, layer in column if level[name] == layer == index]
        lefts.append(at)
        rights.append(at + max(own, default=0.0))
        at = rights[-1] + GAP_X
    boxes = {
        name: Box(lefts[layer], places[name, layer][0], rights[layer] - lefts[layer], height)
        for (name, layer), (_, height) in places.items()
        if level[name] == layer
    }
    middle = {point: top + height / 2 for point, (top, height) in places.items()}
    lines = tuple(
        (
            *(rights[start[1]], middle[start], lefts[end[1]], middle[end]),
            lefts[end[1]] if level[end[0]] == end[1] else rights[end[1]],
        )
        for start, end in pieces
    )
    bottom = max((top + height for top, height in places.values()), default=0.0)
    return Layout(boxes, lines, rights[-1] if rights else 0.0, bottom)
