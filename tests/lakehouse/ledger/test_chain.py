"""Chains of lines: whole, in order, and telling when they are not."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lakehouse.errors import CheckFailed
from lakehouse.ledger import chain
from lakehouse.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def bodies(name: str, settings: Settings) -> list[object]:
    return [line["n"] for line in chain.lines(name, settings=settings)]


def test_lines_are_chained_and_the_head_names_the_last(settings: Settings) -> None:
    chain.write("operations", {"n": 1}, {"n": 2}, settings=settings)
    chain.write("operations", {"n": 3}, settings=settings)
    lines = list(chain.lines("operations", settings=settings))
    assert [line["n"] for line in lines] == [1, 2, 3]
    assert [line["previous"] for line in lines] == [
        chain.GENESIS,
        lines[0]["sha256"],
        lines[1]["sha256"],
    ]
    assert chain.breaks("operations", settings=settings) == []
    assert chain.heads(settings) == {
        "produced": chain.Head(0, chain.GENESIS),
        "batches": chain.Head(0, chain.GENESIS),
        "operations": chain.Head(3, lines[2]["sha256"]),
        "publishes": chain.Head(0, chain.GENESIS),
        "restatements": chain.Head(0, chain.GENESIS),
        "models": chain.Head(0, chain.GENESIS),
    }


def test_a_changed_missing_or_moved_line_is_named(settings: Settings) -> None:
    chain.write("operations", *({"n": n} for n in range(4)), settings=settings)
    path = chain.chain_path("operations", settings=settings)
    lines = path.read_text().splitlines(keepends=True)
    damaged = {
        "operations line 2 was changed": [
            lines[0],
            lines[1].replace('"n": 1', '"n": 7'),
            *lines[2:],
        ],
        "operations line 3 does not follow the line before it": [*lines[:2], lines[3]],
        "operations line 1 does not follow the line before it": lines[1:],
        "operations line 2 does not follow the line before it": [lines[0], lines[2], lines[1]],
    }
    for message, content in damaged.items():
        path.write_text("".join(content))
        assert chain.breaks("operations", settings=settings) == [message]


def test_a_line_torn_by_a_crash_never_counted(settings: Settings) -> None:
    chain.write("operations", {"n": 1}, {"n": 2}, settings=settings)
    path = chain.chain_path("operations", settings=settings)
    whole = path.read_bytes()
    for cut in (1, 20, len(whole.splitlines()[1])):
        path.write_bytes(whole[:-cut])
        assert bodies("operations", settings) == [1]
        chain.write("operations", {"n": 3}, settings=settings)
        assert bodies("operations", settings) == [1, 3]
        assert chain.breaks("operations", settings=settings) == []
        path.write_bytes(whole)
    path.write_bytes(whole[:5])
    chain.write("operations", {"n": 9}, settings=settings)
    assert bodies("operations", settings) == [9]


def test_a_line_that_is_no_json_is_named_with_its_file(settings: Settings) -> None:
    chain.write("operations", {"n": 1}, settings=settings)
    path = chain.chain_path("operations", settings=settings)
    path.write_bytes(path.read_bytes() + b"oops\n")
    with pytest.raises(CheckFailed, match=r"Line 2 of the ledger .*operations\.jsonl is no JSON"):
        chain.heads(settings)
    with pytest.raises(CheckFailed, match="The last line of the ledger"):
        chain.write("operations", {"n": 2}, settings=settings)


def test_writers_at_once_make_one_chain(settings: Settings) -> None:
    def write(n: int) -> None:
        chain.write("produced", {"n": n}, {"n": n}, settings=settings)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    found = bodies("produced", settings)
    assert sorted(found, key=str) == sorted([n for n in range(40) for _ in range(2)], key=str)
    assert found[::2] == found[1::2]
    assert chain.breaks("produced", settings=settings) == []


def test_a_hash_covers_the_body_whatever_the_order_of_its_fields() -> None:
    line = {"b": "é", "a": 1, "previous": chain.GENESIS, "at": "now"}
    again = json.loads(json.dumps(dict(reversed(line.items()))))
    assert chain.line_hash({**again, "sha256": "x"}) == chain.line_hash(line)
    assert chain.line_hash({**line, "a": 2}) != chain.line_hash(line)
