"""Places of boxes: in layers, apart from each other, lanes around what lies between, no luck."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.lineage.layout import GAP_X, GAP_Y, LANE, Box, Layout, place


def size(name: str) -> tuple[float, float]:
    return 10.0 * len(name), 20.0


def placed(layers: list[list[str]], edges: list[tuple[str, str]]) -> Layout:
    return place(layers, edges, {name: size(name) for names in layers for name in names})


def test_layers_stand_side_by_side_as_wide_as_their_widest_box() -> None:
    layout = placed([["a", "bbb"], ["cc"]], [("a", "cc"), ("bbb", "cc")])
    assert layout.boxes == {
        "a": Box(0.0, 0.0, 30.0, 20.0),
        "bbb": Box(0.0, 20.0 + GAP_Y, 30.0, 20.0),
        "cc": Box(30.0 + GAP_X, (20.0 + GAP_Y) / 2, 20.0, 20.0),
    }
    assert (layout.width, layout.height) == (50.0 + GAP_X, 40.0 + GAP_Y)
    assert layout.lines == (
        (30.0, 10.0, 30.0 + GAP_X, 26.0, 30.0 + GAP_X),
        (30.0, 42.0, 30.0 + GAP_X, 26.0, 30.0 + GAP_X),
    )


def test_boxes_change_places_until_no_line_crosses() -> None:
    layout = placed([["a", "b", "c"], ["x", "y", "z"]], [("a", "z"), ("b", "y"), ("c", "x")])
    for start, end in (("a", "z"), ("b", "y"), ("c", "x")):
        assert layout.boxes[start].y == layout.boxes[end].y


def test_a_long_edge_runs_straight_through_a_lane_beside_the_boxes_between() -> None:
    layout = placed([["a"], ["b"], ["c"]], [("a", "b"), ("b", "c"), ("a", "c")])
    between = layout.boxes["b"]
    lanes = [each for each in layout.lines if each[4] > each[2]]
    assert [(each[2], each[4]) for each in lanes] == [(between.x, between.x + between.width)]
    (lane,) = lanes
    assert abs(lane[3] - between.middle) >= (between.height + LANE) / 2 + GAP_Y - 0.2


def test_nothing_has_a_size_of_nothing() -> None:
    assert place([], [], {}) == Layout({}, (), 0.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=30),
)
def test_boxes_of_any_graph_keep_apart_and_lanes_clear_of_them(
    sizes: list[int], pairs: list[tuple[int, int]]
) -> None:
    layers = [[f"{layer}-{place}" for place in range(count)] for layer, count in enumerate(sizes)]
    names = [name for each in layers for name in each]
    ends = [(names[a % len(names)], names[b % len(names)]) for a, b in pairs]
    edges = sorted({(a, b) for a, b in ends if a[0] < b[0]})
    layout = placed(layers, edges)
    assert layout == placed(layers, edges)
    for layer in layers:
        boxes = sorted((layout.boxes[name] for name in layer), key=lambda each: each.y)
        for upper, lower in pairwise(boxes):
            assert upper.y + upper.height + GAP_Y <= lower.y + 0.2
        lanes = [each for each in layout.lines if each[2] == boxes[0].x and each[4] > each[2]]
        for lane in lanes:
            assert all(abs(lane[3] - box.middle) > box.height / 2 for box in boxes)
    assert all(
        each.y >= 0 and each.y + each.height <= layout.height for each in layout.boxes.values()
    )
