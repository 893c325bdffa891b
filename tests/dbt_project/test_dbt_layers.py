import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lakehouse.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from conftest import DbtRun

MODELS = PROJECT_ROOT / "dbt_project" / "models"
MAY_READ = {
    "staging": {"sources"},
    "intermediate": {"staging", "intermediate"},
    "marts": {"staging", "intermediate", "marts"},
}
NAMES = {
    "staging": r"stg_[a-z]+__[a-z_]+",
    "intermediate": r"int_[a-z_]+ed",
    "marts": r"(fct|dim)_[a-z_]+",
}


def models(run: "DbtRun") -> Iterator[dict[str, Any]]:
    return (each for each in run.manifest["nodes"].values() if each["resource_type"] == "model")


def layer(run: "DbtRun", node_id: str) -> str:
    return "sources" if node_id.startswith("source.") else run.manifest["nodes"][node_id]["fqn"][1]


def test_models_read_only_the_layers_below_them(dbt_run: "DbtRun") -> None:
    wrong = [
        (model["name"], parent)
        for model in models(dbt_run)
        for parent in model["depends_on"]["nodes"]
        if layer(dbt_run, parent) not in MAY_READ[model["fqn"][1]]
    ]
    assert wrong == []
    assert {model["fqn"][1] for model in models(dbt_run)} == set(MAY_READ)


def test_models_are_named_by_their_layer(dbt_run: "DbtRun") -> None:
    assert [
        model["name"]
        for model in models(dbt_run)
        if not re.fullmatch(NAMES[model["fqn"][1]], model["name"])
    ] == []


def test_descriptions_end_with_the_grain(dbt_run: "DbtRun") -> None:
    described = [*models(dbt_run), *dbt_run.manifest["sources"].values()]
    assert [
        each["name"]
        for each in described
        if not re.search(r"(^|\. )One row per [^.]+\.$", each["description"].strip())
    ] == []


def test_only_tables_of_schemas_gold_and_intermediate_reach_the_file(dbt_run: "DbtRun") -> None:
    places = {
        (model["fqn"][1], model["database"], model["schema"], model["config"]["materialized"])
        for model in models(dbt_run)
    }
    assert places == {
        ("staging", "memory", "staging", "view"),
        ("intermediate", "memory", "intermediate", "view"),
        ("intermediate", "memory", "intermediate", "table"),
        ("intermediate", "gold_build", "intermediate", "incremental"),
        ("marts", "gold_build", "gold", "table"),
        ("marts", "gold_build", "gold", "incremental"),
    }


def test_an_incremental_model_replaces_whole_days_and_is_refused_other_columns(
    dbt_run: "DbtRun",
) -> None:
    for model in models(dbt_run):
        config = model["config"]
        if config["materialized"] == "incremental":
            assert config["on_schema_change"] == "fail", model["name"]
            assert config["incremental_strategy"] == "delete+insert", model["name"]
            hook = f"{{{{ delete_changed_days('{config['unique_key']}') }}}}"
            assert [each["sql"] for each in config["pre-hook"]] == [hook], model["name"]


def test_marts_have_an_enforced_contract_a_description_for_each_column_and_a_tested_key(
    dbt_run: "DbtRun",
) -> None:
    keyed = {
        each["attached_node"]
        for each in dbt_run.manifest["nodes"].values()
        if each["resource_type"] == "test" and each["test_metadata"]["name"] == "unique_key"
    }
    for model in models(dbt_run):
        if model["fqn"][1] == "marts":
            assert model["contract"]["enforced"], model["name"]
            assert all(each["description"] for each in model["columns"].values()), model["name"]
            assert model["unique_id"] in keyed


def test_every_model_ends_with_a_cte_of_its_own_name() -> None:
    for path in MODELS.glob("*/*.sql"):
        ctes = re.findall(r"^(?:with )?(\w+) as \($", path.read_text(encoding="utf-8"), re.M)
        last = re.search(r"\nselect \* from (\w+)\n", path.read_text(encoding="utf-8"))
        assert last is not None, path.name
        assert (ctes[-1], last.group(1)) == (path.stem, path.stem)


def test_yml_files_sort_before_the_models() -> None:
    assert [path.name for path in MODELS.rglob("*.yml") if not path.name.startswith("_")] == []
    assert {path.parent.name for path in MODELS.rglob("*.yml")} == set(MAY_READ)


def test_no_model_derives_a_day_or_month_of_its_own() -> None:
    deriving = r"date_trunc|strftime|as date\b|current_date|date_part|extract\("
    found = {
        path.stem
        for path in MODELS.rglob("*.sql")
        if re.search(deriving, path.read_text(encoding="utf-8"))
    }
    assert found == {"dim_dates"}
