"""A dbt failure in any mart: readers stay on the old build, and the message says what failed.

The project is copied with two hooks, that break one mart, or double a row of it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from lakehouse.contracts.gold import (
    DIM_CUSTOMER_CONTACTS,
    FCT_ORDER_LINES,
    GOLD_TABLES,
)
from lakehouse.duck import open_gold
from lakehouse.pointer import CURRENT
from lakehouse.processes.worker import Worker
from lakehouse.settings import PROJECT_ROOT, Settings
from pipelines.gold import build
from pipelines.gold.dbt_worker import GoldWorker
from tests.pipelines.gold.test_build import FIRST, fill, line

ALWAYS = {DIM_CUSTOMER_CONTACTS, FCT_ORDER_LINES}
"""The personal mart and one that others are compared with; all together are slow."""

MARTS = [
    pytest.param(
        name.removeprefix("gold."),
        id=name.removeprefix("gold."),
        marks=[] if name in ALWAYS else [pytest.mark.slow],
    )
    for name in GOLD_TABLES
]
COMPARED_WITH = {
    "fct_daily_sales": {"fct_daily_kpis_equal_daily_sales"},
    "fct_order_lines": {"fct_customer_orders_equal_order_lines", "fct_orders_equal_order_lines"},
}
"""Tests of other marts that compare them with a mart, and see its doubled row too."""

HOOKS = """
{% macro break_mart(mart) %}
    {% if mart.name == var('broken_mart', '') %}
        select error('planted in {{ mart.name }}')
    {% endif %}
{% endmacro %}
{% macro double_mart(mart) %}
    {% if mart.name == var('doubled_mart', '') %}
        insert into {{ mart }} select * from {{ mart }} order by all desc limit 1
    {% endif %}
{% endmacro %}
"""


class BuilderOfTheCopy(GoldWorker):
    """The child process that runs dbt, on the project that lies in its state folder."""

    def __init__(self, settings: Settings) -> None:
        program = "tests.pipelines.gold.copied_project"
        Worker.__init__(self, program, task="builds gold", settings=settings, log_name="gold.log")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoldWorker]:
    """A builder of the copied project."""
    settings = Settings(home=tmp_path_factory.mktemp("worker"))
    project = settings.home / "dbt_project"
    ignored = shutil.ignore_patterns("target", "logs")
    shutil.copytree(PROJECT_ROOT / "dbt_project", project, ignore=ignored)
    (project / "macros" / "planted.sql").write_text(HOOKS)
    facts = yaml.safe_load((project / "dbt_project.yml").read_text())
    marts = facts["models"]["cartlake"]["marts"]
    marts["+pre-hook"], marts["+post-hook"] = "{{ break_mart(this) }}", "{{ double_mart(this) }}"
    facts["vars"]["basket_least_orders"] = 1
    (project / "dbt_project.yml").write_text(yaml.safe_dump(facts))
    with BuilderOfTheCopy(settings) as worker:
        worker.await_ready()
        yield worker


@pytest.fixture(scope="module")
def in_service(worker: GoldWorker, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small shop whose gold of run `good` is in service."""
    settings = Settings(home=tmp_path_factory.mktemp("state"))
    fill(settings, line(1), line(2, sku="SHADE"))
    built = build.build_gold(settings, run_id="good", table_versions=FIRST, worker=worker)
    built.path.rename(settings.gold_dir / built.path.name)
    content = {"run_id": "good", "file": built.path.name}
    (settings.gold_dir / CURRENT).write_text(json.dumps(content))
    return settings


def failure(
    settings: Settings, worker: GoldWorker, monkeypatch: pytest.MonkeyPatch, **planted: str
) -> build.GoldFailed:
    """What a build raises with a variable of the hooks set; readers stay where they are."""
    before = files(settings)
    variables = build.silver_variables(settings, FIRST)
    monkeypatch.setattr(build, "silver_variables", lambda *_: {**variables, **planted})
    with open_gold(settings) as reader:
        with pytest.raises(build.GoldFailed) as raised:
            build.build_gold(settings, run_id="bad", table_versions=FIRST, worker=worker)
        assert reader.execute(f"select count(*) from {FCT_ORDER_LINES}").fetchall() == [(2,)]
    with open_gold(settings) as later:
        assert later.execute(f"select count(*) from {FCT_ORDER_LINES}").fetchall() == [(2,)]
    assert files(settings) == before
    assert str(raised.value).endswith("Published gold is unchanged.")
    return raised.value


def files(settings: Settings) -> dict[Path, bytes]:
    """Everything in the folder that readers look into."""
    return {path: path.read_bytes() for path in settings.gold_dir.glob("*") if path.is_file()}


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_that_fails_is_named_and_readers_stay_on_the_old_gold(
    in_service: Settings, worker: GoldWorker, monkeypatch: pytest.MonkeyPatch, mart: str
) -> None:
    found = failure(in_service, worker, monkeypatch, broken_mart=mart)
    assert f"model {mart}: " in str(found)
    assert f"planted in {mart}" in str(found)
    assert [each.name for each in found.models if each.status == "error"] == [mart]


@pytest.mark.parametrize("mart", MARTS)
def test_a_failed_test_of_a_mart_is_named_with_rows_and_readers_stay_on_the_old_gold(
    in_service: Settings, worker: GoldWorker, monkeypatch: pytest.MonkeyPatch, mart: str
) -> None:
    found = failure(in_service, worker, monkeypatch, doubled_mart=mart)
    failed = [each for each in found.checks if each.status == "fail"]
    assert {each.name for each in failed if each.model != mart} == COMPARED_WITH.get(mart, set())
    assert mart in {each.model for each in failed}
    assert all(f"test {each.name} of {each.model}" in str(found) for each in failed)
    (first,) = (each for each in failed if f"test {each.name} of {each.model} fails" in str(found))
    assert first.failing_rows >= 1
    is_personal = f"gold.{mart}" == DIM_CUSTOMER_CONTACTS
    assert bool(first.sample) == (not is_personal)
    assert all(f"({row})" in str(found) for row in first.sample)
