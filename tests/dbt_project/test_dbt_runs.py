from typing import TYPE_CHECKING

import pytest
import yaml

from lakehouse.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from conftest import DbtRun

UNIT_TESTS = [
    each["name"]
    for path in sorted((PROJECT_ROOT / "dbt_project" / "models").glob("*/_*unit_tests.yml"))
    for each in yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]
]


@pytest.mark.parametrize("name", UNIT_TESTS)
def test_the_dbt_unit_test_passes(dbt_run: "DbtRun", name: str) -> None:
    status, message = dbt_run.results[name]
    assert status == "pass", message


def test_everything_builds_and_passes_over_empty_silver(dbt_run: "DbtRun") -> None:
    wrong = {
        name: outcome
        for name, outcome in dbt_run.results.items()
        if outcome[0] not in ("success", "pass")
    }
    assert wrong == {}


def test_every_unit_test_of_the_project_is_run_here(dbt_run: "DbtRun") -> None:
    assert sorted(each["name"] for each in dbt_run.manifest["unit_tests"].values()) == sorted(
        UNIT_TESTS
    )
    tested = {each["model"] for each in dbt_run.manifest["unit_tests"].values()}
    models = {
        each["name"]
        for each in dbt_run.manifest["nodes"].values()
        if each["resource_type"] == "model"
    }
    # The other staging models only cast a time, as the tested one does. The changed days compare
    # silver with the gold before, which no unit test of dbt has: test_gold_incremental.py holds
    # them, by builds that equal a full one.
    assert models - tested == {
        "int_days_changed",
        "stg_silver__customers",
        "stg_silver__customer_contacts",
        "stg_silver__products",
        "stg_silver__web_events",
    }
