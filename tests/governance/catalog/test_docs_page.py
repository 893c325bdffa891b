"""The docs page: every table and column on it, escaped, current facts of gold, no network."""

import re
from html import unescape
from pathlib import Path

import pytest

from governance.catalog import docs_page
from governance.catalog.docs_entries import Catalog, Column, entries, read_catalog
from governance.catalog.docs_page import PAGE, render
from governance.lineage.dbt_manifest import CompiledModel, CompiledProject
from lakehouse.contracts.gold import FCT_DAILY_SALES
from lakehouse.contracts.kpis import read_kpis
from lakehouse.contracts.marts import read_marts
from lakehouse.contracts.tables import ORDER_LINES, TABLES
from lakehouse.contracts.topics import SOURCE_TOPICS
from lakehouse.errors import LakeError
from lakehouse.pointer import CURRENT
from lakehouse.settings import Settings
from operations.cli import docs as commands
from tests.gold_files import serve_gold
from tests.phone import on_a_phone

LINES = "gold.fct_order_lines"
STAGED = "stg_silver__order_lines"


def a_model(name: str, *reads: str, **columns: tuple[tuple[str, str], ...]) -> CompiledModel:
    layer = "marts" if name.startswith("gold.") else "staging"
    sql = f"select '<b>' from {' & '.join(reads)}"
    return CompiledModel(
        name, layer, "It <i>has</i> lines. One row per line.", sql, reads, ("unique_key",), columns
    )


@pytest.fixture
def project() -> CompiledProject:
    """A few models in the place of all that dbt would compile."""
    models = [
        a_model(STAGED, ORDER_LINES.name, line_amount=((ORDER_LINES.name, "line_amount"),)),
        a_model(LINES, STAGED, line_amount=((STAGED, "line_amount"),)),
        a_model(
            FCT_DAILY_SALES,
            LINES,
            net_amount=((LINES, "line_amount"),),
            line_count=((LINES, ""),),
        ),
    ]
    kpis = {each.name: ((LINES, "line_amount"),) for each in read_kpis()}
    return CompiledProject({each.name: each for each in models}, kpis)


@pytest.fixture
def published(tmp_path: Path) -> Settings:
    """A small gold in service."""
    settings = Settings(home=tmp_path)
    serve_gold(
        settings,
        f"create table {FCT_DAILY_SALES} as select n::decimal(18, 4) as net_amount, "
        "n as line_count from range(1234) as numbers(n)",
        file="gold-7.duckdb",
    )
    return settings


def test_a_mart_has_its_columns_with_type_meaning_and_origin_and_its_readers(
    project: CompiledProject, published: Settings
) -> None:
    found = {each.name: each for each in entries(project, read_catalog(published))}
    sales = found[FCT_DAILY_SALES]
    mart = next(each for each in read_marts() if each.name == FCT_DAILY_SALES)
    told = {each.name: each for each in mart.columns}
    assert (sales.rows, sales.layer, sales.key) == (1234, "gold", mart.key)
    assert sales.columns == (
        Column(
            "net_amount",
            "decimal(18,4)",
            is_nullable=False,
            unit=told["net_amount"].unit,
            meaning=told["net_amount"].description,
            made_of=(f"{LINES}.line_amount",),
        ),
        Column(
            "line_count",
            "bigint",
            is_nullable=False,
            unit=told["line_count"].unit,
            meaning=told["line_count"].description,
            made_of=(f"rows of {LINES}",),
        ),
    )
    assert found[LINES].read_by == (
        "Data health (Reconciliation)",
        "Overview (Countries)",
        "Overview (Key figures)",
        "Overview (Top products)",
        FCT_DAILY_SALES,
    )
    amount = next(each for each in found[ORDER_LINES.name].columns if each.name == "line_amount")
    assert amount.made_of == (
        "erp.invoice_lines.v1: Quantity, UnitPrice",
        "web.orders.v1: lines[].quantity, lines[].unit_price",
    )
    assert "silver.duplicates" in found["web.events.v1"].read_by


def test_without_gold_types_are_those_of_the_contracts_and_nothing_is_counted(
    project: CompiledProject, tmp_path: Path
) -> None:
    assert read_catalog(Settings(home=tmp_path)) is None
    sales = next(each for each in entries(project, None) if each.name == FCT_DAILY_SALES)
    assert (sales.rows, sales.columns[0].type) == (None, "decimal(18,4)")
    text = render(project, None)
    assert "No gold was published yet" in text
    assert "class='count'" not in text


def test_a_damaged_pointer_is_an_error_and_no_page_without_gold(published: Settings) -> None:
    (published.gold_dir / CURRENT).write_text("{}")
    with pytest.raises(LakeError, match="names no gold file"):
        read_catalog(published)


