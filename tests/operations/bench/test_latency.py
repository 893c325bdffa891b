"""What a client has when, and what percentiles are made of it."""

import json

from operations.bench.latency import _Viewer
from operations.bench.subject import percentiles


def text(**offsets: int) -> str:
    rows = [{"topic": name, "partition": 0, "next_offset": end} for name, end in offsets.items()]
    return json.dumps({"live": {"version": 1, "positions": rows}})


def test_a_client_has_a_record_with_the_first_version_that_holds_it() -> None:
    viewer = _Viewer()
    viewer.take(text(a=1), 10.0)
    viewer.take(json.dumps({"beat": 1}), 10.5)
    viewer.take(text(a=3), 11.0)
    viewer.take(text(a=3, b=2), 12.0)
    assert [viewer.saw(("a", 0), offset) for offset in range(4)] == [10.0, 11.0, 11.0, None]
    assert [viewer.saw(("b", 0), offset) for offset in range(3)] == [12.0, 12.0, None]
    assert viewer.saw(("c", 0), 0) is None


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentiles([n / 100 for n in range(100, 0, -1)]) == {
        "p50_seconds": 0.5,
        "p95_seconds": 0.95,
        "p99_seconds": 0.99,
    }
    assert percentiles([2.0]) == {"p50_seconds": 2.0, "p95_seconds": 2.0, "p99_seconds": 2.0}
    assert percentiles([]) == dict.fromkeys(("p50_seconds", "p95_seconds", "p99_seconds"))
