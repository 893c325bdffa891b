"""Wiping a state folder: ours, also when only a page was written, and no other."""

from pathlib import Path

import pytest

from lakehouse.errors import LakeError
from lakehouse.settings import Settings
from pipelines.demo import wipe


def fill(home: Path, *names: str) -> Settings:
    for name in names:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return Settings(home=home)


def left(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_a_folder_that_holds_only_a_docs_page_is_ours(tmp_path: Path) -> None:
    wipe(fill(tmp_path, "dbt/compiled-1.json", "reports/docs.html", "logs/gold.log"))
    assert left(tmp_path) == ["dbt/compiled-1.json", "logs/gold.log"]


def test_a_state_is_wiped_but_for_its_caches(tmp_path: Path) -> None:
    wipe(fill(tmp_path, "VERSION", "jars/a.jar", "dbt/x", "tables/silver/x", "locks/run"))
    assert left(tmp_path) == ["dbt/x", "jars/a.jar", "locks/run"]


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    settings = fill(tmp_path, "thesis.txt", "reports/docs.html")
    with pytest.raises(LakeError, match="holds no state of Cartlake"):
        wipe(settings)
    assert left(tmp_path) == ["reports/docs.html", "thesis.txt"]
