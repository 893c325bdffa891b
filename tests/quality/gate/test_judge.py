"""The gate: clean shops pass, versions are pinned, broken checks block."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lakehouse.contracts.tables import ORDER_LINES, PRODUCTS, QUARANTINE, TABLES
from lakehouse.settings import Settings
from quality.gate.judge import GateResult, judge
from quality.gate.refusal_spike import SourceRefusals, spike_row
from quality.gate.rule import suite_rule
from quality.gate.suites import RULES, rules_for
from quality.gate.table_frames import JUDGED_TABLES

AT = "source_topic erp.invoice_lines.v1, source_partition 7, first_offset 1000000"


def failures(result: GateResult) -> list[tuple[str, str, str, str, str]]:
    return [
        (row["rule"], row["severity"], row["status"], row["observed"], row["detail"])
        for row in result.results
        if not row["success"]
    ]


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))]
)
def test_a_clean_shop_raises_nothing(seed: int, shop_of_seed: Callable[[int], Any]) -> None:
    shop = shop_of_seed(seed)
    result = shop.judge()
    assert failures(result) == []
    assert [row["rule"] for row in result.results] == [rule.name for rule in RULES]
    assert result.passed
    assert result.rows == {
        table.name: shop.count(table.name.partition(".")[2]) for table in JUDGED_TABLES
    }


def test_rows_that_were_judged_before_are_not_judged_again(
    shop: Any, line_with: Callable[..., dict[str, Any]]
) -> None:
    with shop.changed():
        shop.add("order_lines", **line_with(currency="EUR", refined_batch=4))
        judged = shop.judge(rules=rules_for(ORDER_LINES.name), since_batch=4)
        again = shop.judge(rules=rules_for(ORDER_LINES.name), since_batch=3)
    assert (failures(judged), judged.rows) == ([], {ORDER_LINES.name: 0})
    assert [row["rule"] for row in again.blocking] == ["order_lines.currency.known"]


def test_a_table_without_rows_passes_and_one_that_is_not_there_blocks(shop: Any) -> None:
    empty = {
        table.name.partition(".")[2]: f"(select * from {table.name.partition('.')[2]} limit 0)"
        for table in TABLES
    }
    nothing = shop.judge(**empty)
    assert (failures(nothing), set(nothing.rows.values())) == ([], {0})
    gone = shop.judge(products="read_parquet('no-such-file.parquet')")
    assert {row["table"] for row in gone.results if not row["success"]} == {PRODUCTS.name}
    assert {(row["status"], row["severity"], row["observed"]) for row in gone.blocking} == {
        ("error", "block", "not judged")
    }
    assert len(gone.blocking) == len(rules_for(PRODUCTS.name))
    assert "no-such-file.parquet" in gone.blocking[0]["detail"]


def test_a_check_that_breaks_is_an_error_and_blocks_even_where_it_would_only_warn(
    shop: Any,
) -> None:
    broken = suite_rule(
        PRODUCTS,
        "colour.known",
        "expect_column_values_to_be_in_set",
        "colour",
        "A colour is known.",
        severity="warn",
        value_set=["red"],
    )
    sound = next(rule for rule in RULES if rule.name == "products.sku.not_null")
    result = shop.judge(rules=[broken, sound])
    assert result.results == (
        {
            "rule": "products.colour.known",
            "suite": "products: business",
            "table": PRODUCTS.name,
            "expectation": "expect_column_values_to_be_in_set",
            "column": "colour",
            "severity": "block",
            "status": "error",
            "success": False,
            "observed": "not judged",
            "detail": 'Error: The column "colour" in BatchData does not exist.',
            "meaning": "A colour is known.",
        },
        {
            "rule": "products.sku.not_null",
            "suite": "products: contract",
            "table": PRODUCTS.name,
            "expectation": "expect_column_values_to_not_be_null",
            "column": "sku",
            "severity": "block",
            "status": "passed",
            "success": True,
            "observed": "0 of 80 rows",
            "detail": "",
            "meaning": "sku is never missing.",
        },
    )
    assert not result.passed


def test_judge_reads_exactly_the_pinned_versions(
    shop: Any, clean_lake: tuple[Path, dict[str, int]]
) -> None:
    home, versions = clean_lake
    settings = Settings(home=home)
    empty = judge(settings, table_versions=dict.fromkeys(versions, 0), since_batch=None)
    clean = judge(settings, table_versions=versions, since_batch=None)
    planted = judge(settings, table_versions={**versions, ORDER_LINES.name: 2}, since_batch=None)
    rows = {table.name: shop.count(table.name.partition(".")[2]) for table in JUDGED_TABLES}
    assert (failures(empty), set(empty.rows.values())) == ([], {0})
    assert (failures(clean), clean.rows, clean.table_versions) == ([], rows, versions)
    observed = f"1 of {rows[ORDER_LINES.name] + 1:,} rows"
    assert failures(planted) == [
        ("order_lines.currency.known", "block", "failed", observed, f"currency EUR, {AT}")
    ]


def test_a_table_without_a_pinned_version_blocks(
    clean_lake: tuple[Path, dict[str, int]],
) -> None:
    home, versions = clean_lake
    known = {name: version for name, version in versions.items() if name != PRODUCTS.name}
    result = judge(Settings(home=home), table_versions=known, since_batch=None)
    assert {(row["table"], row["status"], row["detail"]) for row in result.blocking} == {
        (PRODUCTS.name, "error", f"no version of {PRODUCTS.name} is given")
    }


def test_a_result_survives_json() -> None:
    row = spike_row([SourceRefusals("web.orders.v1", 2, 1)])
    result = GateResult((row,), {QUARANTINE.name: 1}, 0.5, {QUARANTINE.name: 3}, 4, "2011-12-10")
    assert GateResult.from_json(json.loads(json.dumps(result.to_json()))) == result
