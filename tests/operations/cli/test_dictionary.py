"""`lake dictionary`: writes the page once, and says when it is not current."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from governance.catalog.dictionary import dictionary
from lakehouse.errors import CheckFailed, LakeError
from operations.cli import app
from operations.cli import dictionary as commands


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "dictionary.md"


def test_a_page_is_written_then_current_then_not(page: Path) -> None:
    assert commands.__name__
    runner = CliRunner()
    with pytest.raises(CheckFailed, match="is not current"):
        commands.dictionary(check=True, page=page)
    assert not page.exists()
    written = runner.invoke(app, ["dictionary", "--page", str(page)])
    assert (written.exit_code, written.stdout) == (0, f"{page} was written.\n")
    assert page.read_text(encoding="utf-8") == dictionary()
    again = runner.invoke(app, ["dictionary", "--check", "--page", str(page)])
    assert (again.exit_code, again.stdout) == (0, f"{page} is current.\n")
    page.write_text(page.read_text(encoding="utf-8").replace("Gross", "Net", 1), encoding="utf-8")
    with pytest.raises(CheckFailed, match="`lake dictionary` rewrites it"):
        commands.dictionary(check=True, page=page)


def test_a_page_that_can_not_be_written_is_named(page: Path) -> None:
    with pytest.raises(LakeError, match="can't be read or written"):
        commands.dictionary(page=page / "no" / "folder")
    page.write_bytes(b"\xff\xfe")
    with pytest.raises(LakeError, match="no UTF-8"):
        commands.dictionary(page=page)
