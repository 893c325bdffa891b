"""A build in which not every declared model and test ran is none, whatever dbt says."""

from types import SimpleNamespace

from pipelines.gold.dbt_child import not_run

NODES = {
    f"{kind}.cartlake.{name}": SimpleNamespace(resource_type=kind)
    for kind, name in (("model", "fct_orders"), ("test", "fct_orders_has_a_unique_key"))
}
MANIFEST = SimpleNamespace(
    nodes={**NODES, "operation.cartlake.hook": SimpleNamespace(resource_type="operation")}
)


def results(*names: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(node=SimpleNamespace(unique_id=name)) for name in names]


def test_every_model_and_test_of_the_project_has_run() -> None:
    assert not_run(MANIFEST, results(*NODES)) is None


def test_a_test_that_was_left_out_is_named() -> None:
    assert not_run(MANIFEST, results("model.cartlake.fct_orders")) == (
        "1 of 2 models and tests did not run, as fct_orders_has_a_unique_key; "
        "look for DBT_ variables in the environment"
    )


def test_a_build_of_nothing_is_none() -> None:
    found = not_run(MANIFEST, [])
    assert found is not None
    assert found.startswith("2 of 2 models and tests did not run, as fct_orders;")
