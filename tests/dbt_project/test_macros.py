"""Macros by themselves, compiled by dbt and computed by DuckDB."""

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from lakehouse.contracts.business import SERVICE_CODES
from lakehouse.contracts.kpis import Kpi, read_kpis
from lakehouse.contracts.topics import WEB_EVENT_TYPES

if TYPE_CHECKING:
    from conftest import DbtRun

RATIOS = [("2", "3"), ("-2", "3"), ("0.0001", "2"), ("1", "20000"), ("1", "20001"), ("5", "0")]
RATIOS += [("1", "-4"), ("0", "7"), ("99999999999999.9999", "1"), ("null", "3"), ("3", "null")]
SQL = {
    **{f"ratio {part} {whole}": f"{{{{ ratio('{part}', '{whole}') }}}}" for part, whole in RATIOS},
    "steps": "'{{ funnel_steps() | join(\" \") }}'",
    "countries": "{{ known_countries() | map('first') | map('lower') | list | length }}",
    "distinct": "{{ known_countries() | map('first') | map('lower') | unique | list | length }}",
    "key": "{{ version_key(\"'A'\", first_valid_from()) }}",
    "other key": "{{ version_key(\"'B'\", first_valid_from()) }}",
    "null is no product": "{{ is_product('cast(null as varchar)') }}",
    **{f"service {code}": f"{{{{ is_product(\"'{code}'\") }}}}" for code in SERVICE_CODES},
    **{f"rfm {r}{f}": f"{{{{ rfm_segment({r}, {f}) }}}}" for r in range(1, 6) for f in range(1, 6)},
    "kpis": '\'{{ var("kpis") | map(attribute="name") | join(" ") }}\'',
}


@pytest.fixture(scope="module")
def computed(dbt_run: "DbtRun") -> dict[str, Any]:
    """Each expression's value, by its name."""
    from dbt.cli.main import dbtRunner

    columns = ",\n".join(f'{sql} as "{name}"' for name, sql in SQL.items())
    outcome = dbtRunner().invoke(
        [
            *("--quiet", "compile", "--no-introspect", "--inline", f"select {columns}"),
            *dbt_run.arguments,
            *("--vars", json.dumps(dict(dbt_run.variables) | {"gold_file": ":memory:"})),
        ]
    )
    assert outcome.success, outcome.exception
    code = outcome.result.results[0].node.compiled_code
    with duckdb.connect() as connection:
        row = connection.execute(code).fetchall()[0]
    return dict(zip(SQL, row, strict=True))


def test_a_ratio_is_half_up_exact_and_null_without_a_base(computed: dict[str, Any]) -> None:
    kpi = Kpi("k", "rate", "part", "up", "o", "s", "d", per="whole")
    for part, whole in RATIOS:
        found = computed[f"ratio {part} {whole}"]
        if "null" in (part, whole):
            assert found is None
        else:
            expected = kpi.value({"part": Decimal(part), "whole": Decimal(whole)})
            assert found == expected, (part, whole)
    assert computed["ratio 2 3"] == Decimal("0.6667")
    assert computed["ratio -2 3"] == Decimal("-0.6667")


def test_lists_are_those_of_the_contracts_and_hold_nothing_twice(computed: dict[str, Any]) -> None:
    assert computed["steps"].split() == [each for each in WEB_EVENT_TYPES if each != "exposure"]
    assert computed["countries"] == computed["distinct"] > 38
    assert computed["kpis"].split() == [each.name for each in read_kpis()]


def test_keys_differ_and_service_codes_are_no_products(computed: dict[str, Any]) -> None:
    assert computed["key"] == "2a4a5e84462342854cb043931776f76d"
    assert computed["other key"] != computed["key"]
    assert computed["null is no product"] is False
    assert {computed[f"service {code}"] for code in SERVICE_CODES} == {False}


def test_every_cell_of_recency_and_frequency_has_its_segment(computed: dict[str, Any]) -> None:
    grid = {r: [computed[f"rfm {r}{f}"] for f in range(1, 6)] for r in range(1, 6)}
    assert grid == {
        1: ["hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose_them"],
        2: ["hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose_them"],
        3: ["about_to_sleep", "about_to_sleep", "need_attention", *["loyal_customers"] * 2],
        4: ["promising", *["potential_loyalists"] * 2, *["loyal_customers"] * 2],
        5: ["new_customers", *["potential_loyalists"] * 2, *["champions"] * 2],
    }
