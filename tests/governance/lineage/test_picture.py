"""The picture of the lineage: current in the docs, whole, legible in a browser, without network."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from governance.lineage import dbt_manifest, graph
from governance.lineage.dbt_manifest import CompiledModel, CompiledProject
from governance.lineage.graph import Graph, graph_around, whole_graph
from governance.lineage.picture import picture, picture_of
from lakehouse.contracts.exposures import read_exposures
from lakehouse.contracts.gold import FCT_DAILY_SALES, FCT_ORDERS, GOLD_TABLES
from lakehouse.contracts.tables import BRONZE_EVENTS, CUSTOMER_CONTACTS, QUARANTINE, TABLES
from lakehouse.contracts.topics import CRM_CUSTOMERS, SOURCE_TOPICS
from lakehouse.errors import CheckFailed, LakeError
from lakehouse.settings import PROJECT_ROOT, Settings
from operations.cli import app
from operations.cli import lineage as commands

PICTURE = PROJECT_ROOT / "docs" / "lineage.svg"


@pytest.fixture
def state(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def names(graph: Graph) -> set[str]:
    return {node.name for layer in graph.layers for node in layer}


def test_the_picture_in_the_docs_is_what_lake_lineage_writes(state: Settings) -> None:
    assert PICTURE.read_text(encoding="utf-8") == picture_of("", settings=state)


def test_every_topic_table_model_and_tile_is_on_it_and_all_edges_go_right() -> None:
    graph = whole_graph()
    models = {path.stem for path in (PROJECT_ROOT / "dbt_project/models").rglob("*.sql")}
    tiles = {f"{each.label}: {tile}" for each in read_exposures() for tile in each.tiles}
    views = {each for each in models if not each.startswith(("fct_", "dim_"))}
    tables = {*GOLD_TABLES, *(table.name for table in TABLES)}
    topics = {each.name for each in SOURCE_TOPICS}
    passed = {each for each in names(graph) if each.startswith(f"{BRONZE_EVENTS.name} of topic")}
    assert names(graph) == topics | passed | tables | views | tiles
    level = {node.name: place for place, layer in enumerate(graph.layers) for node in layer}
    assert [edge for edge in graph.edges if level[edge[0]] >= level[edge[1]]] == []
    linked = {name for edge in graph.edges for name in edge}
    assert names(graph) - linked == set()


def test_around_a_table_is_only_what_it_comes_from_and_what_it_goes_into(state: Settings) -> None:
    found = names(graph_around(CUSTOMER_CONTACTS.name, settings=state))
    assert found == {
        CRM_CUSTOMERS.name,
        f"{BRONZE_EVENTS.name} of topic {CRM_CUSTOMERS.name}",
        CUSTOMER_CONTACTS.name,
        "stg_silver__customer_contacts",
        "gold.dim_customer_contacts",
        "Quality report: Verdicts of the gate",
    }
    page = names(graph_around("/data-health", settings=state))
    assert {QUARANTINE.name, "Data health: Restated days"} <= page
    assert "Overview: Countries" not in page


def test_around_a_column_or_kpi_are_the_columns_that_make_it(
    state: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model(name: str, columns: dict[str, tuple[tuple[str, str], ...]]) -> CompiledModel:
        return CompiledModel(name, "marts", "", "", (), (), columns)

    lines = "gold.fct_order_lines"
    models = {
        lines: model(lines, {"line_amount": (("silver.order_lines", "line_amount"),)}),
        FCT_DAILY_SALES: model(FCT_DAILY_SALES, {"net_amount": ((lines, "line_amount"),)}),
    }
    project = CompiledProject(models, {"net_revenue": ((lines, "line_amount"), (FCT_ORDERS, ""))})
    monkeypatch.setattr(graph, "compiled_project", lambda _settings: project)
    erp = f"{BRONZE_EVENTS.name} of topic erp.invoice_lines.v1: Quantity, UnitPrice"
    web = f"{BRONZE_EVENTS.name} of topic web.orders.v1: lines[].quantity, lines[].unit_price"
    made_of = {erp, web, "silver.order_lines.line_amount", f"{lines}.line_amount"}
    column = graph_around(f"{FCT_DAILY_SALES}.net_amount", settings=state)
    assert names(column) == {*made_of, f"{FCT_DAILY_SALES}.net_amount"}
    kpi = graph_around("net_revenue", settings=state)
    assert names(kpi) == {*made_of, f"{FCT_ORDERS}.(rows)", "net_revenue"}
    assert dbt_manifest.TABLE not in names(kpi)


def test_an_unknown_name_draws_nothing(state: Settings) -> None:
    with pytest.raises(LakeError, match="Nothing is called 'nope'"):
        picture_of("nope", settings=state)


def test_the_svg_is_well_formed_escaped_and_names_no_other_host() -> None:
    text = picture(whole_graph(), title="a <b> & 'c'")
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314
    assert "a &lt;b&gt; &amp; &#x27;c&#x27;" in text
    assert re.findall(r"https?://[^'\" ]+", text) == ["http://www.w3.org/2000/svg"]
    for asking in ("href", "url(", "@import", "@font-face", "<image", "<script"):
        assert asking not in text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_fit_their_boxes_and_no_two_boxes_touch(scheme: Any) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(color_scheme=scheme, offline=True)
        page.goto(PICTURE.as_uri())
        boxes = page.evaluate(
            "[...document.querySelectorAll('g > rect.box')].map(r => {const g = r.parentNode;"
            "const b = r.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height,"
            "...[...g.querySelectorAll(':scope > text')].map(t => t.getBBox()).flatMap("
            "t => [t.x, t.y, t.x + t.width, t.y + t.height])]})"
        )
        paper, ink = page.evaluate(
            "['.paper', 'g > .box.gold + text']"
            ".map(s => getComputedStyle(document.querySelector(s)).fill)"
        )
        browser.close()
    drawn = [each for each in boxes if each[2] - each[0] > 40]  # the bar's name stands upright
    assert len(drawn) > 40
    for left, top, right, bottom, *texts in drawn:
        assert texts
        assert min(texts[0::4]) >= left
        assert min(texts[1::4]) >= top
        assert max(texts[2::4]) <= right
        assert max(texts[3::4]) <= bottom
    for place, one in enumerate(drawn):
        for other in drawn[place + 1 :]:
            apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
            assert apart, (one, other)
    assert (paper, ink) == {
        "light": ("rgb(255, 255, 255)", "rgb(29, 36, 48)"),
        "dark": ("rgb(20, 24, 31)", "rgb(231, 235, 242)"),
    }[scheme]


def test_a_picture_is_written_then_current_then_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert commands.__name__
    monkeypatch.setenv("LAKE_HOME", str(tmp_path / "state"))
    path, runner = tmp_path / "orders.svg", CliRunner()
    arguments = ["lineage", FCT_ORDERS, "--picture", str(path)]
    told = runner.invoke(app, [*arguments, "--check"])
    assert isinstance(told.exception, CheckFailed)
    assert not path.exists()
    written = runner.invoke(app, arguments)
    assert (written.exit_code, written.stdout) == (0, f"{path} was written.\n")
    assert "Lineage of gold.fct_orders" in path.read_text(encoding="utf-8")
    again = runner.invoke(app, [*arguments, "--check"])
    assert (again.exit_code, again.stdout) == (0, f"{path} is current.\n")


@pytest.mark.parametrize("arguments", [[], ["--check"], [FCT_ORDERS, "--check"]])
def test_without_a_name_or_a_file_it_says_what_to_give(arguments: list[str]) -> None:
    told = CliRunner().invoke(app, ["lineage", *arguments])
    assert isinstance(told.exception, LakeError)
    assert "give --picture FILE" in str(told.exception)


def test_a_picture_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match=r"can't be read or written \(No such file"):
        commands.lineage(picture=tmp_path / "no" / "folder.svg")
