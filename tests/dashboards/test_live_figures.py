"""Live figures for the screens: the newest version counts, whole, as a person reads it."""

import json
from typing import Any

from dashboards.live_figures import LiveFigures, shown


def message(kpi: str, version: int, **facts: Any) -> bytes:
    common = {
        "kpi": kpi,
        "window": "today",
        "version": version,
        "day": "2011-12-13",
        "occurred_at": f"2011-12-13T09:00:{version:02}.000Z",
        "unit": "count",
        "value": None,
        "rows": None,
    }
    return json.dumps({**common, **facts}).encode()


def version(number: int, revenue: str) -> list[bytes]:
    return [
        message("net_revenue", number, unit="GBP", value=revenue),
        message("sales_by_country", number, rows=[{"country": "<b>", "amount": "1234.5000"}]),
        message(
            "positions",
            number,
            value="0.25",
            rows=[{"topic": "t", "partition": 0, "next_offset": number}],
        ),
    ]


def live(text: str | None) -> Any:
    return None if text is None else json.loads(text)["live"]


def test_a_whole_version_becomes_one_text() -> None:
    figures = LiveFigures()
    found = live(figures.take(version(1, "1234.5050")))
    assert found == {
        "version": 1,
        "day": "2011-12-13",
        "at": "2011-12-13T09:00:01.000Z",
        "clock": "13 Dec 2011, 09:00:01",
        "positions": [{"topic": "t", "partition": 0, "next_offset": 1}],
        "figures": {"today/net_revenue": "£1,234.51"},
        "lists": {
            "today/sales_by_country": [
                {"country": "<b>", "amount": "1234.5000", "shown": "£1,234.50"}
            ]
        },
    }
    assert figures.latency == 0.25
    assert figures.positions == {("t", 0): 1}


def test_a_part_of_a_version_is_not_shown_before_the_rest_is_there() -> None:
    figures = LiveFigures()
    figures.take(version(1, "1"))
    *first, last = version(2, "2")
    assert figures.take(first) is None
    assert live(figures.take([last]))["figures"] == {"today/net_revenue": "£2.00"}


def test_old_and_doubled_versions_change_nothing() -> None:
    figures = LiveFigures()
    figures.take(version(5, "5"))
    assert figures.take(version(5, "5")) is None
    assert figures.take(version(4, "4")) is None
    found = live(figures.take([*version(7, "7"), *version(6, "6")]))
    assert (found["version"], found["figures"]["today/net_revenue"]) == (7, "£7.00")


def test_records_that_are_no_live_figures_are_passed_by() -> None:
    figures = LiveFigures()
    odd = [None, b"", b"[]", b"{", b'{"kpi": 1}', b"\xff", b'{"kpi": "a", "window": "b"}']
    assert figures.take(odd) is None
    assert live(figures.take([*odd, *version(1, "1")]))["version"] == 1


def test_figures_are_shown_by_their_unit() -> None:
    assert [shown(*each) for each in (("3", "count"), ("0.1234", "rate"), ("-2", "GBP"))] == [
        "3",
        "12.3%",
        "−£2.00",
    ]
    assert shown(None, "GBP") == shown("<script>", "GBP") == "–"


def test_each_step_of_the_funnel_says_its_part_of_the_visits() -> None:
    figures = LiveFigures()
    steps = [{"step": "visit", "sessions": 8}, {"step": "bought", "sessions": 1}]
    forged = [{"step": "visit", "sessions": None}, {"step": "bought", "sessions": "x"}]
    for number, (rows, shares) in enumerate(
        [(steps, ["100.0%", "12.5%"]), (forged, [None, None])], start=1
    ):
        funnel = message("funnel", number, unit="list", rows=rows)
        found = live(figures.take([funnel, *version(number, "1")]))
        assert [row.get("share") for row in found["lists"]["today/funnel"]] == shares
