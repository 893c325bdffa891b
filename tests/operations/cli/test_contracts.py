"""`lake contracts`: passes, names additive changes, refuses breaking ones with their readers."""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import operations.cli
from governance.contracts import released
from governance.contracts.released import Shape, present_shapes, released_shapes, write_released
from lakehouse.contracts.tables import ORDER_LINES
from lakehouse.contracts.topics import WEB_EVENTS, WEB_ORDERS

EVENTS, ORDERS, LINES = WEB_EVENTS.name, WEB_ORDERS.name, ORDER_LINES.name
Contracts = Callable[..., tuple[int, str, str]]


@pytest.fixture
def snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A released snapshot of its own, equal to the code's contracts."""
    path = tmp_path / "released.json"
    write_released(present_shapes(), snapshot=path)
    monkeypatch.setattr(released, "SNAPSHOT", path)
    return path


@pytest.fixture
def contracts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Contracts:
    """Runs one command: exit code, what it printed, what it complained of."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lake", "contracts", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            operations.cli.main()
        assert isinstance(end.value.code, int)
        return end.value.code, *capsys.readouterr()

    return run


def release(shape: Shape, snapshot: Path) -> None:
    """Make as if one contract had been released in another shape."""
    write_released({**present_shapes(), shape.name: shape}, snapshot=snapshot)


def older(name: str, **fields: dict[str, object] | None) -> Shape:
    """The present shape of a contract with fields as they were before; None: there was none."""
    shape = present_shapes()[name]
    before = {
        each: {**body, **(fields.get(each) or {})}
        for each, body in shape.fields.items()
        if fields.get(each, {}) is not None
    }
    return dataclasses.replace(shape, fields=before)


def test_released_contracts_pass_and_there_is_nothing_to_release(
    contracts: Contracts, snapshot: Path
) -> None:
    assert contracts("check") == (0, "The contracts are the released ones.\n", "")
    before = snapshot.read_bytes()
    nothing = "Nothing to release: the contracts are the released ones.\n"
    assert contracts("release") == (0, nothing, "")
    assert snapshot.read_bytes() == before


def test_an_additive_change_passes_says_so_and_is_released(
    contracts: Contracts, snapshot: Path
) -> None:
    release(dataclasses.replace(older(EVENTS, device_type=None), versions=[1, 3]), snapshot)
    told = (
        f"additive  {EVENTS}: new schema version 2\n"
        f"additive  {EVENTS} device_type: new optional field of version 2\n"
    )
    counted = (
        "2 additive changes since the last release, none breaking. "
        "`lake contracts release` writes them down.\n"
    )
    assert contracts("check") == (0, told + counted, "")
    code, out, err = contracts("release")
    assert (code, out, err) == (
        0,
        f"{told}Released 2 additive changes to {snapshot}. Commit it.\n",
        "",
    )
    assert released_shapes(snapshot) == present_shapes()
    assert contracts("check") == (0, "The contracts are the released ones.\n", "")


def test_a_breaking_change_is_refused_with_field_change_and_readers(
    contracts: Contracts, snapshot: Path
) -> None:
    release(older(LINES, line_amount={"unit": "cents"}), snapshot)
    before = snapshot.read_bytes()
    for command in ("check", "release"):
        code, out, err = contracts(command)
        assert code == 1
        first, *readers = out.splitlines()
        assert first == f"breaking  {LINES} line_amount: unit changed from cents to money"
        shown = dict(line.strip().split(": ", 1) for line in readers)
        assert "fct_order_lines" in shown["dbt models"]
        assert "order_lines: contract" in shown["suites of the gate"]
        assert "Sales" in shown["screens"]
        assert err.startswith("1 breaking change of released contracts. Leave the old name")
    assert snapshot.read_bytes() == before


def test_a_topic_names_the_tables_that_its_field_ends_in(
    contracts: Contracts, snapshot: Path
) -> None:
    release(older(ORDERS, **{"lines[].unit_price": {"type": "integer"}}), snapshot)
    code, out, _ = contracts("check")
    assert code == 1
    assert "lines[].unit_price: retyped from integer to string" in out
    assert f"tables: {LINES}\n" in out
    assert "fct_order_lines" in out


def test_a_damaged_snapshot_is_wrong_use_not_a_broken_contract(
    contracts: Contracts, snapshot: Path
) -> None:
    snapshot.write_text("{")
    code, out, err = contracts("check")
    assert (code, out) == (2, "")
    assert "can't be read" in err