def test_every_table_topic_column_and_kpi_is_on_the_page_and_every_link_leads_somewhere(
    project: CompiledProject,
) -> None:
    text = render(project, Catalog("gold-7.duckdb", {FCT_DAILY_SALES: 1234}, {}))
    assert "Gold in service: gold-7.duckdb, 1 tables, 1,234 rows." in text
    assert "1,234 rows</span>" in text
    places = set(re.findall(r" id='([^']+)'", text))
    names = {*project.models, *(each.name for each in (*TABLES, *SOURCE_TOPICS))}
    assert names <= places
    targets = {unescape(each) for each in re.findall(r"href='#([^']+)'", text)}
    assert targets - places == set()
    shown = set(re.findall(r"<td><code>([^<]+)</code>", text))
    columns = {column for each in project.models.values() for column in each.columns}
    columns |= {column.name for table in TABLES for column in table.columns}
    assert columns | {each.name for each in read_kpis()} <= shown


def test_texts_are_escaped_and_the_page_names_no_other_host(project: CompiledProject) -> None:
    text = render(project, None)
    assert "It &lt;i&gt;has&lt;/i&gt; lines." in text
    assert "select &#x27;&lt;b&gt;&#x27; from" in text
    assert set(re.findall(r"https?://[^'\"<> ]+", text)) == {"http://www.w3.org/2000/svg"}
    for asking in ("src=", "url(", "@import", "@font-face", "<link", "<img", "fetch("):
        assert asking not in text
    assert "default-src 'none'" in text


@pytest.mark.browser
@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 31)")]
)
def test_on_a_phone_nothing_is_asked_for_and_nothing_scrolls_sideways(
    project: CompiledProject, tmp_path: Path, scheme: str, paper: str
) -> None:
    path = tmp_path / PAGE
    path.write_text(render(project, None), encoding="utf-8")
    asked, width, found = on_a_phone(path, scheme=scheme)
    assert asked == [path.as_uri()]
    assert width <= 375
    assert found == paper


@pytest.mark.browser
def test_a_reader_without_network_finds_a_model_and_what_a_column_means(
    project: CompiledProject, tmp_path: Path
) -> None:
    from playwright.sync_api import sync_playwright

    path = tmp_path / PAGE
    path.write_text(render(project, None), encoding="utf-8")
    meaning = next(
        column.description
        for mart in read_marts()
        for column in mart.columns
        if (mart.name, column.name) == (FCT_DAILY_SALES, "net_amount")
    )
    asked: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(offline=True)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        assert page.locator("svg.lineage").is_visible()
        page.get_by_role("searchbox").fill("net_amount")
        shown = [each.get_attribute("id") for each in page.locator(".entry:visible").all()]
        assert shown == [FCT_DAILY_SALES]
        assert not page.get_by_text(meaning, exact=True).first.is_visible()
        page.locator(f"svg.lineage a[href='#{FCT_DAILY_SALES}']").click()
        assert page.get_by_text(meaning, exact=True).first.is_visible()
        entry = page.locator(f"[id='{FCT_DAILY_SALES}']")
        entry.get_by_role("link", name=f"{LINES}.line_amount").click()
        assert page.locator(f"[id='{LINES}'] table").is_visible()  # though the word is not in it
        browser.close()
    assert (asked, complaints) == ([path.as_uri()], [])


def test_the_command_writes_the_page_and_prints_its_path(
    published: Settings,
    project: CompiledProject,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LAKE_HOME", str(published.home))
    monkeypatch.setattr(docs_page, "compiled_project", lambda _settings: project)
    commands.docs()
    page = published.reports_dir / PAGE
    assert capsys.readouterr().out == f"Open {page} in a browser.\n"
    assert page.read_text(encoding="utf-8") == render(project, read_catalog(published))
    (published.gold_dir / CURRENT).unlink()
    other = published.home / "elsewhere" / "data.html"
    commands.docs(out=other)
    assert capsys.readouterr().out == (
        f"No gold was published yet, so the page has no row counts.\nOpen {other} in a browser.\n"
    )
    assert other.read_text(encoding="utf-8") == render(project, None)


def test_a_page_that_can_not_be_written_is_named(
    published: Settings, project: CompiledProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_HOME", str(published.home))
    monkeypatch.setattr(docs_page, "compiled_project", lambda _settings: project)
    with pytest.raises(LakeError, match="is a folder: name a file"):
        commands.docs(out=published.home)
    (published.home / "taken").write_text("")
    with pytest.raises(LakeError, match=r"can't be written \((Not a directory|File exists)\)"):
        commands.docs(out=published.home / "taken" / PAGE)
