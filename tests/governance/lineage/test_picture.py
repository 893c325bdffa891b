"""The picture of the lineage: current in the docs, complete, and around a name only what is."""

import re
from itertools import chain
from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.lineage import picture
from governance.lineage.dbt_manifest import CompiledProject
from governance.lineage.picture import edges_around, picture_of
from lakehouse.contracts.exposures import read_exposures
from lakehouse.contracts.gold import FCT_DAILY_SALES, FCT_ORDER_LINES, FCT_ORDERS, GOLD_TABLES
from lakehouse.contracts.tables import BRONZE_EVENTS, CUSTOMER_CONTACTS, QUARANTINE, TABLES
from lakehouse.contracts.topics import CRM_CUSTOMERS, SOURCE_TOPICS
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.cli import app
from operations.cli import lineage as commands

PAGE = PROJECT_ROOT / "docs" / "lineage.md"
RECORDS = f"{BRONZE_EVENTS.name} of topic"


@pytest.fixture
def state(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def names(name: str, settings: Settings) -> set[str]:
    return set(chain(*edges_around(name, settings=settings)))


def test_the_page_in_the_docs_is_what_lake_lineage_writes(state: Settings) -> None:
    assert PAGE.read_text(encoding="utf-8") == picture_of("", settings=state)


def test_every_topic_table_model_and_tile_is_on_it(state: Settings) -> None:
    models = {path.stem for path in (PROJECT_ROOT / "dbt_project/models").rglob("*.sql")}
    tiles = {f"{each.label}: {tile}" for each in read_exposures() for tile in each.tiles}
    views = {each for each in models if not each.startswith(("fct_", "dim_"))}
    silver = {table.name for table in TABLES if table is not BRONZE_EVENTS}
    topics = {each.name for each in SOURCE_TOPICS}
    passed = {f"{RECORDS} {each}" for each in topics}
    everything = topics | passed | silver | {*GOLD_TABLES} | views | tiles
    assert names("", state) == everything
    text = picture_of("", settings=state)
    nodes = dict(re.findall(r'^    (n\d+)\["(.+)"\]$', text, re.M))
    assert sorted(nodes.values()) == sorted(everything)
    drawn = [(nodes[a], nodes[b]) for a, b in re.findall(r"^  (n\d+) --> (n\d+)$", text, re.M)]
    assert drawn == edges_around("", settings=state)
    assert len(text) < 50_000  # beyond this or 500 edges no renderer of Mermaid draws it
    assert len(drawn) < 500


def test_around_a_table_is_only_what_it_comes_from_and_what_it_goes_into(state: Settings) -> None:
    assert names(CUSTOMER_CONTACTS.name, state) == {
        CRM_CUSTOMERS.name,
        f"{RECORDS} {CRM_CUSTOMERS.name}",
        CUSTOMER_CONTACTS.name,
        "stg_silver__customer_contacts",
        "gold.dim_customer_contacts",
        "Quality report: Verdicts of the gate",
    }
    page = names("/data-health", state)
    assert {QUARANTINE.name, "Data health: Restated days"} <= page
    assert "Sales: Countries" not in page


def test_around_a_column_or_kpi_are_the_columns_that_make_it(
    state: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {
        FCT_ORDER_LINES: {"line_amount": (("silver.order_lines", "line_amount"),)},
        FCT_DAILY_SALES: {"net_amount": ((FCT_ORDER_LINES, "line_amount"),)},
    }
    kpis = {"net_revenue": ((FCT_ORDER_LINES, "line_amount"), (FCT_ORDERS, ""))}
    project = CompiledProject(columns, kpis)
    monkeypatch.setattr(picture, "compiled_project", lambda _settings: project)
    erp = f"{RECORDS} erp.invoice_lines.v1: Quantity, UnitPrice"
    web = f"{RECORDS} web.orders.v1: lines[].quantity, lines[].unit_price"
    made_of = {erp, web, "silver.order_lines.line_amount", f"{FCT_ORDER_LINES}.line_amount"}
    column = f"{FCT_DAILY_SALES}.net_amount"
    assert names(column, state) == {*made_of, column}
    assert names("net_revenue", state) == {*made_of, f"rows of {FCT_ORDERS}", "net_revenue"}


def test_a_picture_is_written_then_current_then_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_HOME", str(tmp_path / "state"))
    path, runner = tmp_path / "orders.md", CliRunner()
    arguments = ["lineage", FCT_ORDERS, "--picture", str(path)]
    refused = runner.invoke(app, [*arguments, "--check"])
    assert isinstance(refused.exception, CheckFailed)
    assert not path.exists()
    written = runner.invoke(app, arguments)
    assert (written.exit_code, written.stdout) == (0, f"{path} was written.\n")
    assert "Lineage of gold.fct_orders" in path.read_text(encoding="utf-8")
    again = runner.invoke(app, [*arguments, "--check"])
    assert (again.exit_code, again.stdout) == (0, f"{path} is current.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --picture FILE"),
        (["--check"], "give --picture FILE"),
        ([FCT_ORDERS, "--check"], "give --picture FILE"),
        (["nope", "--picture", "nope.md"], "Nothing is called 'nope'"),
        (["--picture", "no/folder.md"], r"can't be read or written (No such file"),
    ],
)
def test_what_can_not_be_drawn_or_written_is_named(arguments: list[str], message: str) -> None:
    assert commands.__name__
    refused = CliRunner().invoke(app, ["lineage", *arguments])
    assert isinstance(refused.exception, LakeError)
    assert message in str(refused.exception)
