"""Gold's contracts as the dbt project states them."""

from pathlib import Path

import pytest

from lakehouse.contracts.marts import Mart, MartColumn, read_marts
from lakehouse.errors import LakeError

YML = """
models:
  - name: fct_calls
    description: >-
      Calls. One row per caller and
      day.
    columns:
      - {name: caller, data_type: varchar, constraints: [{type: not_null}]}
      - name: price
        description: Asked for
        data_type: decimal(18, 4)
        config: {meta: {unit: pounds}}
    data_tests:
      - holds: {arguments: {expression: price > 0}}
      - unique_key: {arguments: {columns: [caller]}}
      - unique_key: {arguments: {columns: [price]}}
  - name: without_a_contract
"""


def test_a_mart_has_its_grain_its_first_unique_key_and_its_units(tmp_path: Path) -> None:
    (tmp_path / "_calls.yml").write_text(YML)
    columns = (
        MartColumn("caller", "varchar", nullable=False, unit=""),
        MartColumn("price", "decimal(18,4)", nullable=True, unit="pounds", description="Asked for"),
    )
    expected = Mart("gold.fct_calls", "caller and day", ("caller",), columns, "Calls.")
    assert read_marts(tmp_path) == (expected,)


@pytest.mark.parametrize("text", ["models: [{name: x, columns: []}]", "models: [", "[1]", "a: &b"])
def test_a_file_that_is_no_contract_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "_calls.yml").write_text(text)
    if text == "a: &b":
        assert read_marts(tmp_path) == ()
        return
    with pytest.raises(LakeError, match=r"_calls\.yml can't be read"):
        read_marts(tmp_path)


def test_a_folder_without_contracts_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="part of the source tree"):
        read_marts(tmp_path)
