"""The docs page as dbt makes it: KPIs in front, origins and rows on it, and no network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import pytest

from governance.catalog import docs_page
from governance.catalog.docs_page import PAGE
from governance.lineage.dbt_manifest import dbt_output
from lakehouse.contracts.gold import FCT_DAILY_SALES
from lakehouse.errors import LakeError
from lakehouse.pointer import CURRENT
from lakehouse.settings import Settings
from operations.cli import docs as commands
from tests.gold_files import serve_gold

OVERVIEW, SALES = "#!/overview", "#!/model/model.cartlake.fct_daily_sales"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What dbt writes for the page, once for all tests."""
    folder = tmp_path_factory.mktemp("docs") / "generated"
    with dbt_output("docs", "generate", "--static", "--empty-catalog") as output:
        copytree(output, folder)
    return folder


@pytest.fixture
def published(tmp_path: Path, generated: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A small gold in service, in the state folder of the commands."""

    @contextmanager
    def output(*command: str) -> Iterator[Path]:
        yield generated

    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.setattr(docs_page, "dbt_output", output)
    settings = Settings()
    serve_gold(settings, f"create table {FCT_DAILY_SALES} as select 1 as n from range(1234)")
    return settings


@pytest.mark.browser
def test_a_reader_without_network_sees_kpis_rows_types_and_origins(
    published: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    from playwright.sync_api import sync_playwright

    commands.docs()
    path = published.reports_dir / PAGE
    assert capsys.readouterr().out == f"Open {path} in a browser.\n"
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(offline=True)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri() + OVERVIEW)
        kpi = page.locator("tr", has_text="Gross revenue and cancelled amount together.")
        assert "int_days_measured.net_amount" in kpi.inner_text()
        page.goto(path.as_uri() + SALES)
        page.get_by_text("1,234", exact=True).first.wait_for()
        row = page.locator("tr", has_text="net_amount").first
        assert "decimal(18, 4)" in row.inner_text()
        row.click()
        page.get_by_text("Made of gold.fct_order_lines.line_amount").first.wait_for()
        browser.close()
    assert [each for each in asked if not each.startswith(path.parent.as_uri())] == []


def test_without_gold_the_page_has_no_rows_and_a_damaged_pointer_is_an_error(
    published: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    (published.gold_dir / CURRENT).write_text("{}")
    with pytest.raises(LakeError, match="names no gold file"):
        commands.docs()
    (published.gold_dir / CURRENT).unlink()
    other = published.home / "elsewhere" / "data.html"
    commands.docs(out=other)
    assert capsys.readouterr().out == (
        f"No gold was published yet, so the page has no row counts.\nOpen {other} in a browser.\n"
    )
    text = other.read_text(encoding="utf-8")
    assert '"value": 1234' not in text
    assert text.count("default-src 'none'") == 1
    assert '"send_anonymous_usage_stats": false' in text


def test_a_page_that_can_not_be_written_is_named(published: Settings) -> None:
    with pytest.raises(LakeError, match="is a folder: name a file"):
        commands.docs(out=published.home)
    (published.home / "taken").write_text("")
    with pytest.raises(LakeError, match=r"can't be written \((Not a directory|File exists)\)"):
        commands.docs(out=published.home / "taken" / PAGE)
